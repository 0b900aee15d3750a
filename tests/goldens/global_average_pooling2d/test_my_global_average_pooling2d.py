"""Tests for `MyGlobalAveragePooling2D`, on any Keras backend.

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

from my_global_average_pooling2d import MyGlobalAveragePooling2D

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, CHANNELS, RANK = 2, 3, 2
SIZES = (5, 4)

each_format = pytest.mark.parametrize("fmt", ["channels_last", "channels_first"])
each_keepdims = pytest.mark.parametrize("keepdims", [False, True])

# A value other than the default for every constructor argument.
CHANGED = {
    "data_format": "channels_first",
    "keepdims": True,
}
DEFAULTS = {
    "data_format": "channels_last",
    "keepdims": False,
}
REFUSED = {
    "data_format": ["NHWC", 1],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed and the same default data format."""
    data_format = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_image_data_format(data_format)


def make(**arguments):
    return MyGlobalAveragePooling2D(**arguments)


def shape(data_format="channels_last", batch=BATCH, sizes=SIZES, channels=CHANNELS):
    first = data_format == "channels_first"
    return (batch, channels, *sizes) if first else (batch, *sizes, channels)


def inputs(data_format="channels_last", batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape(data_format, batch)).astype("float32")


def reference(x, keepdims=False, data_format=None):
    """The formula, one channel at a time."""
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    y = np.array([[sample[..., c].mean() for c in range(CHANNELS)] for sample in x])
    return y.reshape(shape(data_format, len(x), (1,) * RANK)) if keepdims else y


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_format
    @each_keepdims
    def test_equals_the_formula(self, fmt, keepdims):
        x, case = inputs(fmt), {"data_format": fmt, "keepdims": keepdims}
        assert_close(array(make(**case)(x)), reference(x, **case))


class TestShapes:
    @each_format
    @each_keepdims
    def test_static_shape_is_correct(self, fmt, keepdims):
        layer, x = make(data_format=fmt, keepdims=keepdims), inputs(fmt)
        channel_axis = 1 if fmt == "channels_first" else RANK + 1
        for unknown in range(RANK + 2):
            known = [None if axis == unknown else n for axis, n in enumerate(x.shape)]
            batch, channels = known[0], known[channel_axis]
            expected = (batch, channels)
            if keepdims:
                expected = shape(fmt, batch, (1,) * RANK, channels)
            assert layer.compute_output_shape(tuple(known)) == expected
            assert layer(keras.KerasTensor(known)).shape == expected

    @pytest.mark.parametrize("sizes", [SIZES[1:], (*SIZES, 8)])
    def test_refuses_another_rank(self, sizes):
        with pytest.raises(ValueError, match=f"expected ndim={RANK + 2}"):
            make()(np.zeros(shape(sizes=sizes), "float32"))


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyGlobalAveragePooling2D).parameters
        ]
        layer = MyGlobalAveragePooling2D(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyGlobalAveragePooling2D"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyGlobalAveragePooling2D
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyGlobalAveragePooling2D()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in REFUSED.items() for value in values],
    )
    def test_refuses_bad_arguments(self, name, value):
        with pytest.raises(ValueError, match=f"^`{name}` must be"):
            make(**{name: value})

    @each_format
    def test_data_format_follows_keras_config(self, fmt):
        keras.config.set_image_data_format(fmt)
        assert make().data_format == fmt
        assert make(data_format="Channels_Last").data_format == "channels_last"


class TestKeras:
    @each_format
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy, fmt):
        layer, x = make(data_format=fmt, dtype=policy), inputs(fmt)
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, data_format=fmt), tolerance=0.02)

    def test_drops_masks_with_a_warning(self):
        model = keras.Sequential([keras.layers.Masking(), make()])
        with pytest.warns(UserWarning, match="does not support masking"):
            y = model(inputs())
        assert getattr(y, "_keras_mask", None) is None

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = reference(x).sum(axis=-1)
        model = keras.Sequential(
            [
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
            f"import keras, numpy as np, {MyGlobalAveragePooling2D.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyGlobalAveragePooling2D.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
