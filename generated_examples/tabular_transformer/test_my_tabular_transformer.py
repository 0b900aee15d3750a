"""Tests for `MyTabularTransformer`, on any Keras backend.

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

from my_tabular_transformer import (
    FeatureTokenizer,
    GatedBlock,
    KernelAdamW,
    MyTabularTransformer,
)

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, FEATURES, HEADS, DIM, UNITS, OUTPUTS = 4, 5, 2, 6, 7, 3

# A value other than the default for every constructor argument.
CHANGED = {
    "num_classes": 2,
    "num_blocks": 4,
    "num_heads": HEADS,
    "hidden_dim": DIM,
    "intermediate_dim": 257,
    "attention_dropout": 0.5,
    "dropout": 0.5,
}
DEFAULTS = {
    "num_blocks": 3,
    "num_heads": 8,
    "hidden_dim": 192,
    "intermediate_dim": 256,
    "attention_dropout": 0.2,
    "dropout": 0.1,
}
ACCEPTED = {
    "num_classes": [1],
    "num_blocks": [1],
    "num_heads": [1],
    "intermediate_dim": [1],
    "attention_dropout": [0.0, 0],
    "dropout": [0.0, 0],
}
REFUSED = {
    "num_classes": [0, 2.5, True, "2", None],
    "num_blocks": [0, 2.5, True, "2", None],
    "num_heads": [0, 2.5, True, "2", None],
    "intermediate_dim": [0, 2.5, True, "2", None],
    "attention_dropout": [-1.0, 1.0, "1.0", None],
    "dropout": [-1.0, 1.0, "1.0", None],
    "hidden_dim": [0, 2.5, "2", None, HEADS * DIM + 1],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "num_classes": OUTPUTS,
        "num_blocks": 2,
        "num_heads": HEADS,
        "hidden_dim": DIM,
        "intermediate_dim": UNITS,
        "attention_dropout": 0.0,
        "dropout": 0.0,
    }
    return MyTabularTransformer(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, FEATURES)).astype("float32")


def randomise(model):
    """Give every weight different random values, so that mix-ups are detected."""
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in model.weights])


def path(weight):
    """Return the path of a weight inside its model, which is named `mine`."""
    return weight.path.removeprefix("mine/")


def named_weights(model):
    """Return the weights by path, as float32."""
    return {
        path(weight): array(ops.cast(weight, "float32")) for weight in model.weights
    }


class Reference:
    """The network from its formulas, with the weights of a model named `mine`."""

    def __init__(self, model):
        self.weights = named_weights(model)

    def __call__(self, x, blocks=2):
        rows = []
        for row in x:
            tokens = self.tokens(row)
            for block in range(blocks):
                tokens = self.block(f"block_{block}", tokens, normalized=block > 0)
            rows.append(np.maximum(self.norm("norm", tokens[0]), 0))
        return self.dense("head", np.array(rows))

    def tokens(self, row):
        kernel, bias = (
            self.weights[f"tokenizer/token_{part}"] for part in ("kernel", "bias")
        )
        features = [x * kernel[i] + bias[i] for i, x in enumerate(row)]
        return np.array([self.weights["tokenizer/class_token"][0], *features])

    def block(self, name, x, normalized):
        y = self.norm(f"{name}/attention_norm", x) if normalized else x
        x = x + self.attention(f"{name}/attention", y)
        y = self.norm(f"{name}/feed_forward_norm", x)
        y = np.maximum(self.dense(f"{name}/gate", y), 0) * self.dense(
            f"{name}/value", y
        )
        return x + self.dense(f"{name}/output_dense", y)

    def attention(self, name, x):
        """Compute the heads one at a time, and sum their projections."""
        kernel = self.weights[f"{name}/attention_output/kernel"]
        y = self.weights[f"{name}/attention_output/bias"]
        for head in range(HEADS):
            query, key, value = (
                x @ self.weights[f"{name}/{part}/kernel"][:, head]
                + self.weights[f"{name}/{part}/bias"][head]
                for part in ("query", "key", "value")
            )
            odds = np.exp(query @ key.T / np.sqrt(DIM / HEADS))
            y = y + odds / odds.sum(axis=-1, keepdims=True) @ value @ kernel[head]
        return y

    def dense(self, name, x):
        return x @ self.weights[f"{name}/kernel"] + self.weights[f"{name}/bias"]

    def norm(self, name, x):
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)
        return x * self.weights[f"{name}/gamma"] + self.weights[f"{name}/beta"]


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
        model.build((None, FEATURES))
        randomise(model)
        assert_close(array(model(x)), Reference(model)(x), tolerance=1e-4)

    def test_an_epsilon_is_added_to_the_variance(self):
        model, x = make(name="mine"), inputs()
        model.build((None, FEATURES))
        tokenizer = model.get_layer("tokenizer")
        tokenizer.set_weights([1e-3 * weight for weight in tokenizer.get_weights()])
        assert_close(array(model(x)), Reference(model)(x), tolerance=1e-4)

    @pytest.mark.parametrize("name", ["attention_dropout", "dropout"])
    def test_each_dropout_acts_in_training_only(self, name):
        model, x = make(num_blocks=1, **{name: 0.5}), inputs(batch=64)
        model.build((None, FEATURES))
        randomise(model)
        assert (array(model(x, training=True)) != array(model(x))).any()
        assert (array(model(x, training=False)) == array(model(x))).all()

    def test_dropout_rates_of_the_blocks(self):
        model = make(attention_dropout=0.3, dropout=0.2)
        model.build((None, FEATURES))
        for name in ("block_0", "block_1"):
            block = model.get_layer(name)
            assert (block.attention.dropout, block.feed_forward_dropout.rate) == (
                0.3,
                0.2,
            )

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


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build((None, FEATURES))
        per_head = (HEADS, DIM // HEADS)
        expected = {
            "tokenizer/class_token": (1, DIM),
            "tokenizer/token_kernel": (FEATURES, DIM),
            "tokenizer/token_bias": (FEATURES, DIM),
            "norm/gamma": (DIM,),
            "norm/beta": (DIM,),
            "block_1/attention_norm/gamma": (DIM,),
            "block_1/attention_norm/beta": (DIM,),
            "head/kernel": (DIM, OUTPUTS),
            "head/bias": (OUTPUTS,),
        }
        for block in ("block_0", "block_1"):
            for part in ("query", "key", "value"):
                expected[f"{block}/attention/{part}/kernel"] = (DIM, *per_head)
                expected[f"{block}/attention/{part}/bias"] = per_head
            expected |= {
                f"{block}/attention/attention_output/kernel": (*per_head, DIM),
                f"{block}/attention/attention_output/bias": (DIM,),
                f"{block}/feed_forward_norm/gamma": (DIM,),
                f"{block}/feed_forward_norm/beta": (DIM,),
                f"{block}/gate/kernel": (DIM, UNITS),
                f"{block}/gate/bias": (UNITS,),
                f"{block}/value/kernel": (DIM, UNITS),
                f"{block}/value/bias": (UNITS,),
                f"{block}/output_dense/kernel": (UNITS, DIM),
                f"{block}/output_dense/bias": (DIM,),
            }
        assert {path(weight): weight.shape for weight in model.weights} == expected
        assert model.trainable_weights == model.weights

    def test_initial_tokens_are_small_and_differ(self):
        tokenizer = FeatureTokenizer(100)
        tokenizer.build((None, 200))
        for weight in tokenizer.weights:
            assert 0.08 < np.abs(array(weight)).max() <= 0.1
        assert (array(tokenizer.token_kernel) != array(tokenizer.token_bias)).any()

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        block = model.get_layer("block_0")
        parts = [model.get_layer("relu"), block.feed_forward_dropout]
        assert [part.name for part in parts] == ["relu", "feed_forward_dropout"]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyTabularTransformer).parameters
        ]
        layer = MyTabularTransformer(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyTabularTransformer"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyTabularTransformer
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyTabularTransformer(num_classes=OUTPUTS)
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

    def test_one_feature_with_one_head(self):
        assert make(hidden_dim=1, num_heads=1).hidden_dim == 1

    def test_the_sublayers_come_back_from_their_config(self):
        block = GatedBlock(
            2, 6, 7, 0.3, 0.2, normalize_attention=False, dtype="bfloat16"
        )
        twin = GatedBlock.from_config(block.get_config())
        assert twin.get_config() == block.get_config()
        assert (twin.num_heads, twin.hidden_dim, twin.intermediate_dim) == (2, 6, 7)
        assert (twin.attention_dropout, twin.dropout) == (0.3, 0.2)
        assert not twin.normalize_attention
        assert twin.compute_output_shape((None, 5, 6)) == (None, 5, 6)
        tokenizer = FeatureTokenizer.from_config(FeatureTokenizer(6).get_config())
        assert tokenizer.compute_output_shape((None, 5)) == (None, 6, 6)

    def test_the_tokenizer_refuses_inputs_of_another_shape(self):
        tokenizer = FeatureTokenizer(DIM)
        tokenizer(np.zeros((2, 5), "float32"))
        for shape in ((2, 4), (2, 3, 5)):
            with pytest.raises(ValueError, match="incompatible with the layer"):
                tokenizer(np.zeros(shape, "float32"))


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(name="mine", dtype=policy), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        assert_close(array(ops.cast(y, "float32")), Reference(model)(x), tolerance=0.1)

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

    def test_compiles_with_weight_decay(self):
        model = make()
        model.compile_for_training()
        assert isinstance(model.optimizer, keras.optimizers.AdamW)
        assert model.optimizer.weight_decay == 1e-5
        assert_close(array(model.optimizer.learning_rate), 1e-4)

    def test_only_dense_kernels_decay(self):
        model = make(name="mine")
        model.build((None, FEATURES))
        model.compile_for_training(learning_rate=1e4)
        twin = KernelAdamW.from_config(model.optimizer.get_config())
        weights = model.trainable_weights
        for optimizer in (model.optimizer, twin):
            randomise(model)
            before = named_weights(model)
            optimizer.apply([ops.zeros(weight.shape) for weight in weights], weights)
            for name, after in named_weights(model).items():
                decays = name.endswith("/kernel")
                assert_close(after, (0.9 if decays else 1.0) * before[name])

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = (x.sum(axis=tuple(range(1, x.ndim))) > 0).astype("int32")

        model = make()
        model.build((None, *x.shape[1:]))

        model.compile_for_training(learning_rate=0.02)

        before = model.get_weights()
        losses = model.fit(x, y, epochs=40, verbose=0).history["loss"]
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
            f"import keras, numpy as np, {MyTabularTransformer.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyTabularTransformer.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
