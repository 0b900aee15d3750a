"""Tests for `EveryType`, on any Keras backend.

`KERAS_BACKEND=jax pytest` selects another backend than the default.
"""

import doctest
import inspect
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from every_type import EveryType

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 3, 5

# A value other than the default for every constructor argument.
CHANGED = {
    "width": 2,
    "inner": keras.layers.Dense(2),
    "depth": 2,
    "gain": 0.5,
    "rate": 0.25,
    "flag": True,
    "label": 'it\'s "{x}"_changed',
    "mode": "mean",
    "window": (4, 5),
    "offsets": (4, 5, -1),
    "sizes": (3, 4, 3),
    "act": keras.activations.tanh,
    "scale_initializer": keras.initializers.RandomNormal(stddev=1.3, seed=13),
    "penalty": keras.regularizers.L2(1.4),
    "limit": keras.constraints.MaxNorm(17.0),
    "noise_seed": 7,
    "make": keras.layers.Dense(17),
}
DEFAULTS = {
    "depth": None,
    "gain": 1.0,
    "rate": 0.5,
    "flag": False,
    "label": 'it\'s "{x}"',
    "mode": "sum",
    "window": (3, 3),
    "offsets": (1, 2, 3),
    "sizes": (1, 2),
    "act": keras.activations.get("relu"),
    "scale_initializer": keras.initializers.get("ones"),
    "penalty": keras.regularizers.get("l2"),
    "limit": None,
    "noise_seed": None,
    "make": None,
}
ACCEPTED = {
    "width": [1],
    "depth": [1, 9],
    "gain": [1],
    "rate": [0.0, 0],
}
REFUSED = {
    "width": [0, 2.5, True, "2", None],
    "inner": ["dense", None],
    "depth": [0, 10, 2.5, True, "2"],
    "gain": [0.0, "1.0", None],
    "rate": [-1.0, 1.0, "1.0", None],
    "flag": ["yes", 2, None],
    "label": [2, None],
    "mode": ["sum-mean", None],
    "window": [(2, True), (2, None), (2, 2, 2), 2.5, "22", None],
    "offsets": [
        (2, 2, -2),
        (2, 2, 40),
        (2, 2, True),
        (2, 2, None),
        (2, 2, 2, 2),
        2.5,
        "222",
        None,
    ],
    "sizes": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "make": ["dense"],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"width": 2, "inner": keras.layers.Identity()}
    return EveryType(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    # TODO: return inputs of the rank and kind that the layer expects.
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def reference(x):
    """TODO: the formula in NumPy, independent of the layer's code."""
    return x


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("axes", [(), (STEPS,), (2, STEPS)])
    def test_equals_the_formula(self, axes):
        layer, x = make(), inputs(*axes)
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights()))

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))

    def test_inner_is_applied_first(self):
        x = inputs()
        first = keras.layers.Dense(x.shape[-1], bias_initializer="ones")
        layer = make(inner=first)
        y = layer(x)
        without = make(inner=keras.layers.Identity())
        without.build(x.shape)
        without.set_weights(layer.get_weights()[: -len(first.weights)])
        assert_close(array(y), array(without(first(x))))

    def test_inner_is_built_and_saved_with_the_layer(self, tmp_path):
        x = inputs()
        layer = make(inner=keras.layers.Dense(x.shape[-1]))
        layer.build(x.shape)
        assert layer.inner.built
        model = keras.Sequential([keras.Input(x.shape[1:]), layer])
        model.save(tmp_path / "model.keras")
        twin = keras.saving.load_model(tmp_path / "model.keras")
        assert len(twin.weights) == len(model.weights)
        assert_close(array(twin(x)), array(model(x)))

    def test_make_is_applied_first(self):
        x = inputs()
        first = keras.layers.Dense(x.shape[-1], bias_initializer="ones")
        layer = make(make=first)
        y = layer(x)
        without = make(make=keras.layers.Identity())
        without.build(x.shape)
        without.set_weights(layer.get_weights()[: -len(first.weights)])
        assert_close(array(y), array(without(first(x))))

    def test_make_is_built_and_saved_with_the_layer(self, tmp_path):
        x = inputs()
        layer = make(make=keras.layers.Dense(x.shape[-1]))
        layer.build(x.shape)
        assert layer.make.built
        model = keras.Sequential([keras.Input(x.shape[1:]), layer])
        model.save(tmp_path / "model.keras")
        twin = keras.saving.load_model(tmp_path / "model.keras")
        assert len(twin.weights) == len(model.weights)
        assert_close(array(twin(x)), array(model(x)))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, DIM), (None, None, DIM), (BATCH, STEPS, DIM)]
    )
    def test_static_shape_is_correct(self, shape):
        expected = shape  # TODO: the output shape of the formula.
        assert make().compute_output_shape(shape) == expected
        assert make()(keras.KerasTensor(shape)).shape == expected
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == real


class TestWeights:
    def test_names_and_shapes(self):
        layer = make()
        layer.build((None, STEPS, DIM))
        weights = [(weight.name, weight.shape) for weight in layer.weights]
        assert weights == []  # TODO: the weights that `build` creates, in order.


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(EveryType).parameters]
        layer = EveryType(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>EveryType"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is EveryType
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = EveryType(width=2, inner=keras.layers.Identity())
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize("name", ["window", "offsets"])
    def test_one_int_is_repeated(self, name):
        value, *others = CHANGED[name]
        assert getattr(make(**{name: value}), name) == (value,) * (1 + len(others))

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "width": np.int64(CHANGED["width"]),
            "depth": np.int64(CHANGED["depth"]),
            "gain": np.float32(CHANGED["gain"]),
            "rate": np.float32(CHANGED["rate"]),
            "window": tuple(np.array(CHANGED["window"])),
            "offsets": tuple(np.array(CHANGED["offsets"])),
            "sizes": tuple(np.array(CHANGED["sizes"])),
        }
        layer = EveryType(**{**CHANGED, **numbers})
        json.dumps(layer.get_config())
        for name, value in numbers.items():
            assert np.array_equal(getattr(layer, name), value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in ACCEPTED.items() for value in values],
    )
    def test_accepts_boundary_values(self, name, value):
        assert getattr(make(**{name: value}), name) == value

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in REFUSED.items() for value in values],
    )
    def test_refuses_bad_arguments(self, name, value):
        with pytest.raises((TypeError, ValueError), match=f"^`{name}` must be"):
            make(**{name: value})


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer = make(dtype=policy, inner=keras.layers.Identity(dtype=policy))
        y = layer(inputs())
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} <= {layer.variable_dtype}

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(),
                keras.layers.Dense(8, activation="tanh"),
                keras.layers.Dense(1),
            ]
        )
        model.build(x.shape)
        model.compile(keras.optimizers.Adam(0.05), "mse")
        before = model.get_weights()
        losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
        assert losses[-1] < 0.5 * losses[0]
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # As "auto" would on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {EveryType.__module__}\n"
            "model = keras.models.load_model('model.keras')\n"
            "np.save('y.npy', model.predict(np.load('x.npy'), verbose=0))\n"
        )
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "KERAS_BACKEND": keras.backend.backend(),
        }
        subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=env, check=True
        )
        assert_close(np.load(tmp_path / "y.npy"), model.predict(x, verbose=0))

    def test_docstring_example(self):
        examples = doctest.testmod(sys.modules[EveryType.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
