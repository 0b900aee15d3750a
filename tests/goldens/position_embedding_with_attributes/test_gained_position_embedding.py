"""Tests for `GainedPositionEmbedding`, on any Keras backend.

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

from gained_position_embedding import GainedPositionEmbedding

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 5, 6
LENGTH = 9

# A value other than the default for every constructor argument.
CHANGED = {
    "sequence_length": LENGTH,
    "initializer": keras.initializers.RandomNormal(stddev=0.2, seed=2),
    "gain": 0.5,
    "label": "mine_changed",
}
DEFAULTS = {
    "sequence_length": 32,
    "initializer": keras.initializers.get("he_normal"),
    "gain": 1.0,
    "label": "mine",
}
ACCEPTED = {
    "sequence_length": [1],
    "gain": [1],
}
REFUSED = {
    "sequence_length": [0, 2.5, True, "2", None],
    "gain": [0.0, "1.0", None],
    "label": [2, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"sequence_length": LENGTH, "initializer": "glorot_uniform"}
    return GainedPositionEmbedding(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, STEPS, *axes, DIM)).astype("float32")


def reference(embeddings, positions):
    """The formula, for positions `(batch, steps)`."""
    return np.stack([[embeddings[p] for p in row] for row in positions])


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
        assert_close(y, reference(*layer.get_weights(), positions_from(start)))
        if start == 0:
            assert_close(array(layer(x)), y)

    def test_accepts_positions(self):
        layer, x = make(), inputs()
        positions = np.random.default_rng(1).integers(LENGTH, size=(BATCH, STEPS))
        for given in (positions, positions[0]):
            y = array(layer(x, positions=ops.convert_to_tensor(given)))
            given = np.broadcast_to(given, (BATCH, STEPS))
            assert_close(y, reference(*layer.get_weights(), given), tolerance=1e-4)


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
    def test_name_shape_and_initial_values(self):
        layer = make()
        layer.build((None, None, DIM))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("embeddings", (LENGTH, DIM))
        ]
        assert layer.trainable_weights == layer.weights
        limit = np.sqrt(6 / (LENGTH + DIM))  # Glorot and Bengio, 2010
        assert 0.5 * limit < np.abs(layer.get_weights()[0]).max() <= limit
        layer = make(initializer="ones")
        layer.build((None, None, DIM))
        assert (layer.get_weights()[0] == 1).all()


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(GainedPositionEmbedding).parameters
        ]
        layer = GainedPositionEmbedding(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>GainedPositionEmbedding"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is GainedPositionEmbedding
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = GainedPositionEmbedding()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "sequence_length": np.int64(CHANGED["sequence_length"]),
            "gain": np.float32(CHANGED["gain"]),
        }
        layer = GainedPositionEmbedding(**{**CHANGED, **numbers})
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
        y = layer(x, start_index=4)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} <= {layer.variable_dtype}
        weights = [array(ops.cast(weight, "float32")) for weight in layer.weights]
        expected = reference(*weights, positions_from(4))
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
        hidden = keras.layers.Add()([tokens, make(sequence_length=STEPS)(tokens)])
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
            f"import keras, numpy as np, {GainedPositionEmbedding.__module__}\n"
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
        examples = doctest.testmod(sys.modules[GainedPositionEmbedding.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
