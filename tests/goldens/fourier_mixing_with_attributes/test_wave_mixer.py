"""Tests for `WaveMixer`, on any Keras backend.

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

from wave_mixer import WaveMixer

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 5, 6

# A value other than the default for every constructor argument.
CHANGED = {
    "norm": "backward",
    "gain": 0.5,
    "label": "mine_changed",
}
DEFAULTS = {
    "norm": "ortho",
    "gain": 1.0,
    "label": "mine",
}
ACCEPTED = {
    "gain": [1],
}
REFUSED = {
    "norm": ["backward-ortho", None],
    "gain": [0.0, "1.0", None],
    "label": [2, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"norm": "backward"}
    return WaveMixer(**{**plain, **arguments})


def inputs(batch=BATCH, steps=STEPS):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, steps, DIM)).astype("float32")


def reference(x, norm="backward"):
    """The formula, one output position at a time."""
    _, steps, dim = x.shape
    t, f = np.indices((steps, dim))
    y = np.empty(x.shape)
    for k, m in np.ndindex(steps, dim):
        waves = np.cos(2 * np.pi * (k * t / steps + m * f / dim))
        y[:, k, m] = (x * waves).sum(axis=(1, 2))
    return y / np.sqrt(steps * dim) if norm == "ortho" else y


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("norm", ["backward", "ortho"])
    @pytest.mark.parametrize("steps", [1, 4, STEPS])
    def test_equals_the_formula(self, norm, steps):
        x = inputs(steps=steps)
        assert_close(array(make(norm=norm)(x)), reference(x, norm), tolerance=1e-4)

    @pytest.mark.parametrize("dtype", ["bool", "float32"])
    def test_masked_steps_count_as_zeros(self, dtype):
        x = inputs()
        mask = np.random.default_rng(1).random((BATCH, STEPS)) < 0.6
        expected = reference(np.where(mask[..., None], x, 0))
        x[~mask] = np.nan
        y = array(make()(x, mask=ops.convert_to_tensor(mask.astype(dtype))))
        assert_close(y, expected, tolerance=1e-4)

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])), tolerance=1e-4)


class TestShapes:
    @pytest.mark.parametrize("norm", ["backward", "ortho"])
    @pytest.mark.parametrize(
        "shape", [(None, STEPS, DIM), (None, None, DIM), (BATCH, None, None)]
    )
    def test_static_shape_is_correct(self, norm, shape):
        layer = make(norm=norm)
        assert layer.compute_output_shape(shape) == shape
        assert layer(keras.KerasTensor(shape)).shape == shape
        real = tuple(2 if size is None else size for size in shape)
        assert layer(np.zeros(real, "float32")).shape == real

    def test_works_with_unknown_sizes(self):
        model, x = (
            keras.Sequential([keras.Input((None, None)), make(norm="ortho")]),
            inputs(),
        )
        y = model.predict(x, verbose=0)
        assert_close(y, reference(x, "ortho"), tolerance=1e-4)

    @pytest.mark.parametrize("rank", [2, 4])
    def test_refuses_another_rank(self, rank):
        with pytest.raises(ValueError, match="expected ndim=3"):
            make()(np.zeros((2,) * rank, "float32"))


class TestWeights:
    def test_has_no_weights(self):
        layer = make()
        layer(inputs())
        assert layer.weights == []


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(WaveMixer).parameters]
        layer = WaveMixer(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>WaveMixer"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is WaveMixer
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = WaveMixer()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "gain": np.float32(CHANGED["gain"]),
        }
        layer = WaveMixer(**{**CHANGED, **numbers})
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
    @pytest.mark.parametrize("norm", ["backward", "ortho"])
    def test_dtype_policy(self, policy, norm):
        layer, x = make(norm=norm, dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, norm), tolerance=0.05)

    def test_uses_and_propagates_masks(self):
        masking, x = keras.layers.Masking(), inputs()
        x[:, -1] = 0
        y = make()(masking(x))
        mask = array(y._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(norm="ortho"),
                keras.layers.Flatten(),
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
            f"import keras, numpy as np, {WaveMixer.__module__}\n"
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
        examples = doctest.testmod(sys.modules[WaveMixer.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
