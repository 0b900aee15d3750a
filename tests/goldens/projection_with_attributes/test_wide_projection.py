"""Tests for `WideProjection`, on any Keras backend.

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

from wide_projection import WideProjection

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, OUTPUT_DIM = 4, 3, 5, 2

# A value other than the default for every constructor argument.
CHANGED = {
    "output_dim": OUTPUT_DIM,
    "gate": keras.layers.Dense(2),
}
DEFAULTS = {
    "output_dim": 3,
    "gate": None,
}
ACCEPTED = {
    "output_dim": [1],
}
REFUSED = {
    "output_dim": [0, 2.5, True, "2", None],
    "gate": ["dense"],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"output_dim": OUTPUT_DIM}
    return WideProjection(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def reference(x, kernel, bias=0.0):
    """The formula, one unit at a time."""
    outputs = np.zeros((*x.shape[:-1], kernel.shape[1])) + bias
    for *index, unit in np.ndindex(*outputs.shape):
        outputs[*index, unit] += sum(x[*index, i] * kernel[i, unit] for i in range(DIM))
    return outputs


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

    def test_adds_the_bias(self):
        layer, x = make(), inputs()
        layer.build(x.shape)
        kernel, _ = layer.get_weights()
        layer.set_weights([kernel, np.array([1.0, 2.0])])
        assert_close(array(layer(x)), reference(x, kernel, [1.0, 2.0]))

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))

    def test_gate_is_applied_first(self):
        x = inputs()
        first = keras.layers.Dense(x.shape[-1], bias_initializer="ones")
        layer = make(gate=first)
        y = layer(x)
        without = make(gate=keras.layers.Identity())
        without.build(x.shape)
        without.set_weights(layer.get_weights()[: -len(first.weights)])
        assert_close(array(y), array(without(first(x))))

    def test_gate_is_built_and_saved_with_the_layer(self, tmp_path):
        x = inputs()
        layer = make(gate=keras.layers.Dense(x.shape[-1]))
        layer.build(x.shape)
        assert layer.gate.built
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
        expected = (*shape[:-1], OUTPUT_DIM)
        assert make().compute_output_shape(shape) == expected
        assert make()(keras.KerasTensor(shape)).shape == expected
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == (*real[:-1], OUTPUT_DIM)


class TestWeights:
    def test_names_shapes_and_initial_values(self):
        layer = make()
        layer.build((None, STEPS, DIM))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("kernel", (DIM, OUTPUT_DIM)),
            ("bias", (OUTPUT_DIM,)),
        ]
        assert layer.trainable_weights == layer.weights
        kernel, bias = layer.get_weights()
        assert 0.02 < np.abs(kernel).max() <= 0.05  # Keras's "uniform".
        assert (bias == 0).all()


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(WideProjection).parameters]
        layer = WideProjection(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>WideProjection"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is WideProjection
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = WideProjection()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "output_dim": np.int64(CHANGED["output_dim"]),
        }
        layer = WideProjection(**{**CHANGED, **numbers})
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
        layer, x = make(dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *layer.weights))
        assert_close(y, reference(x, *weights), tolerance=0.05)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(output_dim=16),
                keras.layers.Activation("tanh"),
                make(output_dim=1),
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
            f"import keras, numpy as np, {WideProjection.__module__}\n"
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
        examples = doctest.testmod(sys.modules[WideProjection.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
