"""Tests for `MyInvertedResidual`, on any Keras backend.

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

from my_inverted_residual import MyInvertedResidual

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, CHANNELS, FILTERS = 3, 4, 6
SIZES = (5, 6)

# The first two add the inputs.
CASES = [
    {"filters": CHANNELS},
    {"filters": CHANNELS, "expansion": 1, "kernel_size": (2, 3)},
    {"filters": CHANNELS, "strides": 2},
    {"kernel_size": (3, 2)},
    {"expansion": 1, "strides": 3},
]
CASES += [{**case, "data_format": "channels_first"} for case in CASES]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_format = pytest.mark.parametrize("fmt", ["channels_last", "channels_first"])

# A value other than the default for every constructor argument.
CHANGED = {
    "filters": FILTERS,
    "expansion": 7,
    "kernel_size": (4, 5),
    "strides": 2,
    "activation": keras.activations.tanh,
    "data_format": "channels_first",
}
DEFAULTS = {
    "expansion": 6,
    "kernel_size": (3, 3),
    "strides": 1,
    "activation": keras.activations.get("relu6"),
    "data_format": "channels_last",
}
ACCEPTED = {
    "filters": [1],
    "expansion": [1],
    "strides": [1],
}
REFUSED = {
    "filters": [0, 2.5, True, "2", None],
    "expansion": [0, 2.5, True, "2", None],
    "kernel_size": [(2, 0), (2, True), (2, None), (2, 2, 2), 2.5, "22", None],
    "strides": [0, 2.5, True, "2", None],
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
    plain = {"filters": FILTERS, "expansion": 3}
    return MyInvertedResidual(**{**plain, **arguments})


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
    model = keras.Sequential(
        [keras.layers.Conv2D(1, 3, data_format=case.get("data_format"))]
    )
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


def built(**arguments):
    """The layer, built, with random weights."""
    layer = make(**arguments)
    layer.build(shape(layer.data_format))
    rng = np.random.default_rng(1)
    for weight in layer.weights:
        low = 0.5 if weight.name == "moving_variance" else -1.0
        weight.assign(rng.uniform(low, 1.5, weight.shape))
    return layer


def conv(x, kernel, strides=1, rule="bijc,ijcf->bf"):
    """Convolution with padding "same", one output position at a time."""
    sizes, kernel_size = np.array(x.shape[1:3]), np.array(kernel.shape[:2])
    output_sizes = -(-sizes // strides)
    missing = np.maximum((output_sizes - 1) * strides + kernel_size - sizes, 0)
    before, after = missing // 2, missing - missing // 2
    x = np.pad(x, [(0, 0), *zip(before, after, strict=True), (0, 0)])
    y = []
    for position in np.ndindex(*output_sizes):
        i, j = np.multiply(position, strides)
        patch = x[:, i : i + kernel_size[0], j : j + kernel_size[1]]
        y.append(np.einsum(rule, patch, kernel))
    return np.stack(y, axis=1).reshape(len(x), *output_sizes, -1)


def norm(x, gamma, beta, mean, variance, training):
    """Batch normalization, by the statistics of the batch in training."""
    if training:
        mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    return gamma * (x - mean) / np.sqrt(variance + 0.001) + beta


def relu6(x):
    return np.clip(x, 0, 6)


def reference(x, weights, case, training=False, activation=relu6):
    """The formula, with the weights in order of use."""
    inputs = x = np.moveaxis(x, 1, -1) if "data_format" in case else x
    weights = iter(weights)

    def normalized(x):
        return norm(x, *(next(weights) for _ in range(4)), training)

    if case.get("expansion") != 1:
        x = activation(normalized(conv(x, next(weights))))
    kernel, strides = next(weights), case.get("strides", 1)
    x = activation(normalized(conv(x, kernel, strides, rule="bijc,ijcm->bc")))
    x = normalized(conv(x, next(weights)))
    y = x + inputs if x.shape == inputs.shape else x
    return np.moveaxis(y, -1, 1) if "data_format" in case else y


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_case
    @pytest.mark.parametrize("training", [False, True])
    def test_equals_the_formula(self, case, training):
        skip_unless_keras_can(**case)
        layer, x = built(**case), inputs(case.get("data_format"))
        expected = reference(x, layer.get_weights(), case, training)
        assert_close(array(layer(x, training=training)), expected, tolerance=1e-4)

    @each_case
    def test_equals_the_formula_when_compiled(self, case):
        layer, x = built(**case), inputs(case.get("data_format"))
        expected = reference(x, layer.get_weights(), case)
        y = compiled(layer, x)
        assert y.shape == layer.compute_output_shape(x.shape)
        assert_close(y, expected, tolerance=1e-4)

    @pytest.mark.parametrize("name", [None, "tanh"])
    def test_activation_can_be_changed_or_none(self, name):
        layer, x = built(activation=name), inputs()
        function = np.tanh if name else lambda x: x
        expected = reference(x, layer.get_weights(), {}, activation=function)
        assert_close(array(layer(x)), expected, tolerance=1e-4)

    def test_samples_are_independent_at_inference(self):
        layer, x = built(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @each_case
    def test_static_shape_is_correct(self, case):
        skip_unless_keras_can(**case)
        layer, x = make(**case), inputs(case.get("data_format"))
        real = layer(x).shape
        assert layer.compute_output_shape(x.shape) == tuple(real)
        channel_axis = 1 if "data_format" in case else 3
        for unknown in {0, 1, 2, 3} - {channel_axis}:
            known, expected = list(x.shape), list(real)
            known[unknown] = expected[unknown] = None
            assert layer.compute_output_shape(known) == tuple(expected)
            assert layer(keras.KerasTensor(known)).shape == tuple(expected)

    @each_format
    def test_refuses_another_rank_or_other_channels(self, fmt):
        layer = make(data_format=fmt)
        with pytest.raises(ValueError, match="expected ndim=4"):
            layer(np.zeros((BATCH, 5, CHANNELS), "float32"))
        layer.build(shape(fmt))
        with pytest.raises(ValueError, match="incompatible with the layer"):
            layer(np.zeros(shape(fmt, channels=CHANNELS + 1), "float32"))
        with pytest.raises(ValueError, match="number of input channels must be known"):
            make(data_format=fmt).build(shape(fmt, channels=None))


class TestWeights:
    @pytest.mark.parametrize("expansion", [1, 3])
    def test_names_and_shapes(self, expansion):
        layer = make(expansion=expansion, kernel_size=(3, 2), name="block")
        layer.build(shape(batch=None, sizes=(None, None)))
        wide = expansion * CHANNELS
        stages = [
            ("expand", (1, 1, CHANNELS, wide), wide),
            ("depthwise", (3, 2, wide, 1), wide),
            ("project", (1, 1, wide, FILTERS), FILTERS),
        ]
        expected = {}
        for stage, kernel, channels in stages[expansion == 1 :]:
            expected[f"block/{stage}/kernel"] = kernel
            for name in ("gamma", "beta", "moving_mean", "moving_variance"):
                expected[f"block/{stage}_norm/{name}"] = (channels,)
        assert {weight.path: weight.shape for weight in layer.weights} == expected


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyInvertedResidual).parameters
        ]
        layer = MyInvertedResidual(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyInvertedResidual"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyInvertedResidual
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyInvertedResidual(filters=FILTERS)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize("name", ["kernel_size"])
    def test_one_int_is_repeated(self, name):
        value, *others = CHANGED[name]
        assert getattr(make(**{name: value}), name) == (value,) * (1 + len(others))

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "filters": np.int64(CHANGED["filters"]),
            "expansion": np.int64(CHANGED["expansion"]),
            "kernel_size": tuple(np.array(CHANGED["kernel_size"])),
            "strides": np.int64(CHANGED["strides"]),
        }
        layer = MyInvertedResidual(**{**CHANGED, **numbers})
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
        layer, x = make(dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        for part in ("expand", "depthwise", "project"):
            assert getattr(layer, part).dtype_policy == layer.dtype_policy
        for part in ("expand_norm", "depthwise_norm", "project_norm"):
            assert getattr(layer, part).dtype_policy == layer.dtype_policy
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *layer.weights))
        assert_close(y, reference(x, weights, {}), tolerance=0.1)

    def test_statistics_change_in_training_only(self):
        layer, x = make(), inputs()
        layer.build(x.shape)
        for training in (False, True):
            before = layer.get_weights()
            layer(x, training=training)
            for old, new, weight in zip(
                before, layer.get_weights(), layer.weights, strict=True
            ):
                changes = training and not weight.trainable
                assert (old != new).any() == changes

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
                make(filters=CHANNELS),
                make(expansion=1, strides=2),
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
            f"import keras, numpy as np, {MyInvertedResidual.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyInvertedResidual.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
