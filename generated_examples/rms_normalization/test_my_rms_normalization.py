"""Tests for `MyRMSNormalization`, on any Keras backend.

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

from my_rms_normalization import MyRMSNormalization

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 3, 5

# A value other than the default for every constructor argument.
CHANGED = {
    "axis": [1, 2],
    "epsilon": 0.5,
}
DEFAULTS = {
    "axis": -1,
    "epsilon": 1e-06,
}
REFUSED = {
    "axis": [2.5, True, "2", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    return MyRMSNormalization(**arguments)


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(1, 2, size=(batch, STEPS, DIM)).astype("float32")


def built(x, **arguments):
    """The layer, built, with a random scale."""
    layer = make(**arguments)
    layer.build(x.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    return layer


def reference(x, scale, axis=-1, epsilon=1e-6):
    """The formula, in float64."""
    axes = tuple(np.atleast_1d(axis) % x.ndim)
    x = x.astype("float64")
    root = np.sqrt((x**2).mean(axes, keepdims=True) + epsilon)
    shape = [size if i in axes else 1 for i, size in enumerate(x.shape)]
    return np.reshape(scale, shape) * x / root


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("axis", [-1, 1, [2], (1, 2), [-1, -2], [2, -2], -3])
    @pytest.mark.parametrize("epsilon", [1e-6, 0.5])
    def test_equals_the_formula(self, axis, epsilon):
        x = inputs()
        layer = built(x, axis=axis, epsilon=epsilon)
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights(), axis, epsilon))

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
    def test_name_shape_and_initial_values(self, axis, shape):
        layer = make(axis=axis)
        layer.build((None, STEPS, DIM))
        assert layer.weights == layer.trainable_weights == [layer.scale]
        assert (layer.scale.name, layer.scale.shape) == ("scale", shape)
        assert (array(layer.scale) == 1).all()


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyRMSNormalization).parameters
        ]
        layer = MyRMSNormalization(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyRMSNormalization"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyRMSNormalization
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyRMSNormalization()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "epsilon": np.float32(CHANGED["epsilon"]),
        }
        layer = MyRMSNormalization(**{**CHANGED, **numbers})
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
        x = inputs() * 1000  # The squares would be infinite in float16.
        layer = built(x, dtype=policy)
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert layer.scale.dtype == layer.variable_dtype
        y, scale = (array(ops.cast(z, "float32")) for z in (y, layer.scale))
        assert_close(y, reference(x, scale), tolerance=0.05)

    def test_drops_masks_with_a_warning(self):
        model = keras.Sequential([keras.layers.Masking(), make()])
        with pytest.warns(UserWarning, match="does not support masking"):
            y = model(inputs())
        assert getattr(y, "_keras_mask", None) is None

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(),
                keras.layers.Flatten(),
                keras.layers.Dense(32, activation="tanh"),
                make(),
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
            f"import keras, numpy as np, {MyRMSNormalization.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyRMSNormalization.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
