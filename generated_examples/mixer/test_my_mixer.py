"""Tests for `MyMixer`, on any Keras backend.

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

from my_mixer import MixerBlock, MyMixer, PatchEmbedding

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, IMAGE, PATCH = 4, (16, 32, 2), 8
ROWS, COLUMNS = IMAGE[0] // PATCH, IMAGE[1] // PATCH
STEPS = ROWS * COLUMNS

LAYERS, DIM, TOKENS_DIM, CHANNELS_DIM, OUTPUTS = 1, 6, 5, 7, 3

# A value other than the default for every constructor argument.
CHANGED = {
    "num_classes": 2,
    "patch_size": 4,
    "num_layers": 3,
    "hidden_dim": 513,
    "tokens_mlp_dim": 257,
    "channels_mlp_dim": 2049,
    "dropout": 0.5,
}
DEFAULTS = {
    "patch_size": 16,
    "num_layers": 8,
    "hidden_dim": 512,
    "tokens_mlp_dim": 256,
    "channels_mlp_dim": 2048,
    "dropout": 0.0,
}
ACCEPTED = {
    "num_classes": [1],
    "patch_size": [1],
    "num_layers": [1],
    "hidden_dim": [1],
    "tokens_mlp_dim": [1],
    "channels_mlp_dim": [1],
    "dropout": [0.0, 0],
}
REFUSED = {
    "num_classes": [0, 2.5, True, "2", None],
    "patch_size": [0, 2.5, True, "2", None],
    "num_layers": [0, 2.5, True, "2", None],
    "hidden_dim": [0, 2.5, True, "2", None],
    "tokens_mlp_dim": [0, 2.5, True, "2", None],
    "channels_mlp_dim": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 1.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "num_classes": OUTPUTS,
        "patch_size": PATCH,
        "num_layers": LAYERS,
        "hidden_dim": DIM,
        "tokens_mlp_dim": TOKENS_DIM,
        "channels_mlp_dim": CHANNELS_DIM,
        "dropout": 0.0,
    }
    return MyMixer(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *IMAGE)).astype("float32")


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


def normalise(x, gamma, beta):
    x = x - x.mean(-1, keepdims=True)
    return gamma * x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) + beta


def gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def embed(x, kernel, bias):
    """The vectors of all patches, one at a time."""
    vectors = np.zeros((len(x), STEPS, DIM)) + bias
    for row, column in np.ndindex(ROWS, COLUMNS):
        top, left = row * PATCH, column * PATCH
        patch = x[:, top : top + PATCH, left : left + PATCH]
        vectors[:, row * COLUMNS + column] += np.tensordot(patch, kernel, 3)
    return vectors


def reference(x, weights, layers=LAYERS):
    """Compute the outputs, given the weights by path."""

    def norm(layer, x):
        return normalise(x, *of(layer, weights))

    def mlp(layer, x):
        kernel, bias = of(f"{layer}/hidden", weights)
        hidden = gelu(x @ kernel + bias)
        kernel, bias = of(f"{layer}/output", weights)
        return hidden @ kernel + bias

    x = embed(x, *of("patch_embedding/projection", weights))
    for block in (f"block_{i}" for i in range(layers)):
        columns = norm(f"{block}/tokens_norm", x).transpose(0, 2, 1)
        x = x + mlp(f"{block}/tokens_mlp", columns).transpose(0, 2, 1)
        x = x + mlp(f"{block}/channels_mlp", norm(f"{block}/channels_norm", x))
    return norm("norm", x).mean(axis=1) @ weights["head/kernel"] + weights["head/bias"]


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formula(self):
        model, x = make(num_layers=2, name="mine"), inputs()
        model.build((None, *x.shape[1:]))
        randomise(model)
        assert_close(array(model(x)), reference(x, by_path(model), 2), tolerance=1e-4)

    @pytest.mark.parametrize("number", range(4))
    def test_each_dropout_acts_in_training_only(self, number):
        model, x = make(dropout=0.25), inputs()
        model.build((None, *x.shape[1:]))
        block = model.get_layer("block_0")
        drops = [
            mlp.get_layer(name)
            for mlp in (block.tokens_mlp, block.channels_mlp)
            for name in ("hidden_dropout", "output_dropout")
        ]
        assert [layer.rate for layer in drops] == [0.25] * 4
        for layer in drops:
            layer.rate = 0.25 if layer is drops[number] else 0
        assert (array(model(x, training=True)) != array(model(x))).any()
        assert (array(model(x, training=False)) == array(model(x))).all()

    def test_normalizations_have_a_small_epsilon(self):
        model = make()
        model.build((None, *IMAGE))
        block = model.get_layer("block_0")
        norms = [block.tokens_norm, block.channels_norm, model.get_layer("norm")]
        assert [norm.epsilon for norm in norms] == [1e-6] * 3

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
    def test_refuses_images_that_are_not_whole_patches(self, side):
        image = [*IMAGE]
        image[side] += 1
        with pytest.raises(ValueError, match="known and multiples of `patch_size`"):
            make().build((None, *image))

    @pytest.mark.parametrize("side", [0, 1])
    def test_refuses_images_of_unknown_size(self, side):
        image = [*IMAGE]
        image[side] = None
        with pytest.raises(ValueError, match="known and multiples of `patch_size`"):
            make().build((None, *image))

    def test_refuses_images_of_another_size_once_built(self):
        model, x = make(), inputs()
        model(x)
        with pytest.raises(ValueError, match="incompatible with the layer"):
            model(np.pad(x, [(0, 0), (0, 1), (0, 0), (0, 0)]))

    def test_refuses_a_single_image(self):
        with pytest.raises(
            ValueError, match=r"ndim=4|expected shape|Invalid input shape"
        ):
            make()(inputs()[0])


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build((None, *IMAGE))
        expected = {
            "patch_embedding/projection/kernel": (PATCH, PATCH, IMAGE[-1], DIM),
            "patch_embedding/projection/bias": (DIM,),
            "block_0/tokens_norm/gamma": (DIM,),
            "block_0/tokens_norm/beta": (DIM,),
            "block_0/tokens_mlp/hidden/kernel": (STEPS, TOKENS_DIM),
            "block_0/tokens_mlp/hidden/bias": (TOKENS_DIM,),
            "block_0/tokens_mlp/output/kernel": (TOKENS_DIM, STEPS),
            "block_0/tokens_mlp/output/bias": (STEPS,),
            "block_0/channels_norm/gamma": (DIM,),
            "block_0/channels_norm/beta": (DIM,),
            "block_0/channels_mlp/hidden/kernel": (DIM, CHANNELS_DIM),
            "block_0/channels_mlp/hidden/bias": (CHANNELS_DIM,),
            "block_0/channels_mlp/output/kernel": (CHANNELS_DIM, DIM),
            "block_0/channels_mlp/output/bias": (DIM,),
            "norm/gamma": (DIM,),
            "norm/beta": (DIM,),
            "head/kernel": (DIM, OUTPUTS),
            "head/bias": (OUTPUTS,),
        }
        weights = by_path(model)
        assert [(path, value.shape) for path, value in weights.items()] == [
            *expected.items()
        ]
        assert len(model.trainable_weights) == len(model.weights)

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        part = model.get_layer("pool")
        assert part.dtype_policy.name == "mixed_bfloat16"


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyMixer).parameters]
        layer = MyMixer(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyMixer"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyMixer
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyMixer(num_classes=OUTPUTS)
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

    def test_a_block_comes_back_from_its_config(self):
        block = MixerBlock(5, 7, 0.5, name="mine", dtype="mixed_bfloat16")
        twin = MixerBlock.from_config(json.loads(json.dumps(block.get_config())))
        assert twin.get_config() == block.get_config()
        assert (twin.tokens_mlp_dim, twin.channels_mlp_dim, twin.dropout) == (5, 7, 0.5)
        twin.build((None, 4, 6))
        layers = [
            layer
            for mlp in (twin.tokens_mlp, twin.channels_mlp)
            for layer in mlp.layers
        ]
        assert {layer.dtype_policy.name for layer in layers} == {"mixed_bfloat16"}

    def test_the_patch_embedding_is_restored_from_its_config(self):
        layer = PatchEmbedding(PATCH, DIM, name="mine", dtype="bfloat16")
        twin = PatchEmbedding.from_config(json.loads(json.dumps(layer.get_config())))
        assert twin.get_config() == layer.get_config()
        assert (twin.patch_size, twin.hidden_dim) == (PATCH, DIM)
        assert twin.compute_output_shape((None, *IMAGE)) == (None, STEPS, DIM)
        for unknown in ((None, *IMAGE[1:]), (IMAGE[0], None, IMAGE[2])):
            assert twin.compute_output_shape((None, *unknown)) == (None, None, DIM)


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(dtype=policy, name="mine"), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        y, expected = array(ops.cast(y, "float32")), reference(x, by_path(model))
        assert_close(y, expected, tolerance=0.1)

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
            f"import keras, numpy as np, {MyMixer.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyMixer.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
