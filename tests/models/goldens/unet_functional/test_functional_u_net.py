"""What `FunctionalUNet` promises, on each backend.

`KERAS_BACKEND=jax pytest` runs it on another one than Keras's default.
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

from functional_u_net import DoubleConv, FunctionalUNet

# Keras's Torch backend itself calls NumPy 2 in a deprecated way.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, IMAGE, FILTERS, OUTPUTS = 4, (32, 16, 2), (3, 4, 5), 3

# A value other than the default for every constructor argument.
CHANGED = {
    "image_shape": (8, 16, 3),
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
    "image_shape": [
        (2, 2, 0),
        (2, 2, True),
        (2, 2, None),
        (2, 2, 2, 2),
        2,
        2.5,
        "222",
        None,
    ],
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
        "image_shape": IMAGE,
        "num_classes": OUTPUTS,
        "filters": FILTERS,
        "activation": "relu",
        "dropout": 0.0,
    }
    return FunctionalUNet(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *IMAGE)).astype("float32")


def randomise(model):
    """Give every weight values of its own, so that a mix-up shows."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        low = 0.5 if weight.name == "moving_variance" else -0.7
        weight.assign(rng.uniform(low, 1.0, weight.shape))


def by_path(model):
    """The values of all weights by their paths inside of the model."""
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
    """What a window sees at each of its places, with padding "same"."""
    sizes, size = np.array(x.shape[1:3]), np.array(size)
    places = -(-sizes // strides)
    missing = np.maximum((places - 1) * strides + size - sizes, 0)
    before, after = missing // 2, missing - missing // 2
    padding = [(0, 0), *zip(before, after, strict=True), (0, 0)]
    x = np.pad(x, padding, constant_values=fill)
    seen = []
    for place in np.ndindex(*places):
        i, j = np.multiply(place, strides)
        seen.append(x[:, i : i + size[0], j : j + size[1]])
    return np.stack(seen, axis=1).reshape(len(x), *places, *size, -1)


def conv(x, kernel):
    """Convolution without a bias."""
    seen = windows(x, kernel.shape[:2])
    return np.einsum("bhwijc,ijcf->bhwf", seen, kernel)


def max_pool(x, size, strides):
    """The greatest value of each window."""
    return windows(x, size, strides, fill=-np.inf).max(axis=(3, 4))


def batch_norm(x, gamma, beta, mean, variance, training=False):
    """Batch normalization, in training by the statistics of the batch."""
    if training:
        axes = tuple(range(x.ndim - 1))
        mean, variance = x.mean(axis=axes), x.var(axis=axes)
    return gamma * (x - mean) / np.sqrt(variance + 0.001) + beta


def enlarge(x, kernel, bias):
    """Transposed convolution: each pixel gives 2 by 2 of its own."""
    outputs = np.zeros((len(x), 2 * x.shape[1], 2 * x.shape[2], len(bias))) + bias
    for i, j in np.ndindex(2, 2):
        outputs[:, i::2, j::2] += x @ kernel[i, j].T
    return outputs


def reference(x, weights, training=False, activation=lambda x: np.maximum(x, 0)):
    """The formula, from the weights by their paths."""

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
    """What can be compared of an attribute: a Keras object by its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("training", [False, True])
    def test_equals_the_formula(self, training):
        model, x = make(name="mine"), inputs()
        model.build((None, *x.shape[1:]))
        randomise(model)
        expected = reference(x, by_path(model), training)
        assert_close(array(model(x, training=training)), expected, tolerance=1e-3)

    def test_the_activation_is_that_of_all_convolutions_but_the_last(self):
        model, x = make(activation="tanh", name="mine"), inputs()
        model.build((None, *x.shape[1:]))
        randomise(model)
        expected = reference(x, by_path(model), activation=np.tanh)
        assert_close(array(model(x)), expected, tolerance=1e-4)

    def test_statistics_move_in_training_only(self):
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

    def test_items_of_a_batch_do_not_mix(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    def test_static_shape_is_the_real_one(self):
        model, x = make(), inputs()
        real = model(x).shape
        assert model.compute_output_shape((None, *x.shape[1:])) == (None, *real[1:])
        assert make()(keras.KerasTensor((None, *x.shape[1:]))).shape == (
            None,
            *real[1:],
        )

    def test_channels_are_last_whatever_the_default_is(self):
        x = inputs()
        expected = make()(x).shape
        keras.config.set_image_data_format("channels_first")
        try:
            assert make()(x).shape == expected
        finally:
            keras.config.set_image_data_format("channels_last")

    @pytest.mark.parametrize("side", [0, 1])
    def test_refuses_images_that_do_not_halve(self, side):
        image = [*IMAGE]
        image[side] += 2
        with pytest.raises(ValueError, match="must be multiples of"):
            make(image_shape=image)


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

    def test_kernels_start_as_rectifiers_need_it(self):
        model = make(filters=(64,), name="mine")
        model.build((None, *IMAGE))
        kernel = by_path(model)["bottom/conv2/kernel"]
        assert abs(kernel.std() - np.sqrt(2 / (9 * 64))) < 0.002


class TestConfig:
    def test_every_argument_arrives_and_survives(self):
        assert [*CHANGED, "dtype", "name", "trainable"] == [
            *inspect.signature(FunctionalUNet).parameters
        ]
        layer = FunctionalUNet(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data, nothing that only Keras can write.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>FunctionalUNet"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is FunctionalUNet
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = FunctionalUNet(image_shape=IMAGE, num_classes=OUTPUTS)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in ACCEPTED.items() for value in values],
    )
    def test_takes_values_at_the_edge(self, name, value):
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

    def test_parts_without_weights_have_a_name_and_the_policy(self):
        make()  # A second one gets other names where Keras chooses them.
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
        chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        chosen = np.take_along_axis(chances, labels[..., None], axis=-1)
        results = model.evaluate(x, labels, return_dict=True, verbose=0)
        assert_close(results["loss"], -np.log(chosen).mean())
        assert_close(results["accuracy"], (logits.argmax(axis=-1) == labels).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_learns_and_comes_back_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = (x.sum(axis=-1) > 0).astype("int32")
        model = make()
        model.build((None, *x.shape[1:]))

        model.compile_for_training(learning_rate=0.02)

        before = model.get_weights()
        losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
        assert losses[-1] < 0.5 * losses[0]
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # What "auto" is on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {FunctionalUNet.__module__}\n"
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

    def test_the_example_of_the_docstring(self):
        examples = doctest.testmod(sys.modules[FunctionalUNet.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
