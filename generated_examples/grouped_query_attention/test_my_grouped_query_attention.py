"""Tests for `MyGroupedQueryAttention`, on any Keras backend.

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

from my_grouped_query_attention import MyGroupedQueryAttention

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, QUERY_STEPS, STEPS, DIM = 4, 3, 5, 6
HEADS, GROUPS, SIZE = 4, 2, 3

# A value other than the default for every constructor argument.
CHANGED = {
    "head_dim": SIZE,
    "num_query_heads": HEADS,
    "num_key_value_heads": GROUPS,
    "dropout": 0.5,
    "use_bias": False,
    "sliding_window": 2,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.7, seed=7),
    "bias_initializer": keras.initializers.RandomNormal(stddev=0.8, seed=8),
    "kernel_regularizer": keras.regularizers.L2(0.9),
    "bias_regularizer": keras.regularizers.L2(1.0),
    "kernel_constraint": keras.constraints.MaxNorm(13.0),
    "bias_constraint": keras.constraints.MaxNorm(14.0),
    "use_gate": True,
    "seed": 7,
}
DEFAULTS = {
    "dropout": 0.0,
    "use_bias": True,
    "sliding_window": None,
    "kernel_initializer": keras.initializers.get("glorot_uniform"),
    "bias_initializer": keras.initializers.get("zeros"),
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
    "use_gate": False,
    "seed": None,
}
ACCEPTED = {
    "head_dim": [1],
    "num_key_value_heads": [1],
    "dropout": [0.0, 1.0, 1],
    "sliding_window": [1],
}
REFUSED = {
    "head_dim": [0, 2.5, True, "2", None],
    "num_key_value_heads": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 2.0, "1.0", None],
    "sliding_window": [0, 2.5, True, "2"],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "head_dim": SIZE,
        "num_query_heads": HEADS,
        "num_key_value_heads": GROUPS,
        "bias_initializer": "random_normal",
    }
    return MyGroupedQueryAttention(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    shapes = [(QUERY_STEPS, DIM), (STEPS, DIM), (STEPS, DIM)]
    return [rng.normal(size=(batch, *shape)).astype("float32") for shape in shapes]


def project(dense, x, axes=1):
    """The product of the last axes of `x` and the kernel, plus the bias."""
    kernel, *bias = (array(ops.cast(weight, "float32")) for weight in dense.weights)
    return np.tensordot(x, kernel, axes) + sum(bias)


def reference(layer, query, value, key, seen=True):
    """The outputs and the weights by the formula, one head at a time."""
    q, k = project(layer.query_dense, query), project(layer.key_dense, key)
    v = project(layer.value_dense, value)
    outputs = np.zeros((*query.shape[:2], HEADS, v.shape[-1]))
    weights = np.zeros((len(query), HEADS, query.shape[1], key.shape[1]))
    seen = np.broadcast_to(seen, weights.shape)
    for sample, head in np.ndindex(*weights.shape[:2]):
        group = head * layer.num_key_value_heads // HEADS
        scores = q[sample, :, head] @ k[sample, :, group].T / np.sqrt(SIZE)
        raised = np.exp(scores) * seen[sample, head]
        weights[sample, head] = raised / raised.sum(-1, keepdims=True)
        outputs[sample, :, head] = weights[sample, head] @ v[sample, :, group]
    if layer.use_gate:
        outputs /= 1 + np.exp(-project(layer.gate_dense, query))
    return project(layer.output_dense, outputs, axes=2), weights


def both(layer, *arguments, **options):
    """The outputs and the weights of a call, as arrays."""
    found = layer(*arguments, return_attention_scores=True, **options)
    return [array(ops.cast(tensor, "float32")) for tensor in found]


def assert_all_close(layer, x, expected, tolerance=1e-5, **options):
    """Check the layer's outputs, with and without the weights."""
    (outputs, weights), alone = both(layer, *x, **options), layer(*x, **options)
    assert_close(outputs, expected[0], tolerance)
    assert_close(weights, expected[1], tolerance)
    assert_close(array(ops.cast(alone, "float32")), expected[0], tolerance)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"use_bias": False},
            {"use_gate": True},
            {"num_key_value_heads": HEADS},
            {"num_key_value_heads": 1},
        ],
    )
    def test_equals_the_formula(self, arguments):
        layer, x = make(**arguments), inputs()
        layer.build(*(one.shape for one in x))
        assert_all_close(layer, x, reference(layer, *x))

    def test_without_a_key_the_value_is_the_key(self):
        layer, (query, value, _) = make(), inputs()
        y = array(layer(query, value))
        assert_close(y, array(layer(query, value, value)))

    @pytest.mark.parametrize("causal", [True, False])
    @pytest.mark.parametrize("window", [None, 1, 2])
    @pytest.mark.parametrize(
        "masks", [(), ("value_mask", "key_mask"), ("attention_mask",)]
    )
    def test_attends_only_where_allowed(self, causal, window, masks):
        layer, x = make(sliding_window=window), inputs()
        layer.build(*(one.shape for one in x))
        distance = np.arange(STEPS) - np.arange(QUERY_STEPS)[:, None]
        seen = np.ones((BATCH, 1, QUERY_STEPS, STEPS), bool)
        if causal:
            seen = seen & (distance <= 0)
        if window is not None:
            seen = seen & (abs(distance) < window)
        given = {}
        if "value_mask" in masks:
            given = {name: np.ones((BATCH, STEPS), bool) for name in masks}
            given["value_mask"][1:, 3] = given["key_mask"][2:, 4] = False
            seen = seen & (given["value_mask"] & given["key_mask"])[:, None, None]
        if "attention_mask" in masks:
            mask = np.random.default_rng(1).random((BATCH, QUERY_STEPS, STEPS)) < 0.6
            given = {"attention_mask": mask | np.eye(QUERY_STEPS, STEPS, dtype=bool)}
            seen = seen & given["attention_mask"][:, None]
        expected = reference(layer, *x, seen=seen)
        given = {name: ops.convert_to_tensor(mask) for name, mask in given.items()}
        assert_all_close(layer, x, expected, use_causal_mask=causal, **given)

    @pytest.mark.parametrize("axes", [(), (BATCH,), (BATCH, HEADS)])
    def test_an_attention_mask_is_broadcast(self, axes):
        layer, x = make(), inputs()
        layer.build(*(one.shape for one in x))
        seen = np.random.default_rng(1).random((*axes, QUERY_STEPS, STEPS)) < 0.6
        seen[..., 0] = True
        expected = reference(layer, *x, seen=seen[:, None] if len(axes) == 1 else seen)
        mask = ops.cast(seen, "float32")
        assert_all_close(layer, x, expected, attention_mask=mask)

    @pytest.mark.parametrize("policy", ["float16", "bfloat16", "float32"])
    @pytest.mark.parametrize("causal", [True, False])
    def test_masked_values_get_no_weight_despite_low_scores(self, policy, causal):
        layer = make(kernel_initializer="ones", use_bias=False, dtype=policy)
        size = {"float16": 30.0, "bfloat16": 1e14, "float32": 1e14}[policy]
        query, value = np.full((1, 1, DIM), size), size * np.array(
            [[[-1] * DIM, [1] * DIM]]
        )
        given = {} if causal else {"value_mask": ops.convert_to_tensor([[True, False]])}
        _, weights = both(layer, query, value, use_causal_mask=causal, **given)
        assert (weights == [1.0, 0.0]).all()

    def test_masked_queries_have_no_weights(self):
        layer, x = make(), inputs()
        mask = np.arange(QUERY_STEPS) < [[3], [2], [1], [3]]
        outputs, weights = both(layer, *x, query_mask=ops.convert_to_tensor(mask))
        whole = both(layer, *x)
        assert_close(outputs[mask], whole[0][mask])
        assert_close(weights, np.where(mask[:, None, :, None], whole[1], 0))

    def test_dropout_drops_weights_in_training(self):
        layer, x = make(dropout=0.4), inputs(batch=200)
        (y, weights), (kept, same) = both(layer, *x), both(layer, *x, training=True)
        assert_close(same, weights)  # These are the weights before dropout.
        assert_close(array(layer(*x)), y)
        many = [array(layer(*x, training=True)) for _ in range(50)]
        assert np.abs(kept - y).max() > 0.1
        assert np.abs(np.mean(many, axis=0) - y).mean() < 0.2 * np.abs(kept - y).mean()

    def test_the_same_seed_repeats_the_draws(self):
        x = inputs()
        layers = [make(dropout=0.5, seed=n) for n in (1, 1, 2)]
        for layer in layers:
            layer.build(*(one.shape for one in x))
            layer.set_weights(layers[0].get_weights())
        one, twin, other = (array(layer(*x, training=True)) for layer in layers)
        assert (one == twin).all()
        assert (one != other).any()

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(*x))[1:], array(layer(*(one[1:] for one in x))))


class TestShapes:
    @pytest.mark.parametrize("batch", [BATCH, None])
    @pytest.mark.parametrize("steps", [STEPS, None])
    def test_static_shape_is_correct(self, batch, steps):
        shapes = [(batch, QUERY_STEPS, DIM), (batch, steps, DIM), (batch, steps, DIM)]
        layer, tensors = make(), [keras.KerasTensor(shape) for shape in shapes]
        assert layer.compute_output_shape(*shapes) == shapes[0]
        assert layer.compute_output_shape(*shapes[:2]) == shapes[0]
        assert layer(*tensors).shape == shapes[0]
        outputs, weights = layer(*tensors[:2], return_attention_scores=True)
        assert outputs.shape == shapes[0]
        assert weights.shape == (batch, HEADS, QUERY_STEPS, steps)
        outputs, weights = layer(*inputs(), return_attention_scores=True)
        assert outputs.shape == (BATCH, QUERY_STEPS, DIM)
        assert weights.shape == (BATCH, HEADS, QUERY_STEPS, STEPS)

    @pytest.mark.parametrize("shape", [(BATCH, DIM), (BATCH, 2, STEPS, DIM)])
    @pytest.mark.parametrize("which", range(3))
    def test_refuses_another_rank(self, shape, which):
        shapes = [one.shape for one in inputs()]
        shapes[which] = shape
        for refuses in (make().build, make().compute_output_shape):
            with pytest.raises(ValueError, match="must have rank 3"):
                refuses(*shapes)
        with pytest.raises(ValueError, match=r"expected ndim=3|must have rank 3"):
            make()(*map(keras.KerasTensor, shapes))

    def test_refuses_a_key_and_value_of_different_lengths(self):
        layer, (query, value, key) = make(), inputs()
        with pytest.raises(ValueError, match="must have the same number of steps"):
            layer(query, value, key[:, 1:])
        layer(query, value, key)
        x = [keras.KerasTensor(one.shape) for one in (query, value, key[:, 1:])]
        with pytest.raises(ValueError, match="must have the same number of steps"):
            layer(*x)


class TestWeights:
    def test_names_shapes_and_initial_values(self):
        layer = make(use_gate=True, bias_initializer="zeros")
        layer.build((None, None, DIM), (None, None, 7), (None, None, 8))
        shapes = {
            "query": [(DIM, HEADS, SIZE), (HEADS, SIZE)],
            "key": [(8, GROUPS, SIZE), (GROUPS, SIZE)],
            "gate": [(DIM, HEADS, SIZE), (HEADS, SIZE)],
            "value": [(7, GROUPS, SIZE), (GROUPS, SIZE)],
            "attention_output": [(HEADS, SIZE, DIM), (DIM,)],
        }
        names = [weight.path.split("/", 1)[-1] for weight in layer.weights]
        assert names == [
            f"{name}/{kind}" for name in shapes for kind in ("kernel", "bias")
        ]
        expected = [shape for pair in shapes.values() for shape in pair]
        assert [weight.shape for weight in layer.weights] == expected
        assert layer.trainable_weights == layer.weights
        kernels, biases = layer.get_weights()[::2], layer.get_weights()[1::2]
        assert all((bias == 0).all() for bias in biases)
        assert all(0.1 < np.abs(kernel).max() < 1 for kernel in kernels)
        assert (kernels[0] != kernels[2]).all()  # Initialized independently.

    def test_initializers_apply_to_each_projection(self):
        start = {"kernel_initializer": "ones", "bias_initializer": "ones"}
        layer, plain = make(**start), make(**start, use_bias=False)
        for one in (layer, plain):
            one.build((None, None, DIM), (None, None, DIM))
            assert all((weight == 1).all() for weight in one.get_weights())
        assert [weight.name for weight in layer.weights] == ["kernel", "bias"] * 4
        assert [weight.name for weight in plain.weights] == ["kernel"] * 4

    def test_regularizers_and_constraints_apply_to_each_projection(self):
        layer = make(
            kernel_regularizer=keras.regularizers.L1(0.1),
            bias_regularizer=keras.regularizers.L2(0.1),
            kernel_constraint="non_neg",
            bias_constraint="unit_norm",
        )
        layer.build((None, None, DIM), (None, None, DIM))
        weights = layer.get_weights()
        expected = [0.1 * np.abs(kernel).sum() for kernel in weights[::2]]
        expected += [0.1 * (bias**2).sum() for bias in weights[1::2]]
        assert_close(sorted(array(loss) for loss in layer.losses), sorted(expected))
        for kernel, bias in zip(layer.weights[::2], layer.weights[1::2], strict=True):
            assert isinstance(kernel.constraint, keras.constraints.NonNeg)
            assert isinstance(bias.constraint, keras.constraints.UnitNorm)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyGroupedQueryAttention).parameters
        ]
        layer = MyGroupedQueryAttention(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyGroupedQueryAttention"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyGroupedQueryAttention
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyGroupedQueryAttention(
            head_dim=SIZE, num_query_heads=HEADS, num_key_value_heads=GROUPS
        )
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "head_dim": np.int64(CHANGED["head_dim"]),
            "num_query_heads": np.int64(CHANGED["num_query_heads"]),
            "num_key_value_heads": np.int64(CHANGED["num_key_value_heads"]),
            "dropout": np.float32(CHANGED["dropout"]),
            "sliding_window": np.int64(CHANGED["sliding_window"]),
        }
        layer = MyGroupedQueryAttention(**{**CHANGED, **numbers})
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
        with pytest.raises(ValueError, match=f"^`{name}` must be"):
            make(**{name: value})

    def test_accepts_a_config_of_the_built_in(self):
        config = MyGroupedQueryAttention(
            head_dim=SIZE, num_query_heads=HEADS, num_key_value_heads=GROUPS
        ).get_config()
        left_out = {"flash_attention": None, "activity_regularizer": None}
        assert (
            MyGroupedQueryAttention.from_config({**config, **left_out}).get_config()
            == config
        )

    @pytest.mark.parametrize("name", ["flash_attention", "activity_regularizer"])
    def test_refuses_unsupported_arguments(self, name):
        config = MyGroupedQueryAttention(
            head_dim=SIZE, num_query_heads=HEADS, num_key_value_heads=GROUPS
        ).get_config()
        with pytest.raises(ValueError, match=f"`{name}` is not supported"):
            MyGroupedQueryAttention.from_config({**config, name: "other"})

    @pytest.mark.parametrize("heads", [0, -2, 3, 4.0, True, "4", None])
    def test_query_heads_must_be_a_multiple_of_the_groups(self, heads):
        with pytest.raises(
            ValueError, match="`num_query_heads` must be a positive int"
        ):
            make(num_query_heads=heads)


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy, use_gate=True), inputs()
        for given in (x, [keras.KerasTensor(one.shape) for one in x]):
            for y in (layer(*given), *layer(*given, return_attention_scores=True)):
                assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        expected = reference(layer, *x, seen=np.tri(QUERY_STEPS, STEPS))
        assert_all_close(layer, x, expected, tolerance=0.05, use_causal_mask=True)

    def test_uses_its_inputs_masks_and_propagates_the_first(self):
        layer, (query, value, _) = make(), inputs()
        query[:, -1] = 0
        value[:, -2:] = 0
        y = layer(*(keras.layers.Masking()(x) for x in (query, value)))
        mask = array(y._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()
        expected = array(layer(query, value[:, :-2]))
        assert_close(array(y)[:, :-1], expected[:, :-1])

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x, *_ = inputs(batch=64)
        y = np.sin(x.sum(axis=(1, 2)))
        tokens = keras.Input(x.shape[1:])
        # Without biases, since that of the keys does not affect the softmax.
        attended = make(use_bias=False, use_gate=True)(tokens, tokens)
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
            f"import keras, numpy as np, {MyGroupedQueryAttention.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyGroupedQueryAttention.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
