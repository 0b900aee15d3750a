"""Tests for `MyTranslator`, on any Keras backend.

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

from my_translator import (
    DecoderBlock,
    EncoderBlock,
    MyTranslator,
    TokenAndPositionEmbedding,
)

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, SOURCE_STEPS, TARGET_STEPS, LENGTH, SOURCES, TARGETS = 3, 5, 4, 6, 11, 9
DIM, LAYERS, HEADS, UNITS, EPSILON = 6, 2, 2, 7, 1e-5
START, END = 1, 2
SOURCE_LENGTHS, TARGET_LENGTHS = np.array([[5], [2], [3]]), np.array([[4], [4], [2]])

# A value other than the default for every constructor argument.
CHANGED = {
    "source_vocabulary_size": 2,
    "target_vocabulary_size": 3,
    "sequence_length": 129,
    "hidden_dim": DIM,
    "num_layers": 2,
    "num_heads": HEADS,
    "intermediate_dim": 129,
    "dropout": 0.5,
}
DEFAULTS = {
    "sequence_length": 128,
    "hidden_dim": 64,
    "num_layers": 1,
    "num_heads": 4,
    "intermediate_dim": 128,
    "dropout": 0.1,
}
ACCEPTED = {
    "source_vocabulary_size": [1],
    "target_vocabulary_size": [3],
    "sequence_length": [1],
    "num_layers": [1],
    "num_heads": [1],
    "intermediate_dim": [1],
    "dropout": [0.0, 0],
}
REFUSED = {
    "source_vocabulary_size": [0, 2.5, True, "2", None],
    "target_vocabulary_size": [2, 2.5, True, "2", None],
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
        "source_vocabulary_size": SOURCES,
        "target_vocabulary_size": TARGETS,
        "sequence_length": LENGTH,
        "hidden_dim": DIM,
        "num_layers": LAYERS,
        "num_heads": HEADS,
        "intermediate_dim": UNITS,
        "dropout": 0.0,
    }
    return MyTranslator(**{**plain, **arguments})


def inputs():
    """Return sequences of the lengths above, with padding."""
    rng = np.random.default_rng(0)
    source = rng.integers(1, SOURCES, size=(BATCH, SOURCE_STEPS))
    target = rng.integers(1, TARGETS, size=(BATCH, TARGET_STEPS))
    return {
        "source": (source * (np.arange(SOURCE_STEPS) < SOURCE_LENGTHS)).astype("int32"),
        "target": (target * (np.arange(TARGET_STEPS) < TARGET_LENGTHS)).astype("int32"),
    }


SHAPES = {"source": (None, SOURCE_STEPS), "target": (None, TARGET_STEPS)}


def randomised(**arguments):
    """Return a built model with random weights, so that mix-ups are detected."""
    model = make(**arguments)
    model.build(SHAPES)
    randomise(model)
    return model


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


def scatter(model, seed):
    """Set weights of large variance, so that the chosen tokens vary."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.weights])


def reference(x, *weights):
    """Compute the outputs from the formula."""
    weights = list(weights)

    def take(number):
        taken, weights[:] = weights[:number], weights[number:]
        return taken

    source, target = x["source"], x["target"]
    tokens, positions = take(2)
    encoded = tokens[source] + positions[: source.shape[1]]
    read = (source != 0)[:, None]
    for _ in range(LAYERS):
        normal = normalise(encoded, *take(2))
        encoded = encoded + attend(normal, normal, read, take(8))
        encoded = encoded + feed_forward(normalise(encoded, *take(2)), *take(4))
    encoded = normalise(encoded, *take(2))

    steps = np.arange(target.shape[1])
    written = (target != 0)[:, None] & (steps <= steps[:, None])
    tokens, positions = take(2)
    y = tokens[target] + positions[steps]
    for _ in range(LAYERS):
        normal = normalise(y, *take(2))
        y = y + attend(normal, normal, written, take(8))
        y = y + attend(normalise(y, *take(2)), encoded, read, take(8))
        y = y + feed_forward(normalise(y, *take(2)), *take(4))
    kernel, bias = weights[2:]
    return normalise(y, *weights[:2]) @ kernel + bias


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formula(self):
        model, x = randomised(), inputs()
        seen = x["target"] != 0
        expected = reference(x, *model.get_weights())
        assert_close(array(model(x))[seen], expected[seen], 1e-4)

    def test_padding_changes_nothing(self):
        model, x = randomised(), inputs()
        y = array(model(x))
        for i, (source, target) in enumerate(
            zip(SOURCE_LENGTHS[:, 0], TARGET_LENGTHS[:, 0], strict=True)
        ):
            item = {
                "source": x["source"][i : i + 1, :source],
                "target": x["target"][i : i + 1, :target],
            }
            assert_close(array(model(item))[0], y[i, :target])

    def test_later_tokens_do_not_matter(self):
        model, x = randomised(), inputs()
        before = array(model(x))
        x["target"][:2, 2] = x["target"][:2, 2] % (TARGETS - 1) + 1
        after = array(model(x))
        assert_close(after[:, :2], before[:, :2])
        assert np.abs(after[:2, 2:] - before[:2, 2:]).max(axis=-1).min() > 1e-3

    @pytest.mark.parametrize(
        "part",
        [
            *(
                "source_dropout",
                "target_dropout",
                "encoder_0/attention",
                "decoder_0/attention",
            ),
            *("encoder_0/attention_dropout", "encoder_0/feed_forward_dropout"),
            *("decoder_0/cross_attention", "decoder_0/cross_attention_dropout"),
            *("decoder_0/attention_dropout", "decoder_0/feed_forward_dropout"),
        ],
    )
    def test_drops_in_training_only(self, part):
        model, x = randomised(num_layers=1, dropout=0.25), inputs()
        drops = {
            f"{side}_dropout": model.get_layer(f"{side}_dropout")
            for side in ("source", "target")
        }
        for name in ("encoder_0", "decoder_0"):
            layer = model.get_layer(name)
            drops[f"{name}/attention"] = layer.attention
            drops[f"{name}/attention_dropout"] = layer.attention_dropout
            drops[f"{name}/feed_forward_dropout"] = layer.feed_forward_dropout
        drops["decoder_0/cross_attention"] = layer.cross_attention
        drops["decoder_0/cross_attention_dropout"] = layer.cross_attention_dropout
        for name, drop in drops.items():
            if isinstance(drop, keras.layers.Dropout):
                assert drop.rate == 0.25
                drop.rate = 0.5 * (name == part)
            else:
                assert drop.dropout == 0.25
                if name != part:
                    # Only the bias of the attention is left, whatever it drops.
                    kernel = drop.output_dense.kernel
                    kernel.assign(np.zeros(kernel.shape))

        def outputs(training):
            if part.startswith(("source", "encoder")):
                return array(model.encode(x["source"], training=training))
            return array(model(x, training=training))

        assert (outputs(True) != outputs(False)).any()
        assert (outputs(False) == outputs(None)).all()

    def test_dropouts_have_names_and_the_dtype_policy(self):
        model = make(dtype="mixed_bfloat16")
        names = {
            model: ["source_dropout", "target_dropout"],
            model.encoder_blocks[0]: ["attention_dropout", "feed_forward_dropout"],
            model.decoder_blocks[0]: [
                "attention_dropout",
                "cross_attention_dropout",
                "feed_forward_dropout",
            ],
        }
        for part, attributes in names.items():
            for name in attributes:
                drop = getattr(part, name)
                assert (drop.name, drop.dtype_policy.name) == (name, "mixed_bfloat16")

    def test_samples_are_independent(self):
        model, x = randomised(), inputs()
        rest = {name: tokens[1:] for name, tokens in x.items()}
        assert_close(array(model(x))[1:], array(model(rest)))


class TestGenerate:
    def test_generates_the_most_likely_tokens_up_to_the_end(self):
        model, source = randomised(dropout=0.5), inputs()["source"]
        scatter(model, seed=345)
        weights = model.get_weights()
        written = np.full((BATCH, 1), START)
        for _ in range(LENGTH):
            logits = reference({"source": source, "target": written}, *weights)[:, -1]
            written = np.append(written, logits.argmax(axis=-1)[:, None], axis=1)
        written = written[:, 1:]
        ends = np.cumsum(written == END, axis=1) - (written == END)
        expected = np.where(ends == 0, written, 0)
        assert {*np.count_nonzero(expected, axis=1)} == {4, 6}
        found = model.generate(source, LENGTH)
        assert found.dtype == "int32"
        assert (found == expected).all()

    def test_zero_new_tokens(self):
        assert make().generate(inputs()["source"], 0).shape == (BATCH, 0)

    @pytest.mark.parametrize("number", [-1, 2.5, None])
    def test_generate_refuses_bad_max_new_tokens(self, number):
        with pytest.raises(
            ValueError, match="`max_new_tokens` must be a non-negative int"
        ):
            make().generate(inputs()["source"], number)

    @pytest.mark.parametrize("source", [1, [1, 2], [[[1]]]])
    def test_refuses_a_source_of_another_rank(self, source):
        with pytest.raises(ValueError, match="`source` must have the shape"):
            make().generate(source, 1)


class TestShapes:
    @pytest.mark.parametrize("steps", [None, TARGET_STEPS])
    def test_static_shape_is_correct(self, steps):
        model, x = make(), inputs()
        assert model(x).shape == (BATCH, TARGET_STEPS, TARGETS)
        shapes = {"source": (None, None), "target": (None, steps)}
        assert model.compute_output_shape(shapes) == (None, steps, TARGETS)
        symbolic = {
            name: keras.KerasTensor(shape, "int32") for name, shape in shapes.items()
        }
        assert make()(symbolic).shape == (None, steps, TARGETS)

    @pytest.mark.parametrize("name", ["source", "target"])
    def test_refuses_more_tokens_than_it_has_positions(self, name):
        x = inputs()
        x[name] = np.ones((BATCH, LENGTH + 1), "int32")
        with pytest.raises(ValueError, match="at most `sequence_length` tokens"):
            make()(x)


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build(SHAPES)
        halves = {
            "encoder": ("source", SOURCES, ["attention"]),
            "decoder": ("target", TARGETS, ["attention", "cross_attention"]),
        }
        expected = []
        for half, (side, tokens, attentions) in halves.items():
            expected += [
                (f"{side}_embedding/token_embedding/embeddings", (tokens, DIM)),
                (f"{side}_embedding/position_embedding/embeddings", (LENGTH, DIM)),
            ]
            for block in range(LAYERS):
                for attention in attentions:
                    expected += [
                        (f"{half}_{block}/{attention}_norm/gamma", (DIM,)),
                        (f"{half}_{block}/{attention}_norm/beta", (DIM,)),
                        (
                            f"{half}_{block}/{attention}/query/kernel",
                            (DIM, HEADS, DIM // HEADS),
                        ),
                        (
                            f"{half}_{block}/{attention}/query/bias",
                            (HEADS, DIM // HEADS),
                        ),
                        (
                            f"{half}_{block}/{attention}/key/kernel",
                            (DIM, HEADS, DIM // HEADS),
                        ),
                        (f"{half}_{block}/{attention}/key/bias", (HEADS, DIM // HEADS)),
                        (
                            f"{half}_{block}/{attention}/value/kernel",
                            (DIM, HEADS, DIM // HEADS),
                        ),
                        (
                            f"{half}_{block}/{attention}/value/bias",
                            (HEADS, DIM // HEADS),
                        ),
                        (
                            f"{half}_{block}/{attention}/attention_output/kernel",
                            (HEADS, DIM // HEADS, DIM),
                        ),
                        (f"{half}_{block}/{attention}/attention_output/bias", (DIM,)),
                    ]
                expected += [
                    (f"{half}_{block}/feed_forward_norm/gamma", (DIM,)),
                    (f"{half}_{block}/feed_forward_norm/beta", (DIM,)),
                    (f"{half}_{block}/intermediate_dense/kernel", (DIM, UNITS)),
                    (f"{half}_{block}/intermediate_dense/bias", (UNITS,)),
                    (f"{half}_{block}/output_dense/kernel", (UNITS, DIM)),
                    (f"{half}_{block}/output_dense/bias", (DIM,)),
                ]
            expected += [(f"{half}_norm/gamma", (DIM,)), (f"{half}_norm/beta", (DIM,))]
        expected += [("head/kernel", (DIM, TARGETS)), ("head/bias", (TARGETS,))]
        assert [(path(weight), weight.shape) for weight in model.weights] == expected
        assert model.trainable_weights == model.weights


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyTranslator).parameters]
        layer = MyTranslator(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyTranslator"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyTranslator
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyTranslator(
            source_vocabulary_size=SOURCES, target_vocabulary_size=TARGETS
        )
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

    @pytest.mark.parametrize(
        "layer", [TokenAndPositionEmbedding, EncoderBlock, DecoderBlock]
    )
    def test_layers_come_back_from_their_config(self, layer):
        names = ["source_embedding", "encoder_0", "decoder_0"]
        found = [make(dropout=0.25).get_layer(name) for name in names]
        config = next(one for one in found if type(one) is layer).get_config()
        assert layer.from_config(config).get_config() == config


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(dtype=policy), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *model.weights))
        seen = x["target"] != 0
        expected = reference(x, *weights)
        assert_close(array(ops.cast(y, "float32"))[seen], expected[seen], tolerance=0.1)
        assert model.generate(x["source"], 2).shape == (BATCH, 2)

    def test_compiles_for_training(self):
        model, x = make(), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        logits, labels = array(model(x)), x["target"]
        probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        right = np.take_along_axis(probs, labels[..., None], axis=-1)[..., 0]
        seen = labels != 0  # Padding is ignored.
        results = model.evaluate(x, labels, return_dict=True, verbose=0)
        assert_close(results["loss"], -np.log(right[seen]).mean())
        hits = logits.argmax(axis=-1) == labels
        assert_close(results["accuracy"], hits[seen].mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        # Each target counts up; source and target are in one array.
        source = np.random.default_rng(0).integers(1, SOURCES, size=(64, SOURCE_STEPS))
        target = (np.arange(64)[:, None] + np.arange(TARGET_STEPS)) % (TARGETS - 1) + 1
        x = np.concatenate([source, target], axis=1).astype("int32")
        y = x[:, SOURCE_STEPS:] % (TARGETS - 1) + 1
        tokens = keras.Input((SOURCE_STEPS + TARGET_STEPS,), dtype="int32")
        parts = {"source": tokens[:, :SOURCE_STEPS], "target": tokens[:, SOURCE_STEPS:]}
        model = keras.Model(tokens, make()(parts))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.02), loss)
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
            f"import keras, numpy as np, {MyTranslator.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyTranslator.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
