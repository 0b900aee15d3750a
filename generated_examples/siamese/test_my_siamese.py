"""Tests for `MySiamese`, on any Keras backend.

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

from my_siamese import ContrastiveLoss, Distance, Encoder, MySiamese, pair_accuracy

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, SHAPE, FILTERS, DIM = 4, (5, 4, 2), (3, 4), 3

# A value other than the default for every constructor argument.
CHANGED = {
    "filters": (65, 66, 2),
    "embedding_dim": 33,
    "activation": keras.activations.tanh,
    "margin": 0.5,
}
DEFAULTS = {
    "filters": (32, 64),
    "embedding_dim": 32,
    "activation": keras.activations.get("relu"),
    "margin": 1.0,
}
ACCEPTED = {
    "embedding_dim": [1],
    "margin": [1],
}
REFUSED = {
    "filters": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "embedding_dim": [0, 2.5, True, "2", None],
    "margin": [0.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "filters": FILTERS,
        "embedding_dim": DIM,
        "activation": "relu",
        "margin": 1.0,
    }
    return MySiamese(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(batch, *SHAPE)).astype("float32") for _ in range(2)]


def built(**arguments):
    """Return a built model with random weights, so that mix-ups are detected."""
    model = make(**arguments)
    model.build([(None, *SHAPE)] * 2)
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0.1, 0.4, weight.shape) for weight in model.weights])
    return model


def path(weight):
    """Return the path of a weight inside its model, which is named `mine`."""
    return weight.path.removeprefix("mine/")


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


def conv(x, kernel, bias, strides=1):
    """Convolution with a bias."""
    patches = windows(x, kernel.shape[:2], strides)
    return np.einsum("bhwijc,ijcf->bhwf", patches, kernel) + bias


def encoded(x, weights, activation=lambda x: np.maximum(x, 0)):
    for kernel, bias in (weights[:2], weights[2:4]):
        x = activation(conv(x, kernel, bias, strides=2))
    return x.reshape(len(x), -1) @ weights[4]


def reference(x, *weights, **activation):
    left, right = (encoded(images, weights, **activation) for images in x)
    return np.linalg.norm(left - right, axis=-1, keepdims=True)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formula(self):
        model, x = built(), inputs()
        assert_close(array(model(x)), reference(x, *model.get_weights()))

    def test_activation_of_the_convolutions(self):
        model, x = built(activation="tanh"), inputs()
        expected = reference(x, *model.get_weights(), activation=np.tanh)
        assert_close(array(model(x)), expected)

    def test_encodes_both_images_the_same_way(self):
        model, x = built(), inputs()
        for each in x:
            assert_close(array(model.encode(each)), encoded(each, model.get_weights()))
        assert_close(array(model(x)), array(model(x[::-1])))

    def test_samples_are_independent(self):
        model, x = built(), inputs()
        assert_close(array(model(x))[1:], array(model([each[1:] for each in x])))

    def test_distance_of_an_image_to_itself_is_zero(self):
        model, (x, _) = built(), inputs()
        assert_close(array(model([x, x])), np.zeros((BATCH, 1)))
        model.compile("sgd", "mse")
        model.fit([x, x], np.ones((BATCH, 1)), verbose=0)
        assert all(np.isfinite(weight).all() for weight in model.get_weights())

    @pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
    def test_loss_of_pairs(self, shape):
        distances = np.array([[0.5], [0.5], [1.5], [2.5], [2.5]], "float32")
        same = np.array([1, 0, 0, 0, 1]).reshape(shape)
        loss = ContrastiveLoss(margin=2.0)(same, distances)
        assert_close(array(loss), (0.5**2 + 1.5**2 + 0.5**2 + 0 + 2.5**2) / 5)

    @pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
    def test_accuracy_of_pairs(self, shape):
        distances = np.array([[0.5], [0.5], [1.0], [2.5]], "float32")
        same = np.array([1, 0, 0, 1]).reshape(shape)
        right = array(pair_accuracy(same, distances, threshold=1.0))
        assert right.reshape(-1).tolist() == [True, False, True, False]

    def test_accuracy_threshold_is_half_the_margin(self):
        model, x = built(), inputs()
        distances = array(model(x))
        model.margin = 2 * np.median(distances)
        model.compile_for_training()
        found = model.evaluate(x, np.ones((BATCH, 1)), return_dict=True, verbose=0)
        assert found["accuracy"] == np.mean(distances < model.margin / 2) == 0.5


class TestShapes:
    def test_static_shape_is_correct(self):
        model, x = make(), inputs()
        assert tuple(model(x).shape) == (BATCH, 1)
        assert model.compute_output_shape([(None, *SHAPE)] * 2) == (None, 1)
        assert make()([keras.KerasTensor((None, *SHAPE))] * 2).shape == (None, 1)

    def test_static_shape_of_the_vectors(self):
        encoder = Encoder(FILTERS, DIM)
        assert encoder.compute_output_shape((None, *SHAPE)) == (None, DIM)
        assert tuple(encoder(inputs()[0]).shape) == (BATCH, DIM)

    def test_channels_are_last_whatever_the_default(self):
        keras.config.set_image_data_format("channels_first")
        try:
            encoder = Encoder(FILTERS, DIM)
        finally:
            keras.config.set_image_data_format("channels_last")
        formats = {
            layer.data_format for layer in (*encoder.convolutions, encoder.flatten)
        }
        assert formats == {"channels_last"}

    def test_static_shape_of_distances(self):
        assert Distance().compute_output_shape((None, 3, DIM)) == (None, 3, 1)


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build([(None, *SHAPE)] * 2)
        assert [(path(weight), weight.shape) for weight in model.weights] == [
            ("encoder/conv_0/kernel", (3, 3, 2, 3)),
            ("encoder/conv_0/bias", (3,)),
            ("encoder/conv_1/kernel", (3, 3, 3, 4)),
            ("encoder/conv_1/bias", (4,)),
            ("encoder/dense/kernel", (8, DIM)),
        ]
        assert model.trainable_weights == model.weights

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        model = make(dtype="mixed_bfloat16")
        parts = [model.get_layer("encoder").flatten, model.get_layer("distance")]

        assert [part.name for part in parts] == ["flatten", "distance"]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MySiamese).parameters]
        layer = MySiamese(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MySiamese"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MySiamese
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MySiamese()
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

    def test_the_encoder_comes_back_from_its_config(self):
        encoder = Encoder((3, 4), 5, "tanh", name="mine", dtype="bfloat16")
        twin = Encoder.from_config(json.loads(json.dumps(encoder.get_config())))
        assert twin.get_config() == encoder.get_config()
        assert (twin.filters, twin.embedding_dim, twin.dtype) == ((3, 4), 5, "bfloat16")
        assert twin.activation is keras.activations.tanh

    def test_the_loss_comes_back_from_its_config(self):
        loss = ContrastiveLoss(margin=2.0, name="mine")
        twin = ContrastiveLoss.from_config(loss.get_config())
        assert (twin.margin, twin.name) == (2.0, "mine")
        assert ContrastiveLoss().margin == 1.0


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = built(dtype=policy), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert (
            keras.backend.standardize_dtype(model.encode(x[0]).dtype)
            == model.compute_dtype
        )
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *model.weights))
        assert_close(y, reference(x, *weights), tolerance=0.1)

    def test_compiles_for_training(self, tmp_path):
        model, x = built(margin=3.0), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        same = np.array([1, 0, 1, 0], "int32")
        model.fit(x, same, verbose=0)
        y = array(model(x))[:, 0]
        expected = np.where(same, y**2, np.maximum(3 - y, 0) ** 2).mean()
        accuracy = np.mean(same == (y < 1.5))
        model.save(tmp_path / "model.keras")
        for each in (model, keras.saving.load_model(tmp_path / "model.keras")):
            results = each.evaluate(x, same, return_dict=True, verbose=0)
            assert_close(results["loss"], expected)
            assert_close(results["accuracy"], accuracy)
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x, y = inputs(batch=64), np.arange(64, dtype="int32") % 2
        x[1] = np.where(y[:, None, None, None], x[0], -x[0])
        model = make()
        model.build([(None, *SHAPE)] * 2)
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
            f"import keras, numpy as np, {MySiamese.__module__}\n"
            "model = keras.models.load_model('model.keras')\n"
            "np.save('y.npy', model.predict([*np.load('x.npy')], verbose=0))\n"
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
        examples = doctest.testmod(sys.modules[MySiamese.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
