"""Tests for `GainedAttention`, on any Keras backend.

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

from gained_attention import GainedAttention

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, QUERY_STEPS, STEPS, DIM, VALUE_DIM = 4, 3, 5, 6, 2
SCALE, WEIGHT = 0.3, 0.7

# A value other than the default for every constructor argument.
CHANGED = {
    "use_scale": False,
    "score_mode": "dot",
    "dropout": 0.5,
    "seed": 8,
    "gain": 0.5,
    "label": "mine_changed",
}
DEFAULTS = {
    "use_scale": True,
    "score_mode": "concat",
    "dropout": 0.2,
    "seed": 7,
    "gain": 1.0,
    "label": "mine",
}
ACCEPTED = {
    "dropout": [0.0, 1.0, 1],
    "gain": [1],
}
REFUSED = {
    "score_mode": ["dot-concat", None],
    "dropout": [-1.0, 2.0, "1.0", None],
    "gain": [0.0, "1.0", None],
    "label": [2, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"use_scale": False, "score_mode": "dot", "dropout": 0.0, "seed": None}
    return GainedAttention(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    shapes = [(QUERY_STEPS, DIM), (STEPS, VALUE_DIM), (STEPS, DIM)]
    return [rng.normal(size=(batch, *shape)).astype("float32") for shape in shapes]


def dot(query, key, scale):
    return scale * (query * key).sum()


def concat(query, key, scale):
    return WEIGHT * np.tanh(scale * (query + key)).sum()


def reference(query, value, key, score=dot, scale=1.0, seen=True):
    """The outputs and the weights by the formula, one query and key at a time."""
    weights = np.zeros((*query.shape[:2], key.shape[1]))
    for sample, i, j in np.ndindex(*weights.shape):
        weights[sample, i, j] = np.exp(score(query[sample, i], key[sample, j], scale))
    weights = weights * seen
    weights /= weights.sum(-1, keepdims=True)
    return np.stack([w @ v for w, v in zip(weights, value, strict=True)]), weights


def both(layer, *arguments, **options):
    """The outputs and the weights of a call, as arrays."""
    found = layer(*arguments, return_attention_scores=True, **options)
    return [array(ops.cast(tensor, "float32")) for tensor in found]


def assert_both_close(actual, expected, tolerance=1e-5):
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other, tolerance)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("score", [dot, concat])
    @pytest.mark.parametrize("use_scale", [True, False])
    def test_equals_the_formula(self, score, use_scale):
        layer, x = make(score_mode=score.__name__, use_scale=use_scale), inputs()
        layer.build([one.shape for one in x])
        values = {"scale": SCALE, "concat_score_weight": WEIGHT}
        layer.set_weights([np.float32(values[weight.name]) for weight in layer.weights])
        found = both(layer, x)
        assert_both_close(found, reference(*x, score, SCALE if use_scale else 1.0))
        assert_close(array(layer(x)), found[0])

    def test_without_a_key_the_value_is_the_key(self):
        layer, (query, _, key) = make(), inputs()
        assert_close(array(layer([query, key])), array(layer([query, key, key])))

    @pytest.mark.parametrize("dtype", [None, "bool", "float32"])
    @pytest.mark.parametrize("causal", [True, False])
    def test_masked_values_get_no_weight(self, dtype, causal):
        layer, x = make(), inputs()
        seen = np.arange(STEPS) < [[5], [3], [1], [4]]
        mask = None if dtype is None else [None, ops.cast(seen, dtype)]
        seen = np.ones((1, 1, STEPS)) if dtype is None else seen[:, None]
        if causal:
            seen = seen * np.tri(QUERY_STEPS, STEPS)
        found = both(layer, x, mask=mask, use_causal_mask=causal)
        assert_both_close(found, reference(*x, seen=seen))

    @pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
    def test_values_get_equal_weights_if_all_are_masked(self, policy):
        hidden = [None, ops.zeros((BATCH, STEPS), "bool")]
        _, weights = both(make(dtype=policy), inputs(), mask=hidden)
        assert_close(weights, np.full_like(weights, 1 / STEPS), tolerance=1e-3)

    @pytest.mark.parametrize("policy", ["float16", "bfloat16", "float32"])
    @pytest.mark.parametrize("causal", [True, False])
    def test_masked_values_get_no_weight_despite_low_scores(self, policy, causal):
        low = {"float16": -200.0, "bfloat16": -1e15, "float32": -1e15}[policy]
        layer = make(dtype=policy)
        query, value = np.zeros((1, 1, DIM)), np.zeros((1, 2, DIM))
        query[..., 0], value[:, 0, 0], value[:, 1, 0] = (
            low,
            -low,
            low,
        )  # Scores of ∓low².
        mask = None if causal else [None, np.array([[True, False]])]
        _, weights = both(layer, [query, value], mask=mask, use_causal_mask=causal)
        assert weights.tolist() == [[[1.0, 0.0]]]

    @pytest.mark.parametrize("dtype", ["bool", "float32"])
    def test_masked_queries_output_zeros(self, dtype):
        layer, x = make(), inputs()
        mask = np.arange(QUERY_STEPS) < [[3], [2], [1], [0]]
        y = array(layer(x, mask=[ops.cast(mask, dtype), None]))
        assert_close(y, np.where(mask[..., None], array(layer(x)), 0))

    def test_dropout_drops_weights_in_training(self):
        layer, x = make(dropout=0.4), inputs(batch=200)
        (y, kept), (_, whole) = both(layer, x, training=True), both(layer, x)
        assert abs((kept == 0).mean() - 0.4) < 0.05
        assert_close(kept, np.where(kept == 0, 0, whole / (1 - 0.4)))
        assert_close(y, kept @ x[1])

    def test_the_same_seed_repeats_the_draws(self):
        x = inputs()
        one, twin, other = (
            array(make(dropout=0.5, seed=n)(x, training=True)) for n in (1, 1, 2)
        )
        assert (one == twin).all()
        assert (one != other).any()

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer([one[1:] for one in x])))


class TestShapes:
    @pytest.mark.parametrize("batch", [BATCH, None])
    @pytest.mark.parametrize("steps", [STEPS, None])
    def test_static_shape_is_correct(self, batch, steps):
        shapes = [
            (batch, QUERY_STEPS, DIM),
            (batch, steps, VALUE_DIM),
            (batch, steps, DIM),
        ]
        layer = make()
        assert layer.compute_output_shape(shapes) == (batch, QUERY_STEPS, VALUE_DIM)
        outputs, weights = layer(
            [keras.KerasTensor(shape) for shape in shapes], return_attention_scores=True
        )
        assert outputs.shape == (batch, QUERY_STEPS, VALUE_DIM)
        assert weights.shape == (batch, QUERY_STEPS, steps)
        outputs, weights = layer(inputs(), return_attention_scores=True)
        assert outputs.shape == (BATCH, QUERY_STEPS, VALUE_DIM)
        assert weights.shape == (BATCH, QUERY_STEPS, STEPS)

    def test_refuses_inputs_and_masks_that_are_not_lists(self):
        query, *_ = x = inputs()
        for bad in (query, tuple(x), [query], [*x, query]):
            with pytest.raises(ValueError, match="`inputs` must be a list"):
                make()(bad)
        for mask in (True, [None], (None, None), [None] * 4):
            with pytest.raises(ValueError, match="`mask` must be a list"):
                make()(x, mask=mask)


class TestWeights:
    @pytest.mark.parametrize(
        ("arguments", "names"),
        [
            ({}, []),
            ({"use_scale": True}, ["scale"]),
            ({"score_mode": "concat"}, ["concat_score_weight"]),
            (
                {"use_scale": True, "score_mode": "concat"},
                ["scale", "concat_score_weight"],
            ),
        ],
    )
    def test_names_shapes_and_initial_values(self, arguments, names):
        layer = make(**arguments)
        layer.build([x.shape for x in inputs()])
        assert [weight.name for weight in layer.weights] == names
        assert layer.trainable_weights == layer.weights
        for weight in layer.get_weights():
            assert weight.shape == ()
            assert weight == 1


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(GainedAttention).parameters]
        layer = GainedAttention(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>GainedAttention"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is GainedAttention
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = GainedAttention()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "dropout": np.float32(CHANGED["dropout"]),
            "gain": np.float32(CHANGED["gain"]),
        }
        layer = GainedAttention(**{**CHANGED, **numbers})
        json.dumps(layer.get_config())
        for name, value in numbers.items():
            assert np.array_equal(getattr(layer, name), value)

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


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy), inputs()
        mask = [None, ops.ones((BATCH, STEPS), "bool")]
        symbolic = [keras.KerasTensor(one.shape) for one in x]
        found = layer(x, mask=mask, return_attention_scores=True)
        for y in (*found, *layer(symbolic, return_attention_scores=True)):
            assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        found = both(layer, x, mask=mask, use_causal_mask=True)
        weights = [array(ops.cast(weight, "float32")) for weight in layer.weights]
        expected = reference(*x, *weights, seen=np.tri(QUERY_STEPS, STEPS))
        assert_both_close(found, expected, tolerance=0.05)

    def test_uses_its_inputs_masks_and_propagates_the_first(self):
        layer, (x, *_) = make(), inputs()
        x[:, -1] = 0
        masked = keras.layers.Masking()(x)
        y = layer([masked, masked])
        mask = array(y._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()
        expected = array(layer([x[:, :-1], x[:, :-1]]))
        assert_close(array(y), np.pad(expected, [(0, 0), (0, 1), (0, 0)]))
        assert layer.compute_mask([x, x], [None, mask]) is None

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x, *_ = inputs(batch=64)
        y = np.sin(x.sum(axis=(1, 2)))
        tokens = keras.Input(x.shape[1:])
        attended = make(use_scale=True)([tokens, tokens])
        hidden = keras.layers.Flatten()(keras.layers.Add()([tokens, attended]))
        hidden = keras.layers.Dense(32, activation="tanh")(hidden)
        model = keras.Model(tokens, keras.layers.Dense(1)(hidden))
        model.compile(keras.optimizers.Adam(0.05), "mse")
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
            f"import keras, numpy as np, {GainedAttention.__module__}\n"
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
        examples = doctest.testmod(sys.modules[GainedAttention.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
