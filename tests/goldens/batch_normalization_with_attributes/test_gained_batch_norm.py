"""Tests for `GainedBatchNorm`, on any Keras backend.

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

from gained_batch_norm import GainedBatchNorm

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 3, 5

# A value other than the default for every constructor argument.
CHANGED = {
    "axis": 2,
    "momentum": 0.5,
    "epsilon": 0.5,
    "center": False,
    "scale": True,
    "beta_initializer": keras.initializers.RandomNormal(stddev=0.6, seed=6),
    "gamma_initializer": keras.initializers.RandomNormal(stddev=0.7, seed=7),
    "moving_mean_initializer": keras.initializers.RandomNormal(stddev=0.8, seed=8),
    "moving_variance_initializer": keras.initializers.RandomNormal(stddev=0.9, seed=9),
    "beta_regularizer": keras.regularizers.L2(1.0),
    "gamma_regularizer": keras.regularizers.L2(1.1),
    "beta_constraint": keras.constraints.MaxNorm(14.0),
    "gamma_constraint": keras.constraints.MaxNorm(15.0),
    "gain": 0.5,
    "noise_seed": 8,
}
DEFAULTS = {
    "axis": 1,
    "momentum": 0.9,
    "epsilon": 1e-05,
    "center": True,
    "scale": False,
    "beta_initializer": keras.initializers.get("he_normal"),
    "gamma_initializer": keras.initializers.get("ones"),
    "moving_mean_initializer": keras.initializers.get("zeros"),
    "moving_variance_initializer": keras.initializers.get("ones"),
    "beta_regularizer": keras.regularizers.get("l2"),
    "gamma_regularizer": None,
    "beta_constraint": None,
    "gamma_constraint": None,
    "gain": 1.0,
    "noise_seed": 7,
}
ACCEPTED = {
    "gain": [1],
}
REFUSED = {
    "gain": [0.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "axis": -1,
        "momentum": 0.99,
        "epsilon": 0.001,
        "scale": True,
        "beta_initializer": "random_normal",
        "gamma_initializer": "random_normal",
        "moving_mean_initializer": "random_normal",
        "moving_variance_initializer": keras.initializers.RandomUniform(0.5, 2.0),
        "beta_regularizer": None,
    }
    return GainedBatchNorm(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(1, 2, size=(batch, STEPS, DIM)).astype("float32")


def statistics(x, mask=None, axis=-1):
    """The mean and variance of each channel, one at a time."""
    mask = np.ones(x.shape[:-1], bool) if mask is None else mask
    mask = np.moveaxis(np.broadcast_to(mask[..., None], x.shape), axis, 0)
    channels = np.moveaxis(x, axis, 0).astype("float64")
    seen = [channel[seen] for channel, seen in zip(channels, mask, strict=True)]
    return [np.array([f(channel) for channel in seen]) for f in (np.mean, np.var)]


def reference(x, gamma, beta, mean=None, variance=None, axis=-1, epsilon=0.001):
    """The formula, by default with the statistics of the batch."""
    if mean is None:
        mean, variance = statistics(x, axis=axis)
    x = np.moveaxis(x, axis, -1)
    y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return np.moveaxis(y, -1, axis)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("axis", [-1, 1, 2, -2, -3])
    @pytest.mark.parametrize("epsilon", [0.001, 0.5])
    @pytest.mark.parametrize("training", [True, False, None])
    def test_equals_the_formula(self, axis, epsilon, training):
        layer, x = make(axis=axis, epsilon=epsilon), inputs()
        layer.build(x.shape)
        gamma, beta, *moving = layer.get_weights()
        mean, variance = statistics(x, axis=axis) if training else moving
        y = array(layer(x, training=training))
        assert_close(y, reference(x, gamma, beta, mean, variance, axis, epsilon))

    @pytest.mark.parametrize("scale", [True, False])
    @pytest.mark.parametrize("center", [True, False])
    def test_scale_and_center_can_be_left_out(self, scale, center):
        layer, x = make(scale=scale, center=center), inputs()
        y = array(layer(x, training=True))
        assert (layer.gamma is not None, layer.beta is not None) == (scale, center)
        gamma = array(layer.gamma) if scale else np.ones(DIM)
        beta = array(layer.beta) if center else np.zeros(DIM)
        assert_close(y, reference(x, gamma, beta))

    @pytest.mark.parametrize("axis", [-1, 1])
    def test_moving_statistics_are_updated_in_training(self, axis):
        layer, x = make(axis=axis, momentum=0.8), inputs()
        layer.build(x.shape)
        old = layer.get_weights()[2:]
        layer(x, training=True)
        for before, now, after in zip(
            old, statistics(x, axis=axis), layer.get_weights()[2:], strict=True
        ):
            assert_close(after, 0.8 * before + 0.2 * now)

    @pytest.mark.parametrize("training", [False, None])
    def test_moving_statistics_are_kept_at_inference(self, training):
        layer, x = make(), inputs()
        layer.build(x.shape)
        old = layer.get_weights()
        y = layer(x, training=training)
        for before, after in zip(old, layer.get_weights(), strict=True):
            assert (before == after).all()
        assert_close(array(layer(x))[1:], array(y)[1:])

    def test_frozen_layer_runs_in_inference_mode(self):
        layer, x = make(trainable=False), inputs()
        y = array(layer(x))
        assert_close(array(layer(x, training=True)), y)
        assert_close(array(layer(x)), y)
        layer.trainable = True
        assert np.abs(array(layer(x, training=True)) - y).max() > 0.1

    @pytest.mark.parametrize("axis", [-1, 1])
    @pytest.mark.parametrize("dtype", ["bool", "float32"])
    def test_masked_values_are_excluded_from_the_statistics(self, axis, dtype):
        layer, x = make(axis=axis, momentum=0.0), inputs()
        mask = np.random.default_rng(1).random((BATCH, STEPS)) < 0.7
        y = array(
            layer(x, training=True, mask=ops.convert_to_tensor(mask.astype(dtype)))
        )
        gamma, beta, *moving = layer.get_weights()
        mean, variance = statistics(x, mask, axis)
        assert_close(moving, [mean, variance])
        assert_close(y, reference(x, gamma, beta, mean, variance, axis), tolerance=1e-4)

    def test_masked_values_may_be_nan(self):
        layer, x = make(momentum=0.0), inputs()
        mask = np.full((BATCH, STEPS), True)
        mask[0, 0] = False
        x[0, 0] = np.nan
        layer(x, training=True, mask=ops.convert_to_tensor(mask))
        assert_close(layer.get_weights()[2:], statistics(x, mask))

    def test_statistics_of_a_fully_masked_batch_are_zero(self):
        layer, mask = make(momentum=0.0), ops.zeros((BATCH, STEPS), "bool")
        layer(inputs(), training=True, mask=mask)
        assert_close(layer.get_weights()[2:], np.zeros((2, DIM)))

    def test_refuses_a_mask_of_another_rank(self):
        for shape in [(BATCH,), (BATCH, STEPS, DIM)]:
            with pytest.raises(ValueError, match="one fewer axis than the inputs"):
                make()(inputs(), mask=ops.ones(shape, "bool"))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, DIM), (None, None, DIM), (BATCH, STEPS, DIM)]
    )
    def test_static_shape_is_correct(self, shape):
        assert make().compute_output_shape(shape) == shape
        assert make()(keras.KerasTensor(shape)).shape == shape
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == real

    @pytest.mark.parametrize("axis", [3, -4])
    def test_refuses_an_axis_out_of_range(self, axis):
        with pytest.raises(ValueError, match="must be an axis of the input"):
            make(axis=axis).compute_output_shape((BATCH, STEPS, DIM))
        with pytest.raises(ValueError, match="must be an axis of the input"):
            make(axis=axis).build((BATCH, STEPS, DIM))

    def test_size_of_the_axis_must_be_known(self):
        with pytest.raises(ValueError, match="None"):
            make().build((BATCH, STEPS, None))

    @pytest.mark.parametrize("axis", [-1, 1])
    def test_refuses_another_rank_or_other_channels_once_built(self, axis):
        layer = make(axis=axis)
        layer.build((None, DIM, DIM))
        for shape in [(BATCH, DIM), (BATCH, DIM + 1, DIM + 1)]:
            with pytest.raises(ValueError, match="incompatible with the layer"):
                layer(np.zeros(shape, "float32"))


class TestWeights:
    @pytest.mark.parametrize(("axis", "size"), [(-1, DIM), (1, STEPS)])
    def test_names_shapes_and_initial_values(self, axis, size):
        layer = make(
            axis=axis,
            gamma_initializer="ones",
            beta_initializer="zeros",
            moving_mean_initializer="zeros",
            moving_variance_initializer="ones",
        )
        layer.build((None, STEPS, DIM))
        names = ["gamma", "beta", "moving_mean", "moving_variance"]
        assert [weight.name for weight in layer.weights] == names
        assert layer.trainable_weights == layer.weights[:2]
        for weight, value in zip(layer.get_weights(), [1, 0, 0, 1], strict=True):
            assert weight.shape == (size,)
            assert (weight == value).all()

    def test_regularizers_add_to_the_loss(self):
        layer = make(
            gamma_initializer=keras.initializers.Constant(3.0),
            beta_initializer=keras.initializers.Constant(2.0),
            gamma_regularizer=keras.regularizers.L2(0.1),
            beta_regularizer=keras.regularizers.L1(0.5),
        )
        layer.build((BATCH, STEPS, DIM))
        expected = [0.1 * 3**2 * DIM, 0.5 * 2 * DIM]
        assert_close([array(loss) for loss in layer.losses], expected)

    def test_constraints_are_set_on_the_weights(self):
        layer = make(gamma_constraint="non_neg", beta_constraint="unit_norm")
        layer.build((BATCH, STEPS, DIM))
        assert isinstance(layer.gamma.constraint, keras.constraints.NonNeg)
        assert isinstance(layer.beta.constraint, keras.constraints.UnitNorm)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(GainedBatchNorm).parameters]
        layer = GainedBatchNorm(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>GainedBatchNorm"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is GainedBatchNorm
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = GainedBatchNorm()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "axis": np.int64(CHANGED["axis"]),
            "momentum": np.float32(CHANGED["momentum"]),
            "epsilon": np.float32(CHANGED["epsilon"]),
            "gain": np.float32(CHANGED["gain"]),
        }
        layer = GainedBatchNorm(**{**CHANGED, **numbers})
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

    def test_numbers_are_stored_as_plain_ones(self):
        layer = make(axis=np.int64(1), momentum=1, epsilon=np.float32(0.5))
        kept = [layer.axis, layer.momentum, layer.epsilon]
        assert [*map(type, kept)] == [int, float, float]
        for name in ("axis", "momentum", "epsilon"):
            with pytest.raises(TypeError):
                make(**{name: [1, 2]})


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy), inputs()
        y = layer(x, training=True)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        gamma, beta = (array(ops.cast(z, "float32")) for z in layer.trainable_weights)
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, gamma, beta), tolerance=0.05)

    def test_mixed_precision_keeps_the_weights_in_float32(self):
        x = array(ops.cast(ops.cast(inputs(), "bfloat16"), "float32"))
        layer, wide = make(dtype="mixed_bfloat16", momentum=0.8), make(momentum=0.8)
        layer.build(x.shape)
        wide.build(x.shape)
        wide.set_weights(layer.get_weights())
        for training in (False, True):
            expected = ops.cast(wide(x, training=training), "bfloat16")
            assert array(layer(x, training=training) == expected).all()
        for one, other in zip(layer.get_weights(), wide.get_weights(), strict=True):
            assert_close(one, other)

    def test_mixed_precision_rounds_the_output_only(self):
        layer, x = make(dtype="mixed_float16", momentum=0.0), inputs() * 1000
        y = layer(x, training=True)  # The squares would be infinite in float16.
        gamma, beta, *moving = layer.get_weights()
        np.testing.assert_allclose(moving, statistics(x), rtol=0.01, atol=1)
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, gamma, beta), tolerance=0.01)

    def test_propagates_masks(self):
        model, x = keras.Sequential([keras.layers.Masking(), make()]), inputs()
        x[:, -1] = 0
        mask = array(model(x)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_uses_the_mask_of_a_masking_layer(self):
        layer, x = make(momentum=0.0), inputs()
        x[:, -1] = 0
        keras.Sequential([keras.layers.Masking(), layer])(x, training=True)
        assert_close(layer.get_weights()[2:], statistics(x[:, :-1]))

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(gamma_initializer="ones", momentum=0.8),
                keras.layers.Flatten(),
                keras.layers.Dense(32, activation="tanh"),
                make(gamma_initializer="ones", momentum=0.8),
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
            f"import keras, numpy as np, {GainedBatchNorm.__module__}\n"
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
        examples = doctest.testmod(sys.modules[GainedBatchNorm.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
