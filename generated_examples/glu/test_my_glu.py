"""Tests for `MyGLU`, on any Keras backend.

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

from my_glu import MyGLU

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 3, 6

# A value other than the default for every constructor argument.
CHANGED = {
    "activation": keras.activations.tanh,
}
DEFAULTS = {
    "activation": keras.activations.get("sigmoid"),
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    return MyGLU(**arguments)


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def reference(x):
    """The formula, one element at a time."""
    channels = x.shape[-1] // 2
    outputs = np.empty((*x.shape[:-1], channels))
    for *index, i in np.ndindex(*outputs.shape):
        gate = x[*index, channels + i]
        outputs[*index, i] = x[*index, i] / (1 + np.exp(-gate))
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
        x = inputs(*axes)
        assert_close(array(make()(x)), reference(x))

    def test_activation_is_applied_to_the_second_half(self):
        x = inputs()
        first, second = np.split(x, 2, axis=-1)
        assert_close(array(make(activation="relu")(x)), first * np.maximum(second, 0))
        assert_close(array(make(activation=None)(x)), first * second)

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, DIM), (None, None, DIM), (BATCH, 3, None)]
    )
    def test_static_shape_is_correct(self, shape):
        expected = (*shape[:-1], shape[-1] and DIM // 2)
        assert make().compute_output_shape(shape) == expected
        assert make()(keras.KerasTensor(shape)).shape == expected
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == (*real[:-1], real[-1] // 2)

    def test_refuses_rank_1(self):
        with pytest.raises(ValueError, match="min_ndim=2"):
            make()(np.zeros((DIM,), "float32"))

    def test_refuses_an_odd_last_axis(self):
        with pytest.raises(ValueError, match="must be even"):
            make()(np.zeros((BATCH, DIM + 1), "float32"))


class TestWeights:
    def test_has_no_weights(self):
        layer = make()
        layer(inputs())
        assert layer.weights == []


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyGLU).parameters]
        layer = MyGLU(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyGLU"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyGLU
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyGLU()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert_close(array(ops.cast(y, "float32")), reference(x), tolerance=0.05)

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
                keras.layers.Dense(32),
                make(),
                keras.layers.Dense(1),
            ]
        )
        model.build(x.shape)
        model.compile(keras.optimizers.Adam(0.05), "mse")
        before = model.get_weights()
        losses = model.fit(x, y, epochs=40, verbose=0).history["loss"]
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
            f"import keras, numpy as np, {MyGLU.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyGLU.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
