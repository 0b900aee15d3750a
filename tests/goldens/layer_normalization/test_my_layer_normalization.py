"""Tests for `MyLayerNormalization`, on any Keras backend.

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

from my_layer_normalization import MyLayerNormalization

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 3, 5

# A value other than the default for every constructor argument.
CHANGED = {
    "axis": [1, 2],
    "epsilon": 0.5,
    "center": False,
    "scale": False,
    "beta_initializer": keras.initializers.RandomNormal(stddev=0.5, seed=5),
    "gamma_initializer": keras.initializers.RandomNormal(stddev=0.6, seed=6),
    "beta_regularizer": keras.regularizers.L2(0.7),
    "gamma_regularizer": keras.regularizers.L2(0.8),
    "beta_constraint": keras.constraints.MaxNorm(11.0),
    "gamma_constraint": keras.constraints.MaxNorm(12.0),
}
DEFAULTS = {
    "axis": -1,
    "epsilon": 0.001,
    "center": True,
    "scale": True,
    "beta_initializer": keras.initializers.get("zeros"),
    "gamma_initializer": keras.initializers.get("ones"),
    "beta_regularizer": None,
    "gamma_regularizer": None,
    "beta_constraint": None,
    "gamma_constraint": None,
}
REFUSED = {
    "axis": [2.5, True, "2", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"beta_initializer": "random_normal", "gamma_initializer": "random_normal"}
    return MyLayerNormalization(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(1, 2, size=(batch, STEPS, DIM)).astype("float32")


def reference(x, gamma, beta, axis=-1, epsilon=0.001):
    """The formula, in float64."""
    axes = tuple(np.atleast_1d(axis) % x.ndim)
    centered = x.astype("float64") - x.mean(axes, "float64", keepdims=True)
    variance = (centered**2).mean(axes, keepdims=True)
    shape = [size if i in axes else 1 for i, size in enumerate(x.shape)]
    gamma, beta = (np.reshape(weight, shape) for weight in (gamma, beta))
    return gamma * centered / np.sqrt(variance + epsilon) + beta


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("axis", [-1, 1, [2], (1, 2), [-1, -2], [2, -2], -3])
    @pytest.mark.parametrize("epsilon", [0.001, 0.5])
    def test_equals_the_formula(self, axis, epsilon):
        layer, x = make(axis=axis, epsilon=epsilon), inputs()
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights(), axis, epsilon))

    @pytest.mark.parametrize("scale", [True, False])
    @pytest.mark.parametrize("center", [True, False])
    def test_scale_and_center_can_be_left_out(self, scale, center):
        layer, x = make(scale=scale, center=center), inputs()
        y = array(layer(x))
        assert (layer.gamma is not None, layer.beta is not None) == (scale, center)
        gamma = array(layer.gamma) if scale else np.ones(DIM)
        beta = array(layer.beta) if center else np.zeros(DIM)
        assert_close(y, reference(x, gamma, beta))

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, DIM), (None, None, DIM), (BATCH, STEPS, DIM)]
    )
    def test_static_shape_is_correct(self, shape):
        assert make().compute_output_shape(shape) == shape
        assert make()(keras.KerasTensor(shape)).shape == shape
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == real

    @pytest.mark.parametrize("axis", [3, -4, [0, 3], (-4, 1)])
    def test_refuses_an_axis_out_of_range(self, axis):
        with pytest.raises(ValueError, match="must be axes of the input"):
            make(axis=axis).compute_output_shape((BATCH, STEPS, DIM))
        with pytest.raises(ValueError, match="must be axes of the input"):
            make(axis=axis).build((BATCH, STEPS, DIM))

    def test_size_of_the_axis_must_be_known(self):
        with pytest.raises(ValueError, match="None"):
            make().build((BATCH, STEPS, None))


class TestWeights:
    @pytest.mark.parametrize(
        ("axis", "shape"), [(-1, (DIM,)), (1, (STEPS,)), ((2, 1), (STEPS, DIM))]
    )
    def test_names_shapes_and_initial_values(self, axis, shape):
        layer = make(axis=axis, gamma_initializer="ones", beta_initializer="zeros")
        layer.build((None, STEPS, DIM))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("gamma", shape),
            ("beta", shape),
        ]
        assert layer.trainable_weights == layer.weights
        gamma, beta = layer.get_weights()
        assert (gamma == 1).all()
        assert (beta == 0).all()

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
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyLayerNormalization).parameters
        ]
        layer = MyLayerNormalization(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyLayerNormalization"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyLayerNormalization
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyLayerNormalization()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "epsilon": np.float32(CHANGED["epsilon"]),
        }
        layer = MyLayerNormalization(**{**CHANGED, **numbers})
        json.dumps(layer.get_config())
        for name, value in numbers.items():
            assert np.array_equal(getattr(layer, name), value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in REFUSED.items() for value in values],
    )
    def test_refuses_bad_arguments(self, name, value):
        with pytest.raises((TypeError, ValueError), match=f"^`{name}` must be"):
            make(**{name: value})

    def test_accepts_a_config_of_the_built_in(self):
        config = MyLayerNormalization().get_config()
        left_out = {"rms_scaling": False}
        assert (
            MyLayerNormalization.from_config({**config, **left_out}).get_config()
            == config
        )

    @pytest.mark.parametrize("name", ["rms_scaling"])
    def test_refuses_unsupported_arguments(self, name):
        config = MyLayerNormalization().get_config()
        with pytest.raises(ValueError, match=f"`{name}` is not supported"):
            MyLayerNormalization.from_config({**config, name: "other"})

    @pytest.mark.parametrize("axis", [1, [2, 1], (2, 1)])
    def test_build_does_not_change_axis(self, axis):
        layer = make(axis=axis)
        layer.build((BATCH, STEPS, DIM))
        assert layer.axis == (axis if axis == 1 else [2, 1])

    def test_refuses_other_axes(self):
        with pytest.raises(TypeError, match="`axis` must be an int, or a list"):
            make(axis=[1, 2.0])


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        gamma, beta = (array(ops.cast(z, "float32")) for z in layer.trainable_weights)
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, gamma, beta), tolerance=0.05)

    def test_mixed_precision_rounds_the_output_only(self):
        layer, x = make(dtype="mixed_bfloat16"), inputs() + 1000  # bfloat16 spacing: 4.
        layer.build(x.shape)
        # The terms cancel except for digits that bfloat16 would lose.
        gamma, beta = np.full(DIM, 1 / 2**9), np.full(DIM, 1 + 1 / 2**9)
        layer.set_weights([1 + gamma, -beta])
        y = array(ops.cast(layer(x), "float32"))
        assert_close(y, reference(x, 1 + gamma, -beta), tolerance=0.02)

    def test_mixed_precision_keeps_the_weights_in_float32(self):
        x = array(ops.cast(ops.cast(inputs(), "bfloat16"), "float32"))
        layer, wide = make(dtype="mixed_bfloat16"), make()
        layer.build(x.shape)
        wide.build(x.shape)
        wide.set_weights(layer.get_weights())
        assert array(layer(x) == ops.cast(wide(x), "bfloat16")).all()

    def test_propagates_masks(self):
        model, x = keras.Sequential([keras.layers.Masking(), make()]), inputs()
        x[:, -1] = 0
        mask = array(model(x)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(gamma_initializer="ones"),
                keras.layers.Flatten(),
                keras.layers.Dense(32, activation="tanh"),
                make(gamma_initializer="ones"),
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
            f"import keras, numpy as np, {MyLayerNormalization.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyLayerNormalization.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
