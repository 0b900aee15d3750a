"""Tests for `MyNetConv`, on any Keras backend.

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

from my_net_conv import MyNetConv

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, CHANNELS, FILTERS, RANK = 2, 4, 6, 2
KERNEL_SIZE = (3, 2)
# The last axis of the output has size FILTERS, so that a bias broadcast along it would
# fit.
SIZES = (8, 7)

# The options that determine which inputs each output depends on.
CASES = [
    {},
    {"strides": [1, 3]},
    {"strides": 3},
    {"dilation_rate": (2, 3)},
    {"groups": 2},
    {"padding": "same"},
    {"padding": "SAME", "strides": (2, 3)},
    {"padding": "same", "dilation_rate": (3, 1)},
]
CASES += [{**case, "data_format": "channels_first"} for case in CASES]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_format = pytest.mark.parametrize("fmt", ["channels_last", "channels_first"])

# A value other than the default for every constructor argument.
CHANGED = {
    "filters": FILTERS,
    "kernel_size": (1, 2),
    "strides": (2, 3),
    "padding": "same",
    "data_format": "channels_first",
    "dilation_rate": (2, 3),
    "groups": 2,
    "activation": keras.activations.tanh,
    "use_bias": False,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=1.0, seed=10),
    "bias_initializer": keras.initializers.RandomNormal(stddev=1.1, seed=11),
    "kernel_regularizer": keras.regularizers.L2(1.2),
    "bias_regularizer": keras.regularizers.L2(1.3),
    "activity_regularizer": keras.regularizers.L2(1.4),
    "kernel_constraint": keras.constraints.MaxNorm(17.0),
    "bias_constraint": keras.constraints.MaxNorm(18.0),
}
# One of the two stays 1, since they cannot be combined.
each_left_out = pytest.mark.parametrize("left_out", ["strides", "dilation_rate"])
DEFAULTS = {
    "strides": (1, 1),
    "padding": "valid",
    "data_format": "channels_last",
    "dilation_rate": (1, 1),
    "groups": 1,
    "activation": keras.activations.get(None),
    "use_bias": True,
    "kernel_initializer": keras.initializers.get("glorot_uniform"),
    "bias_initializer": keras.initializers.get("zeros"),
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
}
ACCEPTED = {
    "filters": [1],
}
REFUSED = {
    "filters": [0, 2.5, True, "2", None],
    "kernel_size": [(2, 0), (2, True), (2, None), (2, 2, 2), 2.5, "22", None],
    "strides": [(2, 0), (2, True), (2, None), (2, 2, 2), 2.5, "22", None],
    "dilation_rate": [(2, 0), (2, True), (2, None), (2, 2, 2), 2.5, "22", None],
    "padding": ["causal", "full", None],
    "data_format": ["NHWC", 1],
    "groups": [0, -1, 2.5, "2", None, FILTERS - 1],
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
        "bias_initializer": "random_normal",
    }
    return MyNetConv(**{**plain, **arguments})


def shape(data_format="channels_last", batch=BATCH, sizes=SIZES, channels=CHANNELS):
    first = data_format == "channels_first"
    return (batch, channels, *sizes) if first else (batch, *sizes, channels)


def inputs(data_format="channels_last", batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape(data_format, batch)).astype("float32")


# In the errors of TensorFlow operations that need oneDNN or XLA on a CPU.
NOT_ON_THIS_CPU = ("NHWC", "NDHWC", "support dilation rates")


def skip_unless_keras_can(**case):
    """Skip a case that Keras's own layer can't compute on this machine."""
    if keras.backend.backend() != "tensorflow":
        return
    x = inputs(case.get("data_format"))
    model = keras.Sequential([keras.layers.Conv2D(FILTERS, KERNEL_SIZE, **case)])
    model.compile("sgd", "mse", run_eagerly=True)
    try:
        model.train_on_batch(x, np.zeros(model.compute_output_shape(x.shape)))
    except Exception as error:
        if not any(words in str(error) for words in NOT_ON_THIS_CPU):
            raise
        pytest.skip("TensorFlow needs oneDNN or XLA for this on a CPU")


def compiled(layer, x):
    """The predictions of a model of the layer, compiled by XLA except on Torch."""
    model = keras.Sequential([layer])
    model.compile(jit_compile=keras.backend.backend() != "torch")
    return model.predict_on_batch(x)


def reference(
    x, weights, strides=1, padding="valid", dilation_rate=1, groups=1, data_format=None
):
    """The formula, one output position and filter at a time."""
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    kernel, bias = weights if len(weights) == 2 else (*weights, np.zeros(FILTERS))
    *kernel_size, channels, filters = kernel.shape
    sizes, padding = np.array(x.shape[1:-1]), padding.lower()
    spans = np.multiply(dilation_rate, np.subtract(kernel_size, 1)) + 1
    output_sizes = -(-(sizes - spans + 1 if padding == "valid" else sizes) // strides)
    missing = np.maximum((output_sizes - 1) * strides + spans - sizes, 0)
    before = {"valid": 0 * spans, "same": missing // 2, "causal": spans - 1}[padding]
    after = missing  # Extra zeros that the kernel never reaches do no harm.
    x = np.pad(x, [(0, 0), *zip(before, after, strict=True), (0, 0)])
    y = np.zeros((len(x), *output_sizes, filters)) + bias
    for *position, f in np.ndindex(*output_sizes, filters):
        first = f // (filters // groups) * channels
        for tap in np.ndindex(*kernel_size):
            at = np.multiply(position, strides) + np.multiply(tap, dilation_rate)
            y[:, *position, f] += (
                x[:, *at, first : first + channels] @ kernel[*tap, :, f]
            )
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
        skip_unless_keras_can(**case)
        layer, x = make(**case), inputs(case.get("data_format"))
        y = array(layer(x))
        assert_close(y, reference(x, layer.get_weights(), **case))

    @each_case
    def test_equals_the_formula_when_compiled(self, case):
        layer, x = make(**case), inputs(case.get("data_format"))
        y = compiled(layer, x)
        assert y.shape == layer.compute_output_shape(x.shape)
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

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @each_case
    def test_static_shape_is_correct(self, case):
        skip_unless_keras_can(**case)
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
    @pytest.mark.parametrize("channels", [None, CHANNELS + 1])
    def test_refuses_other_channels(self, fmt, channels):
        layer = make(data_format=fmt, groups=2)
        with pytest.raises(ValueError, match="a known multiple of `groups`"):
            layer.build(shape(fmt, channels=channels))
        layer.build(shape(fmt))
        with pytest.raises(ValueError, match="incompatible with the layer"):
            layer(keras.KerasTensor(shape(fmt, channels=CHANNELS + 2)))


class TestWeights:
    @each_format
    @pytest.mark.parametrize("groups", [1, 2])
    def test_names_shapes_and_initial_values(self, fmt, groups):
        layer = make(data_format=fmt, groups=groups, bias_initializer="zeros")
        layer.build(shape(fmt, batch=None, sizes=[None] * RANK))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("kernel", (*KERNEL_SIZE, CHANNELS // groups, FILTERS)),
            ("bias", (FILTERS,)),
        ]
        assert layer.trainable_weights == layer.weights
        kernel, bias = layer.get_weights()
        fans = np.prod(KERNEL_SIZE) * (CHANNELS // groups + FILTERS)
        limit = np.sqrt(6 / fans)  # Glorot and Bengio, 2010
        assert 0.9 * limit < np.abs(kernel).max() <= limit
        assert (bias == 0).all()

    def test_regularizers_add_to_the_loss(self):
        layer = make(
            kernel_initializer="ones",
            bias_initializer=keras.initializers.Constant(2.0),
            kernel_regularizer=keras.regularizers.L2(0.1),
            bias_regularizer=keras.regularizers.L1(0.5),
            activity_regularizer=keras.regularizers.L1(1.0),
        )
        layer(np.ones(shape(batch=1, sizes=KERNEL_SIZE), "float32"))
        taps = np.prod(KERNEL_SIZE) * CHANNELS
        expected = [0.1 * taps * FILTERS, 0.5 * 2 * FILTERS, (taps + 2) * FILTERS]
        assert_close(sorted(array(loss) for loss in layer.losses), sorted(expected))

    def test_constraints_are_set_on_the_weights(self):
        layer = make(kernel_constraint="non_neg", bias_constraint="unit_norm")
        layer.build(shape())
        assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg)
        assert isinstance(layer.bias.constraint, keras.constraints.UnitNorm)


class TestConfig:
    @each_left_out
    def test_every_argument_is_stored_and_saved(self, left_out):
        changed = {name: value for name, value in CHANGED.items() if name != left_out}
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyNetConv).parameters]
        layer = MyNetConv(
            **changed, **{left_out: 1}, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyNetConv"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyNetConv
        assert twin.get_config() == layer.get_config()
        for name, value in changed.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyNetConv(filters=FILTERS, kernel_size=KERNEL_SIZE)
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
            "groups": np.int64(CHANGED["groups"]),
        }
        layer = MyNetConv(**{**CHANGED, **numbers, "dilation_rate": 1})
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

    def test_accepts_a_config_of_the_built_in(self):
        config = MyNetConv(filters=FILTERS, kernel_size=KERNEL_SIZE).get_config()
        left_out = {"lora_rank": None, "lora_alpha": None, "quantization_config": None}
        assert MyNetConv.from_config({**config, **left_out}).get_config() == config

    @pytest.mark.parametrize("name", ["lora_rank", "lora_alpha", "quantization_config"])
    def test_refuses_unsupported_arguments(self, name):
        config = MyNetConv(filters=FILTERS, kernel_size=KERNEL_SIZE).get_config()
        with pytest.raises(ValueError, match=f"`{name}` is not supported"):
            MyNetConv.from_config({**config, name: "other"})

    @each_format
    def test_data_format_follows_keras_config(self, fmt):
        keras.config.set_image_data_format(fmt)
        assert make().data_format == fmt
        assert make(data_format="Channels_Last").data_format == "channels_last"

    def test_refuses_strides_with_dilation(self):
        with pytest.raises(ValueError, match="cannot both be above 1"):
            make(strides=[1, 3], dilation_rate=(2, 3))


class TestKeras:
    @each_format
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy, fmt):
        case = {"data_format": fmt, "groups": 2}
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
                make(strides=2, groups=2),
                make(padding="same", dilation_rate=2, activation="relu"),
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
            f"import keras, numpy as np, {MyNetConv.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyNetConv.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
