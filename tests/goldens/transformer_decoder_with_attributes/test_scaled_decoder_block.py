"""Tests for `ScaledDecoderBlock`, on any Keras backend.

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

from scaled_decoder_block import ScaledDecoderBlock

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, HEADS, UNITS, EPSILON = 4, 5, 6, 2, 7, 0.01
# Padding comes first, since causality alone would hide padding at the end.
SEEN = np.arange(STEPS) >= np.array([[0], [3], [1], [4]])

both_orders = pytest.mark.parametrize("normalize_first", [False, True])

# A value other than the default for every constructor argument.
CHANGED = {
    "intermediate_dim": UNITS,
    "num_heads": HEADS,
    "dropout": 0.5,
    "activation": keras.activations.tanh,
    "layer_norm_epsilon": 0.5,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.6, seed=6),
    "bias_initializer": keras.initializers.RandomNormal(stddev=0.7, seed=7),
    "normalize_first": False,
    "seed": 8,
    "scale": 0.5,
    "label": "mine_changed",
}
DEFAULTS = {
    "intermediate_dim": 32,
    "num_heads": 4,
    "dropout": 0.2,
    "activation": keras.activations.get("gelu"),
    "layer_norm_epsilon": 1e-05,
    "kernel_initializer": keras.initializers.get("glorot_uniform"),
    "bias_initializer": keras.initializers.get("zeros"),
    "normalize_first": True,
    "seed": 7,
    "scale": 1.0,
    "label": "mine",
}
ACCEPTED = {
    "intermediate_dim": [1],
    "num_heads": [1],
    "dropout": [0.0, 1.0, 1],
    "layer_norm_epsilon": [1],
    "scale": [1],
}
REFUSED = {
    "intermediate_dim": [0, 2.5, True, "2", None],
    "num_heads": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 2.0, "1.0", None],
    "layer_norm_epsilon": [0.0, "1.0", None],
    "scale": [0.0, "1.0", None],
    "label": [2, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "intermediate_dim": UNITS,
        "num_heads": HEADS,
        "dropout": 0.0,
        "activation": "relu",
        "layer_norm_epsilon": EPSILON,
        "normalize_first": False,
        "seed": None,
    }
    return ScaledDecoderBlock(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, STEPS, DIM)).astype("float32")


def built(**arguments):
    layer = make(**arguments)
    layer.build((None, STEPS, DIM))
    return layer


def randomise(layer):
    """Set every weight to random values, so that mixing up two weights shows."""
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in layer.weights])


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


def reference(x, weights, normalize_first=False, seen=SEEN | True):
    """The formula."""
    attention, norm, last_norm = weights[:8], weights[8:10], weights[10:12]
    kernel, bias, output_kernel, output_bias = weights[12:]
    seen = seen[:, None] & np.tri(STEPS, dtype=bool)

    def feed_forward(x):
        return np.maximum(x @ kernel + bias, 0) @ output_kernel + output_bias

    if normalize_first:
        y = normalise(x, *norm)
        x = x + attend(y, y, seen, attention)
        return x + feed_forward(normalise(x, *last_norm))
    x = normalise(x + attend(x, x, seen, attention), *norm)
    return normalise(x + feed_forward(x), *last_norm)


def step_by_step(layer, x, sizes):
    """The outputs, a few steps at a time, starting from a non-empty cache."""
    cache = layer.make_cache(BATCH, STEPS) + 100
    outputs, first = [], 0
    for size in sizes:
        y, cache = layer(
            x[:, first : first + size],
            self_attention_cache=cache,
            cache_update_index=ops.convert_to_tensor(first, "int32"),
        )
        outputs.append(array(y))
        first += size
    return np.concatenate(outputs, axis=1)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @both_orders
    def test_equals_the_formula(self, normalize_first):
        layer, x = built(normalize_first=normalize_first), inputs()
        randomise(layer)
        expected = reference(x, layer.get_weights(), normalize_first)
        assert_close(array(layer(x)), expected, 1e-4)

    @both_orders
    @pytest.mark.parametrize("sizes", [[1, 1, 1, 1, 1], [3, 1, 1], [STEPS]])
    def test_step_by_step_equals_a_single_call(self, normalize_first, sizes):
        layer, x = built(normalize_first=normalize_first), inputs()
        randomise(layer)
        assert_close(step_by_step(layer, x, sizes), array(layer(x)), 1e-4)

    @both_orders
    @pytest.mark.parametrize("carried", [False, True])
    def test_padding_is_not_attended_to(self, normalize_first, carried):
        layer, x = built(normalize_first=normalize_first), inputs()
        randomise(layer)
        expected = reference(x, layer.get_weights(), normalize_first, SEEN)
        if carried:
            x = keras.layers.Masking()(x * SEEN[..., None])
            y = layer(x)
            assert (array(x._keras_mask) == SEEN).all()
            assert (array(y._keras_mask) == SEEN).all()
        else:
            y = layer(x, mask=ops.convert_to_tensor(SEEN))
        assert_close(array(y)[SEEN], expected[SEEN], 1e-4)

    @pytest.mark.parametrize("part", ["self_attention", "feed_forward"])
    def test_dropout_drops_sublayer_outputs(self, part):
        layer, x = built(dropout=0.4, normalize_first=True), inputs(batch=100)
        layer.set_weights([np.zeros(weight.shape) for weight in layer.weights])
        is_last = part == "feed_forward"
        dense = layer.output_dense if is_last else getattr(layer, part).output_dense
        dense.bias.assign(np.ones(DIM))
        added = array(layer(x, training=True)) - x
        dropped = np.isclose(added, 0, atol=1e-6)
        assert abs(dropped.mean() - 0.4) < 0.05
        assert_close(added, np.where(dropped, 0, 1 / (1 - 0.4)))
        assert_close(array(layer(x)) - x, np.ones(added.shape))

    def test_dropout_drops_attention_weights(self):
        layer, x = built(dropout=0.4), inputs()
        layer.self_attention_dropout.rate = layer.feed_forward_dropout.rate = 0
        assert (array(layer(x, training=True)) != array(layer(x))).any()

    def test_the_same_seed_repeats_the_draws(self):
        x = inputs()
        one, twin, other = (built(dropout=0.5, seed=n) for n in (1, 1, 2))
        for layer in (twin, other):
            layer.set_weights(one.get_weights())
        first = array(one(x, training=True))
        assert (array(twin(x, training=True)) == first).all()
        assert (array(other(x, training=True)) != first).any()
        assert (array(one(x, training=True)) != first).any()

    def test_inner_layers_have_different_seeds(self):
        layer = built(dropout=0.4, seed=3)
        drawing = [layer.self_attention, layer.self_attention_dropout]
        seeds = [inner.seed for inner in (*drawing, layer.feed_forward_dropout)]
        assert seeds == [3, 4, 5]

    def test_samples_are_independent(self):
        layer, x = built(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize("batch", [None, BATCH])
    @pytest.mark.parametrize("steps", [None, 1, STEPS])
    def test_static_shape_is_correct(self, batch, steps):
        layer, shape = make(), (batch, steps, DIM)
        x = keras.KerasTensor(shape)
        assert layer(x).shape == shape
        assert layer.compute_output_shape(shape) == shape
        cache = keras.KerasTensor((batch, 2, STEPS, HEADS, DIM // HEADS))
        y, new_cache = layer(x, self_attention_cache=cache, cache_update_index=0)
        assert y.shape == shape
        assert new_cache.shape == cache.shape

    def test_real_shapes(self):
        layer, x = built(), inputs()
        assert layer(x).shape == (BATCH, STEPS, DIM)
        cache = layer.make_cache(BATCH, 8)
        assert cache.shape == (BATCH, 2, 8, HEADS, DIM // HEADS)
        assert (array(cache) == 0).all()
        found = layer(x, self_attention_cache=cache, cache_update_index=2)
        assert [one.shape for one in found] == [
            (BATCH, STEPS, DIM),
            cache.shape,
        ]

    def test_refuses_bad_inputs(self):
        with pytest.raises(ValueError, match="ndim=3"):
            built()(inputs()[0])
        with pytest.raises(ValueError, match="a multiple of `num_heads`"):
            built(num_heads=DIM - 1)


class TestWeights:
    def test_paths_and_shapes(self):
        layer, heads = built(name="mine"), (HEADS, DIM // HEADS)
        expected = {
            "mine/self_attention/query/kernel": (DIM, *heads),
            "mine/self_attention/query/bias": heads,
            "mine/self_attention/key/kernel": (DIM, *heads),
            "mine/self_attention/key/bias": heads,
            "mine/self_attention/value/kernel": (DIM, *heads),
            "mine/self_attention/value/bias": heads,
            "mine/self_attention/attention_output/kernel": (*heads, DIM),
            "mine/self_attention/attention_output/bias": (DIM,),
            "mine/self_attention_norm/gamma": (DIM,),
            "mine/self_attention_norm/beta": (DIM,),
            "mine/feed_forward_norm/gamma": (DIM,),
            "mine/feed_forward_norm/beta": (DIM,),
            "mine/intermediate_dense/kernel": (DIM, UNITS),
            "mine/intermediate_dense/bias": (UNITS,),
            "mine/output_dense/kernel": (UNITS, DIM),
            "mine/output_dense/bias": (DIM,),
        }
        found = [(weight.path, weight.shape) for weight in layer.weights]
        assert found == [*expected.items()]
        assert layer.trainable_weights == layer.weights

    def test_initializers_apply_to_all_kernels_and_biases(self):
        normal = keras.initializers.RandomNormal()
        layer = built(
            intermediate_dim=DIM, kernel_initializer=normal, bias_initializer="ones"
        )
        kernels = [w for w in layer.weights if w.name == "kernel"]
        assert len({float(array(kernel).ravel()[0]) for kernel in kernels}) == len(
            kernels
        )
        assert max(np.abs(array(kernel)).max() for kernel in kernels) < 0.25
        assert all((array(w) == 1).all() for w in layer.weights if w.name == "bias")


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(ScaledDecoderBlock).parameters
        ]
        layer = ScaledDecoderBlock(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>ScaledDecoderBlock"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is ScaledDecoderBlock
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = ScaledDecoderBlock()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "intermediate_dim": np.int64(CHANGED["intermediate_dim"]),
            "num_heads": np.int64(CHANGED["num_heads"]),
            "dropout": np.float32(CHANGED["dropout"]),
            "layer_norm_epsilon": np.float32(CHANGED["layer_norm_epsilon"]),
            "scale": np.float32(CHANGED["scale"]),
        }
        layer = ScaledDecoderBlock(**{**CHANGED, **numbers})
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
    @both_orders
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy, normalize_first):
        layer, x = built(dtype=policy, normalize_first=normalize_first), inputs()
        y = layer(x)
        cache = layer.make_cache(BATCH, STEPS)
        cached = layer(x, self_attention_cache=cache, cache_update_index=0)
        for one in (y, cache, *cached):
            assert keras.backend.standardize_dtype(one.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        y, other, *weights = (
            array(ops.cast(z, "float32")) for z in (y, cached[0], *layer.weights)
        )
        expected = reference(x, weights, normalize_first)
        assert_close(y, expected, tolerance=0.1)
        assert_close(other, expected, tolerance=0.1)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))

        model = keras.Sequential(
            [
                make(dropout=0.1),
                keras.layers.Flatten(),
                keras.layers.Dense(16, activation="tanh"),
                keras.layers.Dense(1),
            ]
        )
        model.build(x.shape)

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
            f"import keras, numpy as np, {ScaledDecoderBlock.__module__}\n"
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
        examples = doctest.testmod(sys.modules[ScaledDecoderBlock.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
