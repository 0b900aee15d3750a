"""Tests for `MyUNet`, on any Keras backend.

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

from my_u_net import DoubleConv, MyUNet

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, IMAGE, FILTERS, OUTPUTS = 4, (8, 4, 2), (3, 4, 5), 3

# A value other than the default for every constructor argument.
CHANGED = {
    "num_classes": 2,
    "filters": (5, 6),
    "activation": keras.activations.tanh,
    "dropout": 0.5,
}
DEFAULTS = {
    "filters": (64, 128, 256, 512, 1024),
    "activation": keras.activations.get("relu"),
    "dropout": 0.0,
}
ACCEPTED = {
    "num_classes": [1],
    "dropout": [0.0, 0],
    "filters": [(1,)],
}
REFUSED = {
    "num_classes": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 1.0, "1.0", None],
    "filters": [(), (2, 0), (2, 2.5), (2, None), 2.5, "22", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "num_classes": OUTPUTS,
        "filters": FILTERS,
        "activation": "relu",
        "dropout": 0.0,
    }
    return MyUNet(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *IMAGE)).astype("float32")


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


def windows(x, size, strides=1, fill=0.0):
    """The window at each output position, with padding "same"."""
    sizes, size = np.array(x.shape[1:3]), np.array(size)
    output_sizes = -(-sizes // strides)
    missing = np.maximum((output_sizes - 1) * strides + size - sizes, 0)
    before, after = missing // 2, missing - missing // 2
    padding = [(0, 0), *zip(before, after, strict=True), (0, 0)]
    x = np.pad(x, padding, constant_values=fill)
    found = []
    for position in np.ndindex(*output_sizes):
        i, j = np.multiply(position, strides)
        found.append(x[:, i : i + size[0], j : j + size[1]])
    return np.stack(found, axis=1).reshape(len(x), *output_sizes, *size, -1)


def conv(x, kernel):
    """Convolution without a bias."""
    patches = windows(x, kernel.shape[:2])
    return np.einsum("bhwijc,ijcf->bhwf", patches, kernel)


def max_pool(x, size, strides):
    """The largest value of each window."""
    return windows(x, size, strides, fill=-np.inf).max(axis=(3, 4))


def batch_norm(x, gamma, beta, mean, variance, training=False):
    """Batch normalization, by the statistics of the batch in training."""
    if training:
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
    return gamma * (x - mean) / np.sqrt(variance + 0.001) + beta


def enlarge(x, kernel, bias):
    """Compute a transposed convolution: each pixel becomes 2x2 pixels."""
    outputs = np.zeros((len(x), 2 * x.shape[1], 2 * x.shape[2], len(bias))) + bias
    for i, j in np.ndindex(2, 2):
        outputs[:, i::2, j::2] += x @ kernel[i, j].T
    return outputs


def reference(x, weights, training=False, activation=lambda x: np.maximum(x, 0)):
    """Compute the outputs, given the weights by path."""

    def double_conv(block, x):
        for i in (1, 2):
            (kernel,) = of(f"{block}/conv{i}", weights)
            norm = of(f"{block}/norm{i}", weights)
            x = activation(batch_norm(conv(x, kernel), *norm, training))
        return x

    down_0 = double_conv("down_0", x)
    down_1 = double_conv("down_1", max_pool(down_0, (2, 2), 2))
    x = double_conv("bottom", max_pool(down_1, (2, 2), 2))
    x = np.concatenate([down_1, enlarge(x, *of("enlarge_1", weights))], axis=-1)
    x = double_conv("up_1", x)
    x = np.concatenate([down_0, enlarge(x, *of("enlarge_0", weights))], axis=-1)
    kernel, bias = of("head", weights)
    return conv(double_conv("up_0", x), kernel) + bias


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("training", [False, True])
    def test_equals_the_formula(self, training):
        model, x = make(name="mine"), inputs()
        model.build((None, *x.shape[1:]))
        randomise(model)
        expected = reference(x, by_path(model), training)
        assert_close(array(model(x, training=training)), expected, tolerance=1e-3)

    def test_activation_of_all_convolutions_but_the_last(self):
        model, x = make(activation="tanh", name="mine"), inputs()
        model.build((None, *x.shape[1:]))
        randomise(model)
        expected = reference(x, by_path(model), activation=np.tanh)
        assert_close(array(model(x)), expected, tolerance=1e-4)

    def test_statistics_change_in_training_only(self):
        model, x = make(name="mine"), inputs()
        model.build((None, *x.shape[1:]))
        before = by_path(model)
        model(x, training=False)
        for name, value in by_path(model).items():
            assert (value == before[name]).all()
        model(x, training=True)
        for name, value in by_path(model).items():
            assert (value != before[name]).any() == ("moving" in name)

    def test_drops_at_the_lowest_level_in_training_only(self):
        model, x = make(dropout=0.25, filters=(3, 40)), inputs()
        model.build((None, *x.shape[1:]))
        assert model.get_layer("dropout").rate == 0.25
        first, second = (array(model(x, training=True)) for _ in range(2))
        assert (first != second).any()
        assert (array(model(x, training=False)) == array(model(x))).all()

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    def test_static_shape_is_correct(self):
        model, x = make(), inputs()
        real = model(x).shape
        assert model.compute_output_shape((None, *x.shape[1:])) == (None, *real[1:])
        assert make()(keras.KerasTensor((None, *x.shape[1:]))).shape == (
            None,
            *real[1:],
        )

    def test_channels_are_last_whatever_the_default(self):
        x = inputs()
        expected = make()(x).shape
        keras.config.set_image_data_format("channels_first")
        try:
            assert make()(x).shape == expected
        finally:
            keras.config.set_image_data_format("channels_last")

    @pytest.mark.parametrize("side", [0, 1])
    def test_refuses_sizes_that_cannot_be_halved(self, side):
        image = [*IMAGE]
        image[side] += 2
        with pytest.raises(ValueError, match="must be multiples of"):
            make().build((None, *image))

    def test_takes_images_of_any_size(self):
        model = make()
        model.build((None, None, None, IMAGE[-1]))
        assert model(np.ones((2, 16, 12, 2), "float32")).shape == (2, 16, 12, OUTPUTS)


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(filters=(3, 4), name="mine")
        model.build((None, *IMAGE))
        channels = {
            "down_0": (IMAGE[-1], 3),
            "bottom": (3, 4),
            "up_0": (3 + 3, 3),
        }
        expected = {
            "enlarge_0/kernel": (2, 2, 3, 4),
            "enlarge_0/bias": (3,),
            "head/kernel": (1, 1, 3, OUTPUTS),
            "head/bias": (OUTPUTS,),
        }
        for block, (before, after) in channels.items():
            expected[f"{block}/conv1/kernel"] = (3, 3, before, after)
            expected[f"{block}/conv2/kernel"] = (3, 3, after, after)
            for norm in ("norm1", "norm2"):
                for name in ("gamma", "beta", "moving_mean", "moving_variance"):
                    expected[f"{block}/{norm}/{name}"] = (after,)
        weights = by_path(model)
        assert {name: value.shape for name, value in weights.items()} == expected
        trained = {
            weight.path.removeprefix("mine/") for weight in model.trainable_weights
        }
        assert trained == {name for name in expected if "moving" not in name}

    def test_kernels_are_he_normal(self):
        model = make(filters=(64,), name="mine")
        model.build((None, *IMAGE))
        kernel = by_path(model)["bottom/conv2/kernel"]
        assert abs(kernel.std() - np.sqrt(2 / (9 * 64))) < 0.002


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyUNet).parameters]
        layer = MyUNet(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyUNet"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyUNet
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyUNet(num_classes=OUTPUTS)
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

    def test_a_double_convolution_comes_back_from_its_config(self):
        layer = DoubleConv(3, "tanh", name="mine", dtype="bfloat16")
        twin = DoubleConv.from_config(json.loads(json.dumps(layer.get_config())))
        assert twin.get_config() == layer.get_config()
        assert (twin.filters, twin.activation) == (3, keras.activations.tanh)

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        parts = [model.get_layer(name) for name in ("pool_0", "join_0")]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(dtype=policy, name="mine"), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        expected = reference(x, by_path(model))
        assert_close(array(ops.cast(y, "float32")), expected, tolerance=0.1)

    def test_compiles_for_training(self):
        model, x = make(), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        logits, labels = array(model(x)), (x[..., 0] > 0).astype("int32")
        probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        chosen = np.take_along_axis(probs, labels[..., None], axis=-1)
        results = model.evaluate(x, labels, return_dict=True, verbose=0)
        assert_close(results["loss"], -np.log(chosen).mean())
        assert_close(results["accuracy"], (logits.argmax(axis=-1) == labels).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = (x.sum(axis=-1) > 0).astype("int32")
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
            f"import keras, numpy as np, {MyUNet.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyUNet.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
