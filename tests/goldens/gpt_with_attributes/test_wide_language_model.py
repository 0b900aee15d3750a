"""Tests for `WideLanguageModel`, on any Keras backend.

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

from wide_language_model import (
    CausalBlock,
    TokenAndPositionEmbedding,
    WideLanguageModel,
)

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, LENGTH, TOKENS = 3, 5, 8, 11
DIM, LAYERS, HEADS, UNITS, EPSILON = 6, 2, 2, 7, 1e-5

# A value other than the default for every constructor argument.
CHANGED = {
    "vocabulary_size": 1001,
    "sequence_length": 1025,
    "hidden_dim": DIM,
    "num_layers": 3,
    "num_heads": HEADS,
    "intermediate_dim": 257,
    "dropout": 0.5,
    "gain": 0.5,
    "label": "mine_changed",
}
DEFAULTS = {
    "vocabulary_size": 1000,
    "sequence_length": 1024,
    "hidden_dim": 128,
    "num_layers": 2,
    "num_heads": 8,
    "intermediate_dim": 256,
    "dropout": 0.2,
    "gain": 1.0,
    "label": "mine",
}
ACCEPTED = {
    "vocabulary_size": [1],
    "sequence_length": [1],
    "num_layers": [1],
    "num_heads": [1],
    "intermediate_dim": [1],
    "dropout": [0.0, 0],
    "gain": [1],
}
REFUSED = {
    "vocabulary_size": [0, 2.5, True, "2", None],
    "sequence_length": [0, 2.5, True, "2", None],
    "num_layers": [0, 2.5, True, "2", None],
    "num_heads": [0, 2.5, True, "2", None],
    "intermediate_dim": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 1.0, "1.0", None],
    "gain": [0.0, "1.0", None],
    "label": [2, None],
    "hidden_dim": [0, 2.5, "2", None, HEADS + 1],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "vocabulary_size": TOKENS,
        "sequence_length": LENGTH,
        "hidden_dim": DIM,
        "num_layers": LAYERS,
        "num_heads": HEADS,
        "intermediate_dim": UNITS,
        "dropout": 0.0,
    }
    return WideLanguageModel(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.integers(TOKENS, size=(batch, STEPS)).astype("int32")


def randomised(**arguments):
    """Return a built model with random weights, so that mix-ups are detected."""
    model = make(**arguments)
    model.build((None, STEPS))
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
    # GELU, approximated by tanh.
    x = x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2
    return x @ output_kernel + output_bias


def scatter(model, seed):
    """Set weights of large variance, so that the chosen tokens vary."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.weights])


def reference(x, tokens, positions, *weights):
    """Compute the outputs from the formula."""
    steps = np.arange(x.shape[1])
    seen = np.broadcast_to(steps <= steps[:, None], (len(x), len(steps), len(steps)))
    y = tokens[x] + positions[steps]
    for _ in range(LAYERS):
        (*first, q, qb, k, kb, v, vb, o, ob), weights = weights[:10], weights[10:]
        normal = normalise(y, *first)
        y = y + attend(normal, normal, seen, (q, qb, k, kb, v, vb, o, ob))
        y = y + feed_forward(normalise(y, *weights[:2]), *weights[2:6])
        weights = weights[6:]
    return normalise(y, *weights) @ tokens.T


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
        assert_close(array(model(x)), reference(x, *model.get_weights()), 1e-4)

    def test_later_tokens_do_not_matter(self):
        model, x = randomised(), inputs()
        before = array(model(x))
        x[:, 3] = (x[:, 3] + 1) % TOKENS
        after = array(model(x))
        assert_close(after[:, :3], before[:, :3])
        assert np.abs(after[:, 3:] - before[:, 3:]).max(axis=-1).min() > 1e-3

    @pytest.mark.parametrize("pieces", [(5,), (1, 1, 1, 1, 1), (3, 2)])
    def test_cache_gives_the_same_logits_piece_by_piece(self, pieces):
        model, x = randomised(), inputs()
        cache, start, found = model.make_cache(BATCH, LENGTH), 0, []
        for piece in pieces:
            y, cache = model(x[:, start : start + piece], cache=cache, start=start)
            found.append(array(y))
            start += piece
        assert_close(np.concatenate(found, axis=1), array(model(x)), 1e-4)

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

    def test_refuses_more_tokens_than_there_is_room_for(self):
        model, x = make(), inputs()
        cache = model.make_cache(BATCH, LENGTH)
        model(x, cache=cache, start=LENGTH - STEPS)
        with pytest.raises(ValueError, match="at most `sequence_length` tokens"):
            model(x, cache=cache, start=LENGTH - STEPS + 1)
        with pytest.raises(ValueError, match="room for all tokens in `cache`"):
            model(x, cache=model.make_cache(BATCH, STEPS), start=1)


class TestGenerate:
    @pytest.mark.parametrize("use_cache", [True, False])
    def test_greedy_picks_the_most_likely_token(self, use_cache):
        model, expected = randomised(), inputs()[:, :2]
        scatter(model, seed=11)
        for _ in range(6):
            chosen = reference(expected, *model.get_weights())[:, -1].argmax(axis=-1)
            expected = np.append(expected, chosen[:, None], axis=1)
        assert len({*expected[0]}) > 3
        found = model.generate(expected[:, :2], 6, use_cache=use_cache)
        assert (found == expected).all()

    @pytest.mark.parametrize(
        "arguments", [{}, {"temperature": 2.0}, {"temperature": 2.0, "top_k": 3}]
    )
    def test_same_tokens_with_and_without_a_cache(self, arguments):
        model, prompt = randomised(), inputs()[:, :2]
        scatter(model, seed=11)
        one, other = (
            model.generate(prompt, 6, seed=3, use_cache=use_cache, **arguments)
            for use_cache in (True, False)
        )
        assert one.shape == (BATCH, LENGTH)
        assert (one[:, :2] == prompt).all()
        assert (one == other).all()

    def test_samples_from_the_probabilities(self):
        model = randomised()
        logits = array(model(np.ones((1, 1), "int32")))[0, 0]
        temperature = np.ptp(logits) / 2
        probs = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
        found = model.generate(np.ones((4000, 1), "int32"), 1, temperature, seed=1)[
            :, 1
        ]
        shares = np.bincount(found, minlength=TOKENS) / 4000
        assert_close(shares, probs, tolerance=0.04)
        best = np.argsort(probs)[-3:]
        few = model.generate(
            np.ones((4000, 1), "int32"), 1, temperature, top_k=3, seed=1
        )[:, 1]
        shares = np.bincount(few, minlength=TOKENS) / 4000
        assert shares[best].sum() == 1
        assert_close(shares[best], probs[best] / probs[best].sum(), tolerance=0.05)

    def test_seed(self):
        model, prompt = randomised(), np.ones((20, 1), "int32")
        one, twin, other = (model.generate(prompt, 2, 1e3, seed=n) for n in (1, 1, 2))
        assert (one == twin).all()
        assert (one != other).any()

    @pytest.mark.parametrize("number", [-1, 2.5, None])
    def test_generate_refuses_bad_max_new_tokens(self, number):
        with pytest.raises(
            ValueError, match="`max_new_tokens` must be a non-negative int"
        ):
            make().generate(np.ones((1, 1)), number)

    @pytest.mark.parametrize("use_cache", [True, False])
    def test_zero_new_tokens(self, use_cache):
        assert (make().generate(inputs(), 0, use_cache=use_cache) == inputs()).all()

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("prompt", [1, [1, 2], [[[1]]]]),
            ("temperature", [-1, -0.5, float("nan")]),
            ("top_k", [0, -1, 2.5, TOKENS + 1]),
        ],
    )
    def test_refuses(self, name, values):
        for value in values:
            arguments = {"prompt": [[1]], "temperature": 1.0, name: value}
            with pytest.raises(ValueError, match=f"`{name}` must"):
                make().generate(max_new_tokens=1, **arguments)

    def test_top_k_can_be_all_tokens(self):
        model, prompt = randomised(), inputs()
        one, other = (
            model.generate(prompt, 3, 2.0, top_k, seed=1) for top_k in (None, TOKENS)
        )
        assert (one == other).all()

    @pytest.mark.parametrize(("steps", "new"), [(0, 1), (STEPS, LENGTH - STEPS + 1)])
    def test_refuses_prompts_of_a_bad_length(self, steps, new):
        with pytest.raises(ValueError, match="from 1 to `sequence_length` tokens"):
            make().generate(np.ones((1, steps), "int32"), new)


class TestShapes:
    @pytest.mark.parametrize("steps", [None, STEPS])
    def test_static_shape_is_correct(self, steps):
        model, x = make(), inputs()
        assert model(x).shape == (BATCH, STEPS, TOKENS)
        assert model.compute_output_shape((None, steps)) == (None, steps, TOKENS)
        assert make()(keras.KerasTensor((None, steps), "int32")).shape == (
            None,
            steps,
            TOKENS,
        )

    def test_refuses_more_tokens_than_it_has_positions(self):
        with pytest.raises(ValueError, match="at most `sequence_length` tokens"):
            make()(np.ones((1, LENGTH + 1), "int32"))


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build((None, STEPS))
        expected = [
            ("embedding/token_embedding/embeddings", (TOKENS, DIM)),
            ("embedding/position_embedding/embeddings", (LENGTH, DIM)),
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
        expected += [("norm/gamma", (DIM,)), ("norm/beta", (DIM,))]
        assert [(path(weight), weight.shape) for weight in model.weights] == expected
        assert model.trainable_weights == model.weights

    def test_initial_standard_deviation(self):
        model = make(
            vocabulary_size=200, sequence_length=200, hidden_dim=48, intermediate_dim=50
        )
        model.build((None, STEPS))
        initial = {path(w): ops.convert_to_numpy(w) for w in model.weights}
        drawn = [
            w for name, w in initial.items() if name.endswith(("kernel", "embeddings"))
        ]
        assert len(drawn) == 2 + 6 * LAYERS
        for weight in drawn:
            assert abs(weight.std() - 0.02) < 0.002

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        block = model.get_layer("block_0")
        parts = [
            model.get_layer("embedding_dropout"),
            block.attention_dropout,
            block.feed_forward_dropout,
        ]
        assert [part.name for part in parts] == [
            "embedding_dropout",
            "attention_dropout",
            "feed_forward_dropout",
        ]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(WideLanguageModel).parameters
        ]
        layer = WideLanguageModel(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>WideLanguageModel"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is WideLanguageModel
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = WideLanguageModel()
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
        with pytest.raises((TypeError, ValueError), match=f"^`{name}` must be"):
            make(**{name: value})

    def test_one_feature_with_one_head(self):
        assert make(hidden_dim=1, num_heads=1).hidden_dim == 1

    @pytest.mark.parametrize("layer", ["embedding", "block_0"])
    def test_layers_come_back_from_their_config(self, layer):
        config = make(dropout=0.25).get_layer(layer).get_config()
        twin = {"embedding": TokenAndPositionEmbedding, "block_0": CausalBlock}[
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
        assert {part.dtype for part in model.make_cache(1, 1)} == {model(x).dtype}
        assert model.generate(x, 1).shape == (BATCH, STEPS + 1)

    def test_compiles_for_training(self):
        model, x = make(), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        logits, labels = array(model(x)), np.roll(x, -1, axis=1)
        probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        right = np.take_along_axis(probs, labels[..., None], axis=-1)
        results = model.evaluate(x, labels, return_dict=True, verbose=0)
        assert_close(results["loss"], -np.log(right).mean())
        assert_close(results["accuracy"], (logits.argmax(axis=-1) == labels).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = (np.arange(64)[:, None] + np.arange(STEPS)).astype("int32") % TOKENS
        y = (x + 1) % TOKENS
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
            f"import keras, numpy as np, {WideLanguageModel.__module__}\n"
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
        examples = doctest.testmod(sys.modules[WideLanguageModel.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
