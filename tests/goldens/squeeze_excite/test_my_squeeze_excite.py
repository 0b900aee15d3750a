"""Tests for `MySqueezeExcite`, on any Keras backend.

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

from my_squeeze_excite import MySqueezeExcite

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, CHANNELS, BOTTLENECK = 3, 8, 2
SIZES = (4, 5)
each_format = pytest.mark.parametrize("fmt", ["channels_last", "channels_first"])

# A value other than the default for every constructor argument.
CHANGED = {
    "filters": CHANNELS,
    "bottleneck_filters": 2,
    "squeeze_activation": keras.activations.tanh,
    "excite_activation": keras.activations.tanh,
    "data_format": "channels_first",
}
DEFAULTS = {
    "bottleneck_filters": None,
    "squeeze_activation": keras.activations.get("relu"),
    "excite_activation": keras.activations.get("sigmoid"),
    "data_format": "channels_last",
}
ACCEPTED = {
    "filters": [1],
    "bottleneck_filters": [1],
}
REFUSED = {
    "filters": [0, 2.5, True, "2", None],
    "bottleneck_filters": [0, 2.5, True, "2"],
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
    plain = {"filters": CHANNELS}
    return MySqueezeExcite(**{**plain, **arguments})


def shape(data_format="channels_last", batch=BATCH, sizes=SIZES, channels=CHANNELS):
    first = data_format == "channels_first"
    return (batch, channels, *sizes) if first else (batch, *sizes, channels)


def inputs(data_format="channels_last", batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape(data_format, batch)).astype("float32")


def built(**arguments):
    """The layer, built, with random weights."""
    layer = make(**arguments)
    layer.build(shape(layer.data_format))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=weight.shape) for weight in layer.weights])
    return layer


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(x, weights, squeeze=relu, excite=sigmoid, data_format="channels_last"):
    """The formula, one image and channel at a time."""
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    reduce, reduce_bias, expand, expand_bias = weights
    y = np.empty(x.shape)
    for image, output in zip(x, y, strict=True):
        means = np.array([image[..., i].mean() for i in range(CHANNELS)])
        narrow = squeeze(means @ reduce + reduce_bias)
        for i, weight in enumerate(excite(narrow @ expand + expand_bias)):
            output[..., i] = image[..., i] * weight
    return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_format
    @pytest.mark.parametrize("bottleneck", [None, 1, 3])
    def test_equals_the_formula(self, fmt, bottleneck):
        layer, x = built(data_format=fmt, bottleneck_filters=bottleneck), inputs(fmt)
        expected = reference(x, layer.get_weights(), data_format=fmt)
        assert_close(array(layer(x)), expected)

    def test_activations_are_applied_to_their_layers(self):
        layer, x = built(squeeze_activation="tanh", excite_activation=None), inputs()
        expected = reference(x, layer.get_weights(), np.tanh, lambda x: x)
        assert_close(array(layer(x)), expected)

    def test_samples_are_independent(self):
        layer, x = built(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @each_format
    @pytest.mark.parametrize("unknown", [(0,), (2,), (0, 2)])
    def test_static_shape_is_correct(self, fmt, unknown):
        layer, x = make(data_format=fmt), inputs(fmt)
        assert layer(x).shape == x.shape
        known = tuple(None if i in unknown else n for i, n in enumerate(x.shape))
        assert layer.compute_output_shape(known) == known
        assert layer(keras.KerasTensor(known)).shape == known

    @each_format
    def test_refuses_another_rank_or_other_channels(self, fmt):
        for sizes, channels in [((4,), CHANNELS), (SIZES, CHANNELS + 1)]:
            x = np.zeros(shape(fmt, sizes=sizes, channels=channels), "float32")
            with pytest.raises(
                ValueError, match="'mine' is incompatible with the layer"
            ):
                make(data_format=fmt, name="mine")(x)


class TestWeights:
    @each_format
    def test_names_and_shapes(self, fmt):
        layer = make(data_format=fmt, name="se")
        layer.build(shape(fmt, batch=None, sizes=(None, None)))
        assert [(weight.path, weight.shape) for weight in layer.weights] == [
            ("se/reduce/kernel", (CHANNELS, BOTTLENECK)),
            ("se/reduce/bias", (BOTTLENECK,)),
            ("se/expand/kernel", (BOTTLENECK, CHANNELS)),
            ("se/expand/bias", (CHANNELS,)),
        ]
        assert layer.trainable_weights == layer.weights

    @pytest.mark.parametrize(
        ("filters", "bottleneck", "units"), [(9, None, 2), (3, None, 1), (3, 5, 5)]
    )
    def test_bottleneck(self, filters, bottleneck, units):
        layer = make(filters=filters, bottleneck_filters=bottleneck)
        layer.build(shape(channels=filters))
        assert layer.weights[0].shape == (filters, units)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MySqueezeExcite).parameters]
        layer = MySqueezeExcite(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MySqueezeExcite"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MySqueezeExcite
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MySqueezeExcite(filters=CHANNELS)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "filters": np.int64(CHANGED["filters"]),
            "bottleneck_filters": np.int64(CHANGED["bottleneck_filters"]),
        }
        layer = MySqueezeExcite(**{**CHANGED, **numbers})
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

    @each_format
    def test_data_format_follows_keras_config(self, fmt):
        keras.config.set_image_data_format(fmt)
        assert make().data_format == fmt
        assert make(data_format="Channels_Last").data_format == "channels_last"


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = built(dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        for one in (layer.pool, layer.reduce, layer.expand):
            assert one.dtype_policy == layer.dtype_policy
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *layer.weights))
        assert_close(y, reference(x, weights), tolerance=0.05)

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
                make(bottleneck_filters=4, squeeze_activation="tanh"),
                keras.layers.Flatten(),
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
            f"import keras, numpy as np, {MySqueezeExcite.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MySqueezeExcite.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
