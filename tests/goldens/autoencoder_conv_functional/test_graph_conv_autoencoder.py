"""Tests for `GraphConvAutoencoder`, on any Keras backend.

`KERAS_BACKEND=jax pytest` selects another backend than the default.
"""

import doctest
import inspect
import json
import math
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from graph_conv_autoencoder import GraphConvAutoencoder

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, IMAGE, LATENT, FILTERS = 4, (8, 4, 2), 3, (5, 4)
SMALL = (IMAGE[0] // 4, IMAGE[1] // 4, FILTERS[-1])

# A value other than the default for every constructor argument.
CHANGED = {
    "image_shape": (16, 24, 2),
    "latent_dim": 17,
    "filters": (3, 4, 2),
    "activation": keras.activations.tanh,
    "output_activation": keras.activations.tanh,
}
DEFAULTS = {
    "latent_dim": 16,
    "filters": (32, 64),
    "activation": keras.activations.get("relu"),
    "output_activation": keras.activations.get(None),
}
ACCEPTED = {
    "latent_dim": [1],
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
    "latent_dim": [0, 2.5, True, "2", None],
    "filters": [(2, 0), (2, True), (2, None), 2.5, "22", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "image_shape": IMAGE,
        "latent_dim": LATENT,
        "filters": FILTERS,
        "activation": "tanh",
        "output_activation": None,
    }
    return GraphConvAutoencoder(**{**plain, **arguments})


def inputs(batch=BATCH):
    """Return samples that are linear in two latent numbers each."""
    rng = np.random.default_rng(0)
    factors, numbers = rng.normal(size=(2, *IMAGE)), rng.normal(size=(batch, 2))
    return np.tensordot(numbers, factors, 1).astype("float32")


def randomise(model):
    """Set every weight to random values, so that mixing up two weights shows."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.uniform(-0.7, 1.0, weight.shape))


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


def encoded(x, weights, activation=np.tanh):
    """Return the codes, given the weights by path."""
    for i in range(len(FILTERS)):
        kernel, bias = of(f"encoder/conv_{i}", weights)
        x = activation(conv(x, kernel, strides=2) + bias)
    kernel, bias = of("encoder/latent", weights)
    return x.reshape(len(x), -1) @ kernel + bias


def decoded(codes, weights, activation=np.tanh):
    """Return the reconstructions from codes, given the weights by path."""
    kernel, bias = of("decoder/dense", weights)
    x = activation(codes @ kernel + bias).reshape(-1, *SMALL)
    for i in range(len(FILTERS)):
        kernel, bias = of(f"decoder/conv_{i}", weights)
        x = activation(conv(x.repeat(2, axis=1).repeat(2, axis=2), kernel) + bias)
    kernel, bias = of("decoder/outputs", weights)
    return conv(x, kernel) + bias


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formula(self):
        model, x = make(name="mine"), inputs()
        model.build((None, *x.shape[1:]))
        randomise(model)
        weights = by_path(model)
        codes = encoded(x, weights)
        assert_close(array(model.encode(x)), codes)
        assert_close(
            array(model.decode(codes.astype("float32"))), decoded(codes, weights)
        )
        assert_close(array(model(x)), decoded(codes, weights))

    def test_activations_of_hidden_layers_and_outputs(self):
        model, x = (
            make(activation=None, output_activation="relu", name="mine"),
            inputs(),
        )
        model.build((None, *x.shape[1:]))
        randomise(model)
        weights = by_path(model)
        y = decoded(encoded(x, weights, np.asarray), weights, np.asarray)
        assert (y < 0).any()
        assert_close(array(model(x)), np.maximum(y, 0), tolerance=1e-4)

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
            make(image_shape=image)

    def test_refuses_inputs_of_another_shape(self):
        x = inputs()
        with pytest.raises(ValueError, match="expected shape"):
            make()(np.concatenate([x, x], axis=-1))


class TestWeights:
    def test_paths_and_shapes(self):
        model, x = make(name="mine"), inputs()
        model.build((None, *x.shape[1:]))
        assert [(path, value.shape) for path, value in by_path(model).items()] == [
            ("encoder/conv_0/kernel", (3, 3, IMAGE[-1], FILTERS[0])),
            ("encoder/conv_0/bias", (FILTERS[0],)),
            ("encoder/conv_1/kernel", (3, 3, FILTERS[0], FILTERS[1])),
            ("encoder/conv_1/bias", (FILTERS[1],)),
            ("encoder/latent/kernel", (math.prod(SMALL), LATENT)),
            ("encoder/latent/bias", (LATENT,)),
            ("decoder/dense/kernel", (LATENT, math.prod(SMALL))),
            ("decoder/dense/bias", (math.prod(SMALL),)),
            ("decoder/conv_0/kernel", (3, 3, FILTERS[1], FILTERS[1])),
            ("decoder/conv_0/bias", (FILTERS[1],)),
            ("decoder/conv_1/kernel", (3, 3, FILTERS[1], FILTERS[0])),
            ("decoder/conv_1/bias", (FILTERS[0],)),
            ("decoder/outputs/kernel", (3, 3, FILTERS[0], IMAGE[-1])),
            ("decoder/outputs/bias", (IMAGE[-1],)),
        ]
        assert model.trainable_weights == model.weights


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "dtype", "name", "trainable"] == [
            *inspect.signature(GraphConvAutoencoder).parameters
        ]
        layer = GraphConvAutoencoder(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>GraphConvAutoencoder"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is GraphConvAutoencoder
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = GraphConvAutoencoder(image_shape=IMAGE)
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


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(dtype=policy, name="mine"), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        y, weights = array(ops.cast(y, "float32")), by_path(model)
        assert_close(y, decoded(encoded(x, weights), weights), tolerance=0.1)

    def test_compiles_for_training(self):
        model, x = make(), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        errors = array(model(x)) - x
        results = model.evaluate(x, x, return_dict=True, verbose=0)
        assert_close(results["loss"], (errors**2).mean())
        assert_close(results["mae"], np.abs(errors).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = y = inputs(batch=64)
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
            f"import keras, numpy as np, {GraphConvAutoencoder.__module__}\n"
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
        examples = doctest.testmod(sys.modules[GraphConvAutoencoder.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
