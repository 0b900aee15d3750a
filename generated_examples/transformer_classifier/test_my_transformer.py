"""Tests for `MyTransformer`, on any Keras backend.

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

from my_transformer import (
    MaskedAverage,
    MyTransformer,
    TokenAndPositionEmbedding,
    TransformerBlock,
)

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, TOKENS, OUTPUTS = 4, 6, 11, 3
DIM, LAYERS, HEADS, UNITS, EPSILON = 6, 2, 2, 7, 1e-5
LENGTHS = np.array([6, 3, 1, 4])

# A value other than the default for every constructor argument.
CHANGED = {
    "vocabulary_size": 2,
    "num_classes": 2,
    "sequence_length": 513,
    "hidden_dim": DIM,
    "num_layers": 3,
    "num_heads": HEADS,
    "intermediate_dim": 129,
    "dropout": 0.5,
}
DEFAULTS = {
    "sequence_length": 512,
    "hidden_dim": 64,
    "num_layers": 2,
    "num_heads": 4,
    "intermediate_dim": 128,
    "dropout": 0.1,
}
ACCEPTED = {
    "vocabulary_size": [1],
    "num_classes": [1],
    "sequence_length": [1],
    "num_layers": [1],
    "num_heads": [1],
    "intermediate_dim": [1],
    "dropout": [0.0, 0],
}
REFUSED = {
    "vocabulary_size": [0, 2.5, True, "2", None],
    "num_classes": [0, 2.5, True, "2", None],
    "sequence_length": [0, 2.5, True, "2", None],
    "num_layers": [0, 2.5, True, "2", None],
    "num_heads": [0, 2.5, True, "2", None],
    "intermediate_dim": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 1.0, "1.0", None],
    "hidden_dim": [0, 2.5, "2", None, HEADS + 1],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "vocabulary_size": TOKENS,
        "num_classes": OUTPUTS,
        "sequence_length": STEPS + 1,
        "hidden_dim": DIM,
        "num_layers": LAYERS,
        "num_heads": HEADS,
        "intermediate_dim": UNITS,
        "dropout": 0.0,
    }
    return MyTransformer(**{**plain, **arguments})


def inputs(batch=BATCH):
    """Return sequences of the lengths above, with padding."""
    rng = np.random.default_rng(0)
    x = rng.integers(1, TOKENS, size=(batch, STEPS)).astype("int32")
    return x * (np.arange(STEPS) < np.resize(LENGTHS, batch)[:, None]).astype("int32")


def randomise(model):
    """Give every weight different random values, so that mix-ups are detected."""
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in model.weights])


def path(weight):
    """Return the path of a weight inside its model, which is named `mine`."""
    return weight.path.removeprefix("mine/")


def normalise(x, gamma, beta):
    x = x - x.mean(-1, keepdims=True)
    return gamma * x / np.sqrt((x**2).mean(-1, keepdims=True) + EPSILON) + beta


def attend(x, source, seen, weights):
    """Attention from `x` to `source`, one sample and head at a time."""
    q_kernel, q_bias, k_kernel, k_bias, v_kernel, v_bias, o_kernel, o_bias = weights
    outputs = np.zeros(x.shape) + o_bias
    for sample, head in np.ndindex(len(x), HEADS):
        query = x[sample] @ q_kernel[:, head] + q_bias[head]
        key = source[sample] @ k_kernel[:, head] + k_bias[head]
        value = source[sample] @ v_kernel[:, head] + v_bias[head]
        scores = np.exp(query @ key.T / np.sqrt(DIM / HEADS)) * seen[sample]
        scores /= np.maximum(scores.sum(-1, keepdims=True), 1e-30)
        outputs[sample] += scores @ value @ o_kernel[head]
    return outputs


def feed_forward(x, kernel, bias, output_kernel, output_bias):
    x = x @ kernel + bias
    x = x * (1 + np.vectorize(math.erf)(x / np.sqrt(2))) / 2  # GELU
    return x @ output_kernel + output_bias


def reference(x, tokens, positions, *weights):
    """Compute the outputs from the formula."""
    seen = x != 0
    y = tokens[x] + positions[: x.shape[1]]
    for _ in range(LAYERS):
        (*first, q, qb, k, kb, v, vb, o, ob), weights = weights[:10], weights[10:]
        normal = normalise(y, *first)
        y = y + attend(normal, normal, seen[:, None], (q, qb, k, kb, v, vb, o, ob))
        y = y + feed_forward(normalise(y, *weights[:2]), *weights[2:6])
        weights = weights[6:]
    y = normalise(y, *weights[:2])
    y = np.array(
        [
            steps[:length].mean(axis=0)
            for steps, length in zip(y, seen.sum(axis=1), strict=True)
        ]
    )
    return y @ weights[2] + weights[3]


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formula(self):
        model, x = make(), inputs()
        model.build((None, STEPS))
        randomise(model)
        assert_close(array(model(x)), reference(x, *model.get_weights()), 1e-4)

    def test_padding_changes_nothing(self):
        model, x = make(), inputs()
        model.build((None, STEPS))
        randomise(model)
        y = array(model(x))
        for text, length, expected in zip(x, LENGTHS, y, strict=True):
            assert_close(array(model(text[None, :length]))[0], expected)

    def test_output_of_padding_alone_is_finite(self):
        assert np.isfinite(array(make()(np.zeros((2, STEPS), "int32")))).all()

    def test_average_without_a_mask(self):
        x = np.arange(12, dtype="float32").reshape(1, 4, 3)
        assert_close(array(MaskedAverage()(x)), [[4.5, 5.5, 6.5]])

    def test_the_order_of_tokens_matters(self):
        model, x = make(), inputs()[:1]
        model.build((None, STEPS))
        randomise(model)
        assert np.abs(array(model(x)) - array(model(x[:, ::-1]))).max() > 1e-3

    @pytest.mark.parametrize(
        "part", ["embedding", "attention_weights", "attention", "feed_forward"]
    )
    def test_drops_in_training_only(self, part):
        model, x = make(num_layers=1, dropout=0.25), inputs()
        model.build((None, STEPS))
        randomise(model)
        block = model.get_layer("block_0")
        assert block.attention.dropout == 0.25
        drops = {
            "embedding": model.get_layer("embedding_dropout"),
            "attention": block.attention_dropout,
            "feed_forward": block.feed_forward_dropout,
        }
        assert {drop.rate for drop in drops.values()} == {0.25}
        for name, drop in drops.items():
            drop.rate = 0.5 * (name == part)
        if part != "attention_weights":
            # Only the bias of the attention is left, whatever it drops.
            kernel = block.attention.output_dense.kernel
            kernel.assign(np.zeros(kernel.shape))
        assert (array(model(x, training=True)) != array(model(x))).any()
        assert (array(model(x, training=False)) == array(model(x))).all()

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize("steps", [None, STEPS])
    def test_static_shape_is_correct(self, steps):
        model, x = make(), inputs()
        assert model(x).shape == (BATCH, OUTPUTS)
        assert model.compute_output_shape((None, steps)) == (None, OUTPUTS)
        assert make()(keras.KerasTensor((None, steps), "int32")).shape == (
            None,
            OUTPUTS,
        )

    def test_refuses_more_tokens_than_it_has_positions(self):
        model = make(sequence_length=STEPS)
        model(inputs())
        with pytest.raises(ValueError, match="at most `sequence_length` tokens"):
            model(np.ones((1, STEPS + 1), "int32"))


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build((None, STEPS))
        expected = [
            ("embedding/token_embedding/embeddings", (TOKENS, DIM)),
            ("embedding/position_embedding/embeddings", (STEPS + 1, DIM)),
        ]
        for block in ("block_0", "block_1"):
            expected += [
                (f"{block}/attention_norm/gamma", (DIM,)),
                (f"{block}/attention_norm/beta", (DIM,)),
                (f"{block}/attention/query/kernel", (DIM, HEADS, DIM // HEADS)),
                (f"{block}/attention/query/bias", (HEADS, DIM // HEADS)),
                (f"{block}/attention/key/kernel", (DIM, HEADS, DIM // HEADS)),
                (f"{block}/attention/key/bias", (HEADS, DIM // HEADS)),
                (f"{block}/attention/value/kernel", (DIM, HEADS, DIM // HEADS)),
                (f"{block}/attention/value/bias", (HEADS, DIM // HEADS)),
                (
                    f"{block}/attention/attention_output/kernel",
                    (HEADS, DIM // HEADS, DIM),
                ),
                (f"{block}/attention/attention_output/bias", (DIM,)),
                (f"{block}/feed_forward_norm/gamma", (DIM,)),
                (f"{block}/feed_forward_norm/beta", (DIM,)),
                (f"{block}/intermediate_dense/kernel", (DIM, UNITS)),
                (f"{block}/intermediate_dense/bias", (UNITS,)),
                (f"{block}/output_dense/kernel", (UNITS, DIM)),
                (f"{block}/output_dense/bias", (DIM,)),
            ]
        expected += [
            ("norm/gamma", (DIM,)),
            ("norm/beta", (DIM,)),
            ("head/kernel", (DIM, OUTPUTS)),
            ("head/bias", (OUTPUTS,)),
        ]
        assert [(path(weight), weight.shape) for weight in model.weights] == expected
        assert model.trainable_weights == model.weights

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        block = model.get_layer("block_0")
        parts = [
            model.get_layer("embedding_dropout"),
            model.get_layer("average"),
            block.attention_dropout,
            block.feed_forward_dropout,
        ]
        assert [part.name for part in parts] == [
            "embedding_dropout",
            "average",
            "attention_dropout",
            "feed_forward_dropout",
        ]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyTransformer).parameters]
        layer = MyTransformer(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyTransformer"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyTransformer
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyTransformer(vocabulary_size=TOKENS, num_classes=OUTPUTS)
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

    @pytest.mark.parametrize("layer", ["embedding", "block_0"])
    def test_layers_come_back_from_their_config(self, layer):
        config = make(dropout=0.25).get_layer(layer).get_config()
        twin = {"embedding": TokenAndPositionEmbedding, "block_0": TransformerBlock}[
            layer
        ].from_config(config)
        assert twin.get_config() == config


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(dtype=policy), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *model.weights))
        assert_close(
            array(ops.cast(y, "float32")), reference(x, *weights), tolerance=0.1
        )

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
        y = (x == 1).any(axis=1).astype("int32")
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
            f"import keras, numpy as np, {MyTransformer.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyTransformer.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
