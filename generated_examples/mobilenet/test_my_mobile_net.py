"""Tests for `MyMobileNet`, on any Keras backend.

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

from my_mobile_net import InvertedResidual, MyMobileNet

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, SIZES, CHANNELS, OUTPUTS = 4, (9, 8), 2, 3
# The first block does not expand; the third one keeps the shape of its inputs.
FILTERS, BLOCKS, STRIDES, EXPANSIONS, TOP = (8, 16), (1, 2), (1, 2), (1, 2), 24
each_format = pytest.mark.parametrize("fmt", ["channels_last", "channels_first"])

# A value other than the default for every constructor argument.
CHANGED = {
    "num_classes": 2,
    "alpha": 0.5,
    "filters": (8, 9),
    "num_blocks": (2, 1),
    "strides": (2, 1),
    "expansions": (1, 2),
    "stem_filters": 33,
    "top_filters": 1281,
    "activation": keras.activations.tanh,
    "data_format": "channels_first",
}
DEFAULTS = {
    "alpha": 1.0,
    "filters": (16, 24, 32, 64, 96, 160, 320),
    "num_blocks": (1, 2, 3, 4, 3, 3, 1),
    "strides": (1, 2, 2, 2, 1, 2, 1),
    "expansions": (1, 6, 6, 6, 6, 6, 6),
    "stem_filters": 32,
    "top_filters": 1280,
    "activation": keras.activations.get("relu6"),
    "data_format": "channels_last",
}
ACCEPTED = {
    "num_classes": [1],
    "alpha": [1],
    "stem_filters": [1],
    "top_filters": [1],
}
REFUSED = {
    "num_classes": [0, 2.5, True, "2", None],
    "alpha": [0.0, "1.0", None],
    "num_blocks": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "strides": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "expansions": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "stem_filters": [0, 2.5, True, "2", None],
    "top_filters": [0, 2.5, True, "2", None],
    "filters": [(), (2, 0), (2, 2.5), (2, None), 2.5, "22", None],
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
        "num_classes": OUTPUTS,
        "alpha": 1.0,
        "filters": FILTERS,
        "num_blocks": BLOCKS,
        "strides": STRIDES,
        "expansions": EXPANSIONS,
        "stem_filters": 8,
        "top_filters": TOP,
        "activation": "relu6",
    }
    return MyMobileNet(**{**plain, **arguments})


def shape(data_format="channels_last", batch=BATCH, sizes=SIZES, channels=CHANNELS):
    first = data_format == "channels_first"
    return (batch, channels, *sizes) if first else (batch, *sizes, channels)


def inputs(data_format="channels_last", batch=BATCH):
    """Return the same images in either data format."""
    images = np.random.default_rng(0).normal(size=shape(batch=batch)).astype("float32")
    return np.moveaxis(images, -1, 1) if data_format == "channels_first" else images


def randomise(model):
    """Set every weight to random values, so that mixing up two weights shows."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        low = 0.5 if weight.name == "moving_variance" else -0.7
        weight.assign(rng.uniform(low, 1.0, weight.shape))


def by_path(model):
    """The values of all weights by their paths within the model."""
    inside = f"{model.name}/"
    return {
        weight.path.removeprefix(inside): array(ops.cast(weight, "float32"))
        for weight in model.weights
    }


def of(layer, weights):
    """The weights of one layer, in order."""
    return [
        value for path, value in weights.items() if path.rpartition("/")[0] == layer
    ]


# In the errors of TensorFlow operations that need oneDNN or XLA on a CPU.
NOT_ON_THIS_CPU = ("NHWC", "NDHWC", "support dilation rates")


def skip_unless_keras_can(**case):
    """Skip a case that Keras's own layer can't compute on this machine."""
    if keras.backend.backend() != "tensorflow":
        return
    x = inputs(case.get("data_format"))
    model = keras.Sequential(
        [keras.layers.Conv2D(1, 3, data_format=case["data_format"])]
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


def built(data_format="channels_last", **arguments):
    """Return a built model with random weights."""
    model = make(data_format=data_format, **arguments)
    model.build(shape(data_format, batch=None))
    randomise(model)
    return model


def windows(x, size, strides=1):
    """The window at each output position, with padding "same"."""
    sizes, size = np.array(x.shape[1:3]), np.array(size)
    output_sizes = -(-sizes // strides)
    missing = np.maximum((output_sizes - 1) * strides + size - sizes, 0)
    before, after = missing // 2, missing - missing // 2
    padding = [(0, 0), *zip(before, after, strict=True), (0, 0)]
    x = np.pad(x, padding)
    found = []
    for position in np.ndindex(*output_sizes):
        i, j = np.multiply(position, strides)
        found.append(x[:, i : i + size[0], j : j + size[1]])
    return np.stack(found, axis=1).reshape(len(x), *output_sizes, *size, -1)


def conv(x, kernel, strides=1):
    """Convolution without a bias."""
    patches = windows(x, kernel.shape[:2], strides)
    return np.einsum("bhwijc,ijcf->bhwf", patches, kernel)


def depthwise_conv(x, kernel, strides=1):
    """Depthwise convolution without a bias."""
    return np.einsum("bhwijc,ijcm->bhwc", windows(x, kernel.shape[:2], strides), kernel)


def batch_norm(x, gamma, beta, mean, variance, training=False):
    """Batch normalization, by the statistics of the batch in training."""
    if training:
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
    return gamma * (x - mean) / np.sqrt(variance + 0.001) + beta


def relu6(x):
    return np.clip(x, 0, 6)


def reference(x, weights, activation=relu6, training=False):
    """Compute the outputs, given the weights by path and channels-last inputs."""

    def normed(x, name, strides=1, rule=conv):
        x = rule(x, *of(name, weights), strides)
        return batch_norm(x, *of(f"{name}_norm", weights), training)

    x = activation(normed(x, "stem", strides=2))
    for stage, depth in enumerate(BLOCKS):
        for number in range(depth):
            block = f"stage_{stage}_block_{number}"
            strides = STRIDES[stage] if number == 0 else 1
            y = x
            if EXPANSIONS[stage] > 1:
                y = activation(normed(y, f"{block}/expand"))
            y = normed(y, f"{block}/depthwise", strides, rule=depthwise_conv)
            y = normed(activation(y), f"{block}/project")
            x = x + y if x.shape == y.shape else y
    x = activation(normed(x, "top"))
    return x.mean(axis=(1, 2)) @ weights["head/kernel"] + weights["head/bias"]


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_format
    @pytest.mark.parametrize("training", [False, True])
    def test_equals_the_formula(self, fmt, training):
        skip_unless_keras_can(data_format=fmt)
        model, x = built(fmt), inputs(fmt)
        expected = reference(inputs(), by_path(model), training=training)
        assert_close(array(model(x, training=training)), expected, tolerance=1e-4)

    @each_format
    def test_equals_the_formula_when_compiled(self, fmt):
        model, x = built(fmt), inputs(fmt)
        expected = reference(inputs(), by_path(model))
        assert_close(compiled(model, x), expected, tolerance=1e-4)

    def test_activation_can_be_another_one_or_none(self):
        for name, function in {"tanh": np.tanh, None: lambda x: x}.items():
            model, x = built(activation=name), inputs()
            expected = reference(x, by_path(model), activation=function)
            assert_close(array(model(x)), expected, tolerance=1e-4)

    def test_samples_are_independent_at_inference(self):
        model, x = built(), inputs()
        assert_close(array(model(x))[1:], array(model(x[1:])), tolerance=1e-4)


class TestShapes:
    @each_format
    def test_static_shape_is_correct(self, fmt):
        skip_unless_keras_can(data_format=fmt)
        model, x = built(fmt), inputs(fmt)
        real = (None, *model(x).shape[1:])
        assert model.compute_output_shape((None, *x.shape[1:])) == real
        assert model(keras.KerasTensor((None, *x.shape[1:]))).shape == real

    @each_format
    def test_takes_images_of_any_size(self, fmt):
        skip_unless_keras_can(data_format=fmt)
        model = make(data_format=fmt)
        model.build(shape(fmt, batch=None, sizes=(None, None)))
        smaller = np.ones(shape(fmt, sizes=[size - 1 for size in SIZES]), "float32")
        assert model(smaller).shape == model(inputs(fmt)).shape

    @each_format
    @pytest.mark.parametrize("strides", [1, 2])
    def test_static_shape_of_a_block(self, fmt, strides):
        skip_unless_keras_can(data_format=fmt)
        block = InvertedResidual(6, strides=strides, data_format=fmt)
        x = inputs(fmt)
        assert block.compute_output_shape(x.shape) == tuple(block(x).shape)


class TestWeights:
    def test_paths_and_shapes(self):
        kernels = {
            "stem": (3, 3, CHANNELS, 8),
            "stage_0_block_0/depthwise": (3, 3, 8, 1),
            "stage_0_block_0/project": (1, 1, 8, 8),
            "stage_1_block_0/expand": (1, 1, 8, 16),
            "stage_1_block_0/depthwise": (3, 3, 16, 1),
            "stage_1_block_0/project": (1, 1, 16, 16),
            "stage_1_block_1/expand": (1, 1, 16, 32),
            "stage_1_block_1/depthwise": (3, 3, 32, 1),
            "stage_1_block_1/project": (1, 1, 32, 16),
            "top": (1, 1, 16, TOP),
        }
        expected = {}
        for name, kernel_shape in kernels.items():
            expected[f"{name}/kernel"] = kernel_shape
            channels = kernel_shape[2] if "depthwise" in name else kernel_shape[3]
            for part in ("gamma", "beta", "moving_mean", "moving_variance"):
                expected[f"{name}_norm/{part}"] = (channels,)
        expected["head/kernel"] = (TOP, OUTPUTS)
        expected["head/bias"] = (OUTPUTS,)
        model = built()
        weights = by_path(model)
        assert [(path, value.shape) for path, value in weights.items()] == [
            *expected.items()
        ]
        for name in ["stem_activation", "top_activation", "global_pool"]:
            assert model.get_layer(name).name == name

    @pytest.mark.parametrize(
        ("alpha", "stem", "first", "second", "top"),
        [(0.5, 8, 8, 16, 128), (0.75, 16, 8, 24, 128), (1.4, 24, 16, 48, 176)],
    )
    def test_alpha_multiplies_channels(self, alpha, stem, first, second, top):
        model = make(alpha=alpha, stem_filters=16, filters=(10, 33), top_filters=128)
        model.build(shape(batch=None))
        shapes = {path: value.shape for path, value in by_path(model).items()}
        assert shapes["stem/kernel"][-1] == stem
        assert shapes["stage_0_block_0/project/kernel"][-1] == first
        assert shapes["stage_1_block_0/project/kernel"][-1] == second
        assert shapes["top/kernel"][-1] == top
        assert model.compute_output_shape(shape())[-1] == OUTPUTS


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyMobileNet).parameters]
        layer = MyMobileNet(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyMobileNet"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyMobileNet
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyMobileNet(num_classes=OUTPUTS)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

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

    @pytest.mark.parametrize("name", ["num_blocks", "strides", "expansions"])
    def test_stage_arguments_must_have_the_same_length(self, name):
        with pytest.raises(ValueError, match=f"`{name}` must be as long as `filters`"):
            make(**{name: (1,)})

    def test_a_block_comes_back_from_its_config(self):
        block = InvertedResidual(
            6, expansion=2, strides=2, activation="tanh", data_format="channels_first"
        )
        twin = InvertedResidual.from_config(block.get_config())
        assert (twin.filters, twin.expansion, twin.strides) == (6, 2, 2)
        assert twin.activation is keras.activations.tanh
        twin.build((None, 3, 8, 8))
        assert twin.data_format == twin.project.data_format == "channels_first"

    @each_format
    def test_data_format_follows_keras_config(self, fmt):
        keras.config.set_image_data_format(fmt)
        assert make().data_format == fmt
        assert make(data_format="Channels_Last").data_format == "channels_last"


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(dtype=policy), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        layers = model.layers
        assert {layer.dtype_policy.name for layer in layers} == {policy}
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, by_path(model)), tolerance=0.05)

    def test_statistics_change_in_training_only(self):
        model, x = built(), inputs()
        for training in (False, True):
            before = by_path(model)
            model(x, training=training)
            moved = {
                path
                for path, new in by_path(model).items()
                if (new != before[path]).any()
            }
            assert moved == {path for path in before if training and "/moving_" in path}

    def test_statistics_move_with_momentum(self):
        model, x = built(), inputs()
        states = [by_path(model)]
        for _ in range(2):
            model(x, training=True)
            states.append(by_path(model))
        for path in (path for path in states[0] if "/moving_" in path):
            # Both updates mix in the same value, so the steps shrink by the momentum.
            first, second, third = (state[path] for state in states)
            assert_close(third - second, 0.9 * (second - first))

    def test_compiles_for_training(self):
        model, x = make(), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        labels = np.arange(len(x), dtype="int32") % OUTPUTS
        logits = array(model(x))
        probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        results = model.evaluate(x, labels, return_dict=True, verbose=0)
        assert_close(results["loss"], -np.log(probs[np.arange(len(x)), labels]).mean())
        assert_close(results["accuracy"], (logits.argmax(axis=-1) == labels).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = (x.sum(axis=tuple(range(1, x.ndim))) > 0).astype("int32")

        model = make()
        model.build((None, *x.shape[1:]))

        model.compile_for_training(learning_rate=0.02)

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
            f"import keras, numpy as np, {MyMobileNet.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyMobileNet.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
