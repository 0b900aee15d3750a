"""Tests for `SparseMoE`, on any Keras backend.

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

from sparse_mo_e import SparseMoE

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, EXPERTS, UNITS = 4, 3, 5, 4, 7

# A value other than the default for every constructor argument.
CHANGED = {
    "num_experts": EXPERTS,
    "intermediate_dim": UNITS,
    "top_k": 3,
    "router_aux_loss_coef": 0.5,
    "activation": keras.activations.tanh,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.6, seed=6),
    "bias_initializer": keras.initializers.RandomNormal(stddev=0.7, seed=7),
    "scale": 0.5,
    "label": "mine_changed",
}
DEFAULTS = {
    "num_experts": 8,
    "intermediate_dim": 32,
    "top_k": 2,
    "router_aux_loss_coef": 0.01,
    "activation": keras.activations.get("gelu"),
    "kernel_initializer": keras.initializers.get("he_normal"),
    "bias_initializer": keras.initializers.get("zeros"),
    "scale": 1.0,
    "label": "mine",
}
ACCEPTED = {
    "num_experts": [1],
    "intermediate_dim": [1],
    "top_k": [1],
    "router_aux_loss_coef": [0.0, 1],
    "scale": [1],
}
REFUSED = {
    "num_experts": [0, 2.5, True, "2", None],
    "intermediate_dim": [0, 2.5, True, "2", None],
    "top_k": [0, 2.5, True, "2", None],
    "router_aux_loss_coef": [-1.0, "1.0", None],
    "scale": [0.0, "1.0", None],
    "label": [2, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "num_experts": EXPERTS,
        "intermediate_dim": UNITS,
        "top_k": 1,
        "router_aux_loss_coef": 0.01,
        "activation": "relu",
    }
    return SparseMoE(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def randomise(layer):
    """Set every weight to random values, so that mixing up two weights shows."""
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in layer.weights])


def route(token, router, top_k):
    """The probabilities of all experts, and the selected ones."""
    p = np.exp(token @ router)
    p /= p.sum()
    return p, np.argsort(-p)[:top_k]


def reference(x, top_k, kernels, biases, output_kernels, output_biases, router):
    """The formula, one token and expert at a time."""
    outputs = np.zeros(x.shape)
    for index in np.ndindex(*x.shape[:-1]):
        p, chosen = route(x[index], router, top_k)
        for e in chosen:
            hidden = np.maximum(x[index] @ kernels[e] + biases[e], 0)
            outputs[index] += p[e] * (hidden @ output_kernels[e] + output_biases[e])
    return outputs


def balance(tokens, top_k, router):
    """The load-balancing loss of tokens, without the factor."""
    fractions, means = np.zeros(EXPERTS), np.zeros(EXPERTS)
    for token in tokens:
        p, chosen = route(token, router, top_k)
        fractions[chosen] += 1 / len(tokens) / top_k
        means += p / len(tokens)
    return EXPERTS * (fractions * means).sum()


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("axes", [(), (STEPS,), (2, STEPS)])
    @pytest.mark.parametrize("top_k", [1, 2, EXPERTS])
    def test_equals_the_formula(self, axes, top_k):
        layer, x = make(top_k=top_k), inputs(*axes)
        layer.build(x.shape)
        randomise(layer)
        assert_close(array(layer(x)), reference(x, top_k, *layer.get_weights()), 1e-4)

    def test_activation_is_applied_to_the_hidden_units(self):
        layer, x = make(activation=None), inputs()
        layer.build(x.shape)
        randomise(layer)
        y = array(layer(x))
        layer.activation = keras.activations.relu
        expected = reference(x, 1, *layer.get_weights())
        assert (np.abs(y - expected) > 1e-3).any()
        assert_close(array(layer(x)), expected, 1e-4)

    @pytest.mark.parametrize("top_k", [1, 3])
    @pytest.mark.parametrize(
        "lengths", [None, [[3], [1], [0], [2]], [[0], [1], [0], [0]]]
    )
    def test_loss_in_training(self, top_k, lengths):
        layer, x = make(top_k=top_k, router_aux_loss_coef=0.3), inputs(STEPS)
        layer.build(x.shape)
        randomise(layer)
        seen, mask = np.ones((BATCH, STEPS), bool), None
        if lengths is not None:
            seen = np.arange(STEPS) < lengths
            mask = ops.convert_to_tensor(seen)
        y = layer(x, mask=mask, training=True)
        expected = 0.3 * balance(x[seen], top_k, array(layer.router.kernel))
        assert_close([array(loss) for loss in layer.losses], [expected])
        assert_close(array(y), array(layer(x)))

    def test_no_loss_at_inference(self):
        layer = make()
        layer(inputs())
        assert layer.losses == []

    def test_loss_is_zero_if_all_tokens_are_masked(self):
        layer = make()
        layer(inputs(STEPS), mask=ops.zeros((BATCH, STEPS), "bool"), training=True)
        assert [array(loss) for loss in layer.losses] == [0]

    def test_loss_is_its_factor_if_experts_get_equally_many_tokens(self):
        layer, x = make(top_k=1), np.eye(EXPERTS, dtype="float32")
        layer.build(x.shape)
        # Each token prefers a different expert, some more strongly than others.
        layer.router.kernel.assign(np.diag(np.arange(1, EXPERTS + 1)))
        layer(x, training=True)
        assert_close(array(layer.losses[0]), 0.01)

    def test_loss_is_largest_if_one_expert_gets_all_tokens(self):
        layer, x = make(top_k=1), np.ones((BATCH, DIM), "float32")
        layer.build(x.shape)
        layer.router.kernel.assign(100 * np.eye(1, EXPERTS) + np.zeros((DIM, 1)))
        layer(x, training=True)
        assert_close(array(layer.losses[0]), 0.01 * EXPERTS)

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize("shape", [(None, DIM), (None, None, DIM), (2, 3, 4, DIM)])
    def test_static_shape_is_correct(self, shape):
        assert make().compute_output_shape(shape) == shape
        assert make()(keras.KerasTensor(shape), training=True).shape == shape
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == real

    def test_refuses_rank_1(self):
        with pytest.raises(ValueError, match=r"'mine' .*min_ndim=2"):
            make(name="mine")(np.zeros((DIM,), "float32"))


class TestWeights:
    def test_paths_shapes_and_initial_values(self):
        layer = make(kernel_initializer="ones", bias_initializer="zeros", name="mine")
        layer.build((None, STEPS, DIM))
        assert [(weight.path, weight.shape) for weight in layer.weights] == [
            ("mine/intermediate_kernel", (EXPERTS, DIM, UNITS)),
            ("mine/intermediate_bias", (EXPERTS, UNITS)),
            ("mine/output_kernel", (EXPERTS, UNITS, DIM)),
            ("mine/output_bias", (EXPERTS, DIM)),
            ("mine/router/kernel", (DIM, EXPERTS)),
        ]
        assert layer.trainable_weights == layer.weights
        for kernel in (
            layer.intermediate_kernel,
            layer.output_kernel,
            layer.router.kernel,
        ):
            assert (array(kernel) == 1).all()
        for bias in (layer.intermediate_bias, layer.output_bias):
            assert (array(bias) == 0).all()

    def test_experts_are_initialized_like_single_dense_layers(self):
        layer = make(
            num_experts=8, intermediate_dim=200, kernel_initializer="he_normal"
        )
        layer.build((None, 100))
        for kernels, size in [
            (layer.intermediate_kernel, 100),
            (layer.output_kernel, 200),
        ]:
            kernels = array(kernels)
            stddev = np.sqrt(2 / size)  # He et al., 2015
            assert_close(kernels.std(axis=(1, 2)), np.full(8, stddev), 0.01)
            assert len(np.unique(kernels[:, 0, 0])) == 8

    def test_weights_are_initialized_independently(self):
        normal = keras.initializers.RandomNormal()
        layer = make(
            intermediate_dim=DIM, kernel_initializer=normal, bias_initializer=normal
        )
        layer.build((None, DIM))
        first_kernel, first_bias, second_kernel, second_bias, _ = layer.get_weights()
        assert (first_kernel != second_kernel).all()
        assert (first_bias != second_bias).all()


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(SparseMoE).parameters]
        layer = SparseMoE(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>SparseMoE"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is SparseMoE
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = SparseMoE()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "num_experts": np.int64(CHANGED["num_experts"]),
            "intermediate_dim": np.int64(CHANGED["intermediate_dim"]),
            "top_k": np.int64(CHANGED["top_k"]),
            "router_aux_loss_coef": np.float32(CHANGED["router_aux_loss_coef"]),
            "scale": np.float32(CHANGED["scale"]),
        }
        layer = SparseMoE(**{**CHANGED, **numbers})
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

    def test_refuses_more_choices_than_experts(self):
        with pytest.raises(ValueError, match="`top_k` must be at most"):
            make(top_k=EXPERTS + 1)


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy, top_k=EXPERTS), inputs()
        y = layer(x, training=True)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        loss_dtype = keras.backend.standardize_dtype(layer.losses[0].dtype)
        assert loss_dtype == layer.variable_dtype
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *layer.weights))
        assert_close(y, reference(x, EXPERTS, *weights), tolerance=0.1)

    def test_propagates_masks(self):
        model, x = keras.Sequential([keras.layers.Masking(), make()]), inputs(STEPS)
        x[:, -1] = 0
        mask = array(model(x)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(intermediate_dim=32),
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
            f"import keras, numpy as np, {SparseMoE.__module__}\n"
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
        examples = doctest.testmod(sys.modules[SparseMoE.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
