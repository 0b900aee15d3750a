"""Tests for `MyCapsule`, on any Keras backend.

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

from my_capsule import MyCapsule

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, INPUTS, DIM, CAPSULES, SIZE = 5, 6, 2, 3, 4

# A value other than the default for every constructor argument.
CHANGED = {
    "num_capsules": CAPSULES,
    "dim_capsules": SIZE,
    "num_routings": 4,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.4, seed=4),
    "kernel_regularizer": keras.regularizers.L2(0.5),
    "kernel_constraint": keras.constraints.MaxNorm(8.0),
}
DEFAULTS = {
    "num_routings": 3,
    "kernel_initializer": keras.initializers.get("glorot_uniform"),
    "kernel_regularizer": None,
    "kernel_constraint": None,
}
ACCEPTED = {
    "num_capsules": [1],
    "dim_capsules": [1],
    "num_routings": [1],
}
REFUSED = {
    "num_capsules": [0, 2.5, True, "2", None],
    "dim_capsules": [0, 2.5, True, "2", None],
    "num_routings": [0, 2.5, True, "2", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "num_capsules": CAPSULES,
        "dim_capsules": SIZE,
        "kernel_initializer": keras.initializers.RandomNormal(stddev=1),
    }
    return MyCapsule(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, INPUTS, DIM)).astype("float32")


def reference(x, kernel, num_routings=3):
    """Procedure 1 of the paper, one sample at a time."""
    outputs = []
    for capsules in x:
        votes = np.einsum("id,idje->ije", capsules, kernel)
        logits = np.zeros(votes.shape[:2])
        for _ in range(num_routings):
            coupling = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            sums = np.einsum("ij,ije->je", coupling, votes)
            length = np.linalg.norm(sums, axis=1, keepdims=True)
            squashed = length**2 / (1 + length**2) * sums / length
            logits += (votes * squashed).sum(axis=2)
        outputs.append(squashed)
    return np.array(outputs)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("num_routings", [1, 2, 3, 5])
    def test_equals_the_formula(self, num_routings):
        layer, x = make(num_routings=num_routings), inputs()
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights(), num_routings))
        others = reference(x, *layer.get_weights(), num_routings + 1)
        assert (np.abs(y - others) > 1e-3).any()

    @pytest.mark.parametrize("dtype", ["bool", "float32"])
    def test_masked_capsules_are_ignored(self, dtype):
        layer, x = make(), inputs()
        layer.build(x.shape)
        mask = np.arange(INPUTS) % 3 < np.array([[3], [2], [1], [2], [1]])
        expected = [
            reference(sample[None, seen], layer.get_weights()[0][seen])[0]
            for sample, seen in zip(x, mask, strict=True)
        ]
        x[~mask] = np.nan
        y = array(layer(x, mask=ops.convert_to_tensor(mask.astype(dtype))))
        assert_close(y, expected)

    def test_gradient_at_zero_is_finite(self):
        layer, x = make(), np.zeros((BATCH, INPUTS, DIM), "float32")
        assert (array(layer(x)) == 0).all()
        model = keras.Sequential([layer])
        model.compile("sgd", "mse")
        model.fit(x, np.ones((BATCH, CAPSULES, SIZE)), verbose=0)
        assert np.isfinite(layer.get_weights()[0]).all()

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize("batch", [None, BATCH])
    def test_static_shape_is_correct(self, batch):
        shape, expected = (batch, INPUTS, DIM), (batch, CAPSULES, SIZE)
        assert make().compute_output_shape(shape) == expected
        assert make()(keras.KerasTensor(shape)).shape == expected
        assert make()(inputs()).shape == (BATCH, CAPSULES, SIZE)

    def test_refuses_other_inputs(self):
        layer, x = make(), inputs()
        with pytest.raises(ValueError, match="expected ndim=3"):
            layer(x[0])
        layer(x)
        for bad in (x[0], x[..., None], x[:, 1:], x[..., 1:]):
            with pytest.raises(ValueError, match="incompatible with the layer"):
                layer(bad)

    @pytest.mark.parametrize("shape", [(BATCH, None, DIM), (BATCH, INPUTS, None)])
    def test_refuses_unknown_sizes(self, shape):
        with pytest.raises(ValueError, match="fully-defined"):
            make()(keras.KerasTensor(shape))


class TestWeights:
    def test_name_shape_and_initial_values(self):
        layer = make(kernel_initializer="glorot_uniform")
        layer.build((None, INPUTS, DIM))
        (kernel,) = layer.trainable_weights
        assert layer.weights == [kernel]
        assert (kernel.name, kernel.shape) == ("kernel", (INPUTS, DIM, CAPSULES, SIZE))
        # Glorot and Bengio, 2010, with all axes but the last two as kernel size.
        limit = np.sqrt(6 / (INPUTS * DIM * (CAPSULES + SIZE)))
        assert 0.5 * limit < np.abs(array(kernel)).max() <= limit

    def test_regularizer_adds_to_the_loss(self):
        regularizer = keras.regularizers.L2(0.1)
        layer = make(kernel_initializer="ones", kernel_regularizer=regularizer)
        layer(inputs())
        assert_close(array(sum(layer.losses)), 0.1 * INPUTS * DIM * CAPSULES * SIZE)

    def test_constraint_is_set_on_the_weight(self):
        layer = make(kernel_constraint="non_neg")
        layer(inputs())
        assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyCapsule).parameters]
        layer = MyCapsule(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyCapsule"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyCapsule
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyCapsule(num_capsules=CAPSULES, dim_capsules=SIZE)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "num_capsules": np.int64(CHANGED["num_capsules"]),
            "dim_capsules": np.int64(CHANGED["dim_capsules"]),
            "num_routings": np.int64(CHANGED["num_routings"]),
        }
        layer = MyCapsule(**{**CHANGED, **numbers})
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
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        y, kernel = (array(ops.cast(z, "float32")) for z in (y, layer.kernel))
        assert_close(y, reference(x, kernel), tolerance=0.05)

    def test_long_votes_do_not_overflow_in_half_precision(self):
        layer, x = make(dtype="mixed_float16", num_routings=1), 500 * inputs()
        y = array(ops.cast(layer(x), "float32"))
        assert_close(y, reference(x, *layer.get_weights(), 1), tolerance=0.05)

    def test_accepts_a_mask_and_does_not_propagate_it(self):
        y = make()(keras.layers.Masking()(inputs()))
        assert getattr(y, "_keras_mask", None) is None

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(),
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
            f"import keras, numpy as np, {MyCapsule.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyCapsule.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
