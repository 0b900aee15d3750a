"""Tests for `ScaledEmbedding`, on any Keras backend.

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

from scaled_embedding import ScaledEmbedding

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, INDICES, DIM = 4, 5, 7, 3

# A value other than the default for every constructor argument.
CHANGED = {
    "input_dim": INDICES,
    "output_dim": DIM,
    "embeddings_initializer": keras.initializers.RandomNormal(stddev=0.3, seed=3),
    "embeddings_regularizer": keras.regularizers.L2(0.4),
    "embeddings_constraint": keras.constraints.MaxNorm(7.0),
    "mask_zero": False,
    "scale": 0.5,
    "mode": "mean",
}
DEFAULTS = {
    "input_dim": 500,
    "output_dim": 64,
    "embeddings_initializer": keras.initializers.get("he_normal"),
    "embeddings_regularizer": None,
    "embeddings_constraint": None,
    "mask_zero": True,
    "scale": 1.0,
    "mode": "sum",
}
ACCEPTED = {
    "input_dim": [1],
    "output_dim": [1],
    "scale": [1],
}
REFUSED = {
    "input_dim": [0, 2.5, True, "2", None],
    "output_dim": [0, 2.5, True, "2", None],
    "scale": [0.0, "1.0", None],
    "mode": ["sum-mean", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "input_dim": INDICES,
        "output_dim": DIM,
        "embeddings_initializer": "uniform",
        "mask_zero": False,
    }
    return ScaledEmbedding(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.integers(INDICES, size=(batch, *(axes or (STEPS,)))).astype("int32")


def reference(x, embeddings):
    """The formula, one index at a time."""
    outputs = np.zeros((*x.shape, embeddings.shape[1]))
    for position, index in np.ndenumerate(x):
        outputs[position] = embeddings[int(index)]
    return outputs


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("axes", [(1,), (STEPS,), (2, STEPS)])
    def test_equals_the_formula(self, axes):
        layer, x = make(), inputs(*axes)
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights()))

    def test_accepts_a_batch_of_single_indices(self):
        layer, x = make(), inputs()[:, 0]
        y = array(layer(x))
        assert y.shape == (BATCH, DIM)
        assert_close(y, reference(x, *layer.get_weights()))

    @pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int64", "float32"])
    def test_accepts_indices_of_any_dtype(self, dtype):
        layer, x = make(), inputs().astype(dtype)
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights()))

    def test_first_and_last_index_have_their_own_vectors(self):
        layer = make(embeddings_initializer=keras.initializers.RandomNormal())
        first, last = array(layer(np.array([0, INDICES - 1], "int32")))
        embeddings = layer.get_weights()[0]
        assert_close(first, embeddings[0])
        assert_close(last, embeddings[-1])
        assert (first != last).all()


class TestShapes:
    @pytest.mark.parametrize("shape", [(None,), (None, STEPS), (2, None, None)])
    def test_static_shape_is_correct(self, shape):
        expected = (*shape, DIM)
        assert make().compute_output_shape(shape) == expected
        assert make()(keras.KerasTensor(shape, "int32")).shape == expected
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "int32")).shape == (*real, DIM)

    def test_builds_without_a_shape(self):
        layer = make()
        layer.build()
        assert layer.built
        assert layer.embeddings.shape == (INDICES, DIM)


class TestWeights:
    def test_name_shape_and_initial_values(self):
        layer = make()
        layer.build((None, STEPS))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("embeddings", (INDICES, DIM))
        ]
        assert layer.trainable_weights == layer.weights
        embeddings = layer.get_weights()[0]
        assert len(np.unique(embeddings)) == INDICES * DIM

    def test_regularizer_adds_to_the_loss(self):
        regularizer = keras.regularizers.L2(0.1)
        layer = make(embeddings_initializer="ones", embeddings_regularizer=regularizer)
        layer(inputs())
        assert_close([array(loss) for loss in layer.losses], [0.1 * INDICES * DIM])

    def test_constraint_is_set_on_the_weight(self):
        layer = make(embeddings_constraint="non_neg")
        layer.build()
        assert isinstance(layer.embeddings.constraint, keras.constraints.NonNeg)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(ScaledEmbedding).parameters]
        layer = ScaledEmbedding(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>ScaledEmbedding"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is ScaledEmbedding
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = ScaledEmbedding()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "input_dim": np.int64(CHANGED["input_dim"]),
            "output_dim": np.int64(CHANGED["output_dim"]),
            "scale": np.float32(CHANGED["scale"]),
        }
        layer = ScaledEmbedding(**{**CHANGED, **numbers})
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
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert layer.embeddings.dtype == layer.variable_dtype
        y, embeddings = (array(ops.cast(z, "float32")) for z in (y, layer.embeddings))
        assert_close(y, reference(x, embeddings), tolerance=0.001)

    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
    def test_policy_does_not_round_float_indices(self, policy):
        layer, x = make(input_dim=2050, dtype=policy), np.array([[257, 2049]])
        assert (array(ops.equal(layer(x.astype("float32")), layer(x)))).all()

    def test_mask_zero_masks_index_zero(self):
        x = inputs()
        assert (x == 0).any()
        layer = make(mask_zero=True)
        assert layer.supports_masking
        assert (array(layer(x)._keras_mask) == (x != 0)).all()
        assert (array(layer.compute_mask(x)) == (x != 0)).all()

    def test_no_mask_without_mask_zero(self):
        layer, x = make(mask_zero=False), inputs()
        assert not layer.supports_masking
        assert layer.compute_mask(x) is None
        assert getattr(layer(x), "_keras_mask", None) is None

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x).mean(axis=1)
        model = keras.Sequential(
            [
                keras.Input((STEPS,), dtype="int32"),
                make(output_dim=8, mask_zero=True),
                keras.layers.GlobalAveragePooling1D(),
                keras.layers.Dense(1),
            ]
        )
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
            f"import keras, numpy as np, {ScaledEmbedding.__module__}\n"
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
        examples = doctest.testmod(sys.modules[ScaledEmbedding.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
