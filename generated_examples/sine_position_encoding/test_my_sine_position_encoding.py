"""Tests for `MySinePositionEncoding`, on any Keras backend.

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

from my_sine_position_encoding import MySinePositionEncoding

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 5, 6

# A value other than the default for every constructor argument.
CHANGED = {
    "max_wavelength": 0.5,
}
DEFAULTS = {
    "max_wavelength": 10000.0,
}
ACCEPTED = {
    "max_wavelength": [1],
}
REFUSED = {
    "max_wavelength": [0.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    return MySinePositionEncoding(**arguments)


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, STEPS, *axes, DIM)).astype("float32")


def reference(x, positions, max_wavelength=10000):
    """The formula, one feature at a time, for positions `(batch, steps)`."""
    outputs = np.zeros(x.shape)
    for sample, step, i in np.ndindex(*x.shape):
        angle = positions[sample, step] / max_wavelength ** (2 * (i // 2) / DIM)
        outputs[sample, step, i] = np.sin(angle) if i % 2 == 0 else np.cos(angle)
    return outputs


def positions_from(start=0):
    """Consecutive positions, the same for each sample."""
    return np.tile(np.arange(start, start + STEPS), (BATCH, 1))


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("start", [0, 3])
    def test_equals_the_formula(self, start):
        layer, x = make(), inputs()
        y = array(layer(x, start_index=start))
        assert_close(y, reference(x, positions_from(start)))
        if start == 0:
            assert_close(array(layer(x)), y)

    def test_accepts_positions(self):
        layer, x = make(), inputs()
        positions = np.random.default_rng(1).integers(1000, size=(BATCH, STEPS))
        for given in (positions, positions[0]):
            y = array(layer(x, positions=ops.convert_to_tensor(given)))
            given = np.broadcast_to(given, (BATCH, STEPS))
            assert_close(y, reference(x, given), tolerance=1e-4)

    def test_max_wavelength(self):
        x = inputs()
        y = array(make(max_wavelength=10)(x))
        assert_close(y, reference(x, positions_from(), 10))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, STEPS, DIM), (None, None, DIM), (2, 3, DIM)]
    )
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
            *inspect.signature(MySinePositionEncoding).parameters
        ]
        layer = MySinePositionEncoding(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MySinePositionEncoding"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MySinePositionEncoding
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MySinePositionEncoding()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "max_wavelength": np.float32(CHANGED["max_wavelength"]),
        }
        layer = MySinePositionEncoding(**{**CHANGED, **numbers})
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
        layer, x = make(dtype=policy), inputs()
        y = layer(x, start_index=1001)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} <= {layer.variable_dtype}
        expected = reference(x, positions_from(1001))
        assert_close(array(ops.cast(y, "float32")), expected, tolerance=0.05)

    def test_propagates_masks(self):
        model, x = keras.Sequential([keras.layers.Masking(), make()]), inputs()
        x[:, -1] = 0
        mask = array(model(x)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        tokens = keras.Input(x.shape[1:])
        hidden = keras.layers.Add()([tokens, make()(tokens)])
        hidden = keras.layers.Dense(32, activation="tanh")(
            keras.layers.Flatten()(hidden)
        )
        model = keras.Model(tokens, keras.layers.Dense(1)(hidden))
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
            f"import keras, numpy as np, {MySinePositionEncoding.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MySinePositionEncoding.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
