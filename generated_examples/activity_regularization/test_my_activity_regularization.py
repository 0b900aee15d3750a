"""Tests for `MyActivityRegularization`, on any Keras backend.

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

from my_activity_regularization import MyActivityRegularization

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 3, 5

# A value other than the default for every constructor argument.
CHANGED = {
    "l1": 0.5,
    "l2": 0.5,
}
DEFAULTS = {
    "l1": 0.0,
    "l2": 0.0,
}
ACCEPTED = {
    "l1": [0.0, 1],
    "l2": [0.0, 1],
}
REFUSED = {
    "l1": [-1.0, "1.0", None],
    "l2": [-1.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"l1": 0.5, "l2": 0.25}
    return MyActivityRegularization(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def reference(x, l1=0.5, l2=0.25):
    """The formula, one sample at a time."""
    return np.mean([l1 * np.abs(sample).sum() + l2 * (sample**2).sum() for sample in x])


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("axes", [(), (STEPS,), (2, STEPS)])
    @pytest.mark.parametrize(
        "factors", [{}, {"l1": 0.0}, {"l2": 0.0}, {"l1": 2, "l2": 3}]
    )
    def test_equals_the_formula_and_changes_nothing(self, axes, factors):
        layer, x = make(**factors), inputs(*axes)
        y = array(layer(x))
        assert (y == x).all()
        (loss,) = layer.losses
        assert_close(array(loss), reference(x, **factors))

    def test_is_the_same_in_training_and_at_inference(self):
        layer, x = make(), inputs()
        for training in (True, False):
            layer(x, training=training)
            assert_close(array(layer.losses[0]), reference(x))

    @pytest.mark.parametrize("act", ["evaluate", "train_on_batch"])
    def test_is_part_of_a_models_loss(self, act):
        x = inputs()
        model = keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(DIM), make()])
        model.compile("sgd", "mse")
        y = array(model(x))
        loss = getattr(model, act)(
            x, y + 1, **({"verbose": 0} if act == "evaluate" else {})
        )
        assert_close(np.array(loss).ravel()[0], 1 + reference(y))


class TestShapes:
    @pytest.mark.parametrize("shape", [(None, DIM), (None, None, DIM), (2, 3, 4, DIM)])
    def test_static_shape_is_correct(self, shape):
        assert make().compute_output_shape(shape) == shape
        assert make()(keras.KerasTensor(shape)).shape == shape
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == real


class TestWeights:
    def test_has_no_weights(self):
        layer = make()
        layer(inputs())
        assert layer.weights == []


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyActivityRegularization).parameters
        ]
        layer = MyActivityRegularization(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyActivityRegularization"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyActivityRegularization
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyActivityRegularization()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "l1": np.float32(CHANGED["l1"]),
            "l2": np.float32(CHANGED["l2"]),
        }
        layer = MyActivityRegularization(**{**CHANGED, **numbers})
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
        with pytest.raises(ValueError, match=f"^`{name}` must be"):
            make(**{name: value})


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy), 100 * inputs(STEPS)
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        (loss,) = layer.losses
        assert keras.backend.standardize_dtype(loss.dtype) == "float32"
        assert_close(array(loss), reference(x), tolerance=0.02)

    def test_propagates_masks(self):
        model, x = keras.Sequential([keras.layers.Masking(), make()]), inputs(STEPS)
        x[:, -1] = 0
        mask = array(model(x)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                keras.layers.Dense(8, activation="tanh"),
                make(l1=1e-4, l2=1e-4),
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
            f"import keras, numpy as np, {MyActivityRegularization.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyActivityRegularization.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
