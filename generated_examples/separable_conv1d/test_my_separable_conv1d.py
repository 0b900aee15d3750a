"""Tests for `MySeparableConv1D`, on any Keras backend.

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

from my_separable_conv1d import MySeparableConv1D

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, CHANNELS, MULTIPLIER, FILTERS, RANK = 2, 3, 2, 6, 1
KERNEL_SIZE = (4,)
# The last axis of the output has size FILTERS, so that a bias broadcast along it would
# fit.
SIZES = (9,)

# The options that determine which inputs each output depends on.
CASES = [
    {},
    {"strides": 2},
    {"dilation_rate": (2,)},
    {"strides": [2], "dilation_rate": (2,)},
    {"padding": "same"},
    {"padding": "SAME", "strides": (2,)},
    {"padding": "same", "dilation_rate": (3,)},
]
CASES += [{**case, "data_format": "channels_first"} for case in CASES]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_format = pytest.mark.parametrize("fmt", ["channels_last", "channels_first"])

# A value other than the default for every constructor argument.
CHANGED = {
    "filters": FILTERS,
    "kernel_size": (1,),
    "strides": (2,),
    "padding": "same",
    "data_format": "channels_first",
    "dilation_rate": (2,),
    "depth_multiplier": 2,
    "activation": keras.activations.tanh,
    "use_bias": False,
    "depthwise_initializer": keras.initializers.RandomNormal(stddev=1.0, seed=10),
    "pointwise_initializer": keras.initializers.RandomNormal(stddev=1.1, seed=11),
    "bias_initializer": keras.initializers.RandomNormal(stddev=1.2, seed=12),
    "depthwise_regularizer": keras.regularizers.L2(1.3),
    "pointwise_regularizer": keras.regularizers.L2(1.4),
    "bias_regularizer": keras.regularizers.L2(1.5),
    "activity_regularizer": keras.regularizers.L2(1.6),
    "depthwise_constraint": keras.constraints.MaxNorm(19.0),
    "pointwise_constraint": keras.constraints.MaxNorm(20.0),
    "bias_constraint": keras.constraints.MaxNorm(21.0),
}
DEFAULTS = {
    "strides": (1,),
    "padding": "valid",
    "data_format": "channels_last",
    "dilation_rate": (1,),
    "depth_multiplier": 1,
    "activation": keras.activations.get(None),
    "use_bias": True,
    "depthwise_initializer": keras.initializers.get("glorot_uniform"),
    "pointwise_initializer": keras.initializers.get("glorot_uniform"),
    "bias_initializer": keras.initializers.get("zeros"),
    "depthwise_regularizer": None,
    "pointwise_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "depthwise_constraint": None,
    "pointwise_constraint": None,
    "bias_constraint": None,
}
ACCEPTED = {
    "filters": [1],
    "depth_multiplier": [1],
}
REFUSED = {
    "filters": [0, 2.5, True, "2", None],
    "kernel_size": [(0,), (True,), (None,), (2, 2), 2.5, "2", None],
    "strides": [(0,), (True,), (None,), (2, 2), 2.5, "2", None],
    "dilation_rate": [(0,), (True,), (None,), (2, 2), 2.5, "2", None],
    "depth_multiplier": [0, 2.5, True, "2", None],
    "padding": ["causal", "full", None],
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
    plain = {
        "filters": FILTERS,
        "kernel_size": KERNEL_SIZE,
        "depth_multiplier": MULTIPLIER,
        "bias_initializer": "random_normal",
    }
    return MySeparableConv1D(**{**plain, **arguments})


def shape(data_format="channels_last", batch=BATCH, sizes=SIZES, channels=CHANNELS):
    first = data_format == "channels_first"
    return (batch, channels, *sizes) if first else (batch, *sizes, channels)


def inputs(data_format="channels_last", batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape(data_format, batch)).astype("float32")


def reference(
    x, weights, strides=1, padding="valid", dilation_rate=1, data_format=None
):
    """The formula, one output position and kernel at a time."""
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    depthwise, pointwise, bias = weights if len(weights) == 3 else (*weights, 0)
    *kernel_size, channels, multiplier = depthwise.shape
    sizes, padding = np.array(x.shape[1:-1]), padding.lower()
    spans = np.multiply(dilation_rate, np.subtract(kernel_size, 1)) + 1
    output_sizes = -(-(sizes - spans + 1 if padding == "valid" else sizes) // strides)
    missing = np.maximum((output_sizes - 1) * strides + spans - sizes, 0)
    before = 0 * spans if padding == "valid" else missing // 2
    after = missing  # Extra zeros that the kernel never reaches do no harm.
    x = np.pad(x, [(0, 0), *zip(before, after, strict=True), (0, 0)])
    y = np.zeros((len(x), *output_sizes, channels * multiplier))
    for *position, c, k in np.ndindex(*output_sizes, channels, multiplier):
        for tap in np.ndindex(*kernel_size):
            at = np.multiply(position, strides) + np.multiply(tap, dilation_rate)
            y[:, *position, c * multiplier + k] += x[:, *at, c] * depthwise[*tap, c, k]
    y = y @ pointwise.reshape(pointwise.shape[-2:]) + bias
    return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_case
    def test_equals_the_formula(self, case):
        layer, x = make(**case), inputs(case.get("data_format"))
        y = array(layer(x))
        assert_close(y, reference(x, layer.get_weights(), **case))

    def test_without_bias(self):
        layer, x = make(use_bias=False), inputs()
        y = array(layer(x))
        assert layer.bias is None
        assert_close(y, reference(x, layer.get_weights()))

    def test_activation_is_applied_last_and_can_be_removed(self):
        layer, x = make(activation="relu"), inputs()
        y = array(layer(x))
        linear = reference(x, layer.get_weights())
        assert_close(y, np.maximum(linear, 0))
        assert (linear < 0).any()
        layer.activation = None
        assert_close(array(layer(x)), linear)


class TestShapes:
    @each_case
    def test_static_shape_is_correct(self, case):
        layer, x = make(**case), inputs(case.get("data_format"))
        real = layer(x).shape
        assert layer.compute_output_shape(x.shape) == tuple(real)
        channel_axis = 1 if "data_format" in case else RANK + 1
        for unknown in set(range(RANK + 2)) - {channel_axis}:
            known, expected = list(x.shape), list(real)
            known[unknown] = expected[unknown] = None
            assert layer.compute_output_shape(known) == tuple(expected)
            assert layer(keras.KerasTensor(known)).shape == tuple(expected)

    @pytest.mark.parametrize("axis", range(RANK))
    def test_kernel_must_fit_into_the_input(self, axis):
        sizes, span = list(SIZES), 2 * (KERNEL_SIZE[axis] - 1) + 1
        layer = make(dilation_rate=2)
        sizes[axis] = span
        assert layer.compute_output_shape(shape(sizes=sizes))[axis + 1] == 1
        sizes[axis] = span - 1
        for refuses in (layer.compute_output_shape, layer.build):
            with pytest.raises(ValueError, match="smaller than the kernel"):
                refuses(shape(sizes=sizes))

    @pytest.mark.parametrize("sizes", [SIZES[1:], (*SIZES, 8)])
    def test_refuses_another_rank(self, sizes):
        for refuses in (make().compute_output_shape, make().build):
            with pytest.raises(ValueError, match=f"must have {RANK + 2} axes"):
                refuses(shape(sizes=sizes))
        built = make()
        built.build(shape())
        for layer in (make(), built):
            with pytest.raises(ValueError, match=f"expected ndim={RANK + 2}"):
                layer(keras.KerasTensor(shape(sizes=sizes)))

    @each_format
    def test_refuses_other_channels(self, fmt):
        layer = make(data_format=fmt)
        with pytest.raises(ValueError, match="must be known"):
            layer.build(shape(fmt, channels=None))
        layer.build(shape(fmt))
        with pytest.raises(ValueError, match="incompatible with the layer"):
            layer(keras.KerasTensor(shape(fmt, channels=CHANNELS + 1)))


class TestWeights:
    @each_format
    def test_names_shapes_and_initial_values(self, fmt):
        layer = make(data_format=fmt, bias_initializer="zeros")
        layer.build(shape(fmt, batch=None, sizes=[None] * RANK))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("depthwise_kernel", (*KERNEL_SIZE, CHANNELS, MULTIPLIER)),
            ("pointwise_kernel", (*(1,) * RANK, CHANNELS * MULTIPLIER, FILTERS)),
            ("bias", (FILTERS,)),
        ]
        assert layer.trainable_weights == layer.weights
        *kernels, bias = layer.get_weights()
        for kernel in kernels:
            *kernel_size, fan_in, fan_out = kernel.shape
            fans = np.prod(kernel_size) * (fan_in + fan_out)
            limit = np.sqrt(6 / fans)  # Glorot and Bengio, 2010
            assert 0.8 * limit < np.abs(kernel).max() <= limit
        assert (bias == 0).all()

    def test_regularizers_add_to_the_loss(self):
        layer = make(
            depthwise_initializer="ones",
            pointwise_initializer=keras.initializers.Constant(3.0),
            bias_initializer=keras.initializers.Constant(2.0),
            depthwise_regularizer=keras.regularizers.L2(0.1),
            pointwise_regularizer=keras.regularizers.L2(0.2),
            bias_regularizer=keras.regularizers.L1(0.5),
            activity_regularizer=keras.regularizers.L1(1.0),
        )
        layer(np.ones(shape(batch=1, sizes=KERNEL_SIZE), "float32"))
        taps, between = np.prod(KERNEL_SIZE), CHANNELS * MULTIPLIER
        expected = [
            0.1 * taps * between,
            0.2 * 3**2 * between * FILTERS,
            0.5 * 2 * FILTERS,
            (3 * taps * between + 2) * FILTERS,
        ]
        assert_close(sorted(array(loss) for loss in layer.losses), sorted(expected))

    def test_constraints_are_set_on_the_weights(self):
        layer = make(
            depthwise_constraint="non_neg",
            pointwise_constraint="unit_norm",
            bias_constraint=keras.constraints.MaxNorm(3),
        )
        layer.build(shape())
        assert isinstance(layer.depthwise_kernel.constraint, keras.constraints.NonNeg)
        assert isinstance(layer.pointwise_kernel.constraint, keras.constraints.UnitNorm)
        assert isinstance(layer.bias.constraint, keras.constraints.MaxNorm)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MySeparableConv1D).parameters
        ]
        layer = MySeparableConv1D(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MySeparableConv1D"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MySeparableConv1D
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MySeparableConv1D(filters=FILTERS, kernel_size=KERNEL_SIZE)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize("name", ["kernel_size", "strides", "dilation_rate"])
    def test_one_int_is_repeated(self, name):
        value, *others = CHANGED[name]
        assert getattr(make(**{name: value}), name) == (value,) * (1 + len(others))

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "filters": np.int64(CHANGED["filters"]),
            "kernel_size": tuple(np.array(CHANGED["kernel_size"])),
            "strides": tuple(np.array(CHANGED["strides"])),
            "dilation_rate": tuple(np.array(CHANGED["dilation_rate"])),
            "depth_multiplier": np.int64(CHANGED["depth_multiplier"]),
        }
        layer = MySeparableConv1D(**{**CHANGED, **numbers})
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
    @each_format
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy, fmt):
        case = {"data_format": fmt}
        layer, x = make(**case, dtype=policy), inputs(fmt)
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *layer.weights))
        assert_close(y, reference(x, weights, **case), tolerance=0.05)

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
                make(padding="same", activation="tanh"),
                make(strides=2, activation="relu"),
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
            f"import keras, numpy as np, {MySeparableConv1D.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MySeparableConv1D.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
