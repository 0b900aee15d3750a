"""Tests for `NeighbourLayer`, on any Keras backend.

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

from neighbour_layer import NeighbourLayer

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, NODES, DIM, UNITS = 4, 5, 6, 2

# A value other than the default for every constructor argument.
CHANGED = {
    "units": UNITS,
    "activation": keras.activations.tanh,
    "use_bias": True,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.4, seed=4),
    "bias_initializer": keras.initializers.RandomNormal(stddev=0.5, seed=5),
    "kernel_regularizer": keras.regularizers.L2(0.6),
    "bias_regularizer": keras.regularizers.L2(0.7),
    "activity_regularizer": keras.regularizers.L2(0.8),
    "kernel_constraint": keras.constraints.MaxNorm(11.0),
    "bias_constraint": keras.constraints.MaxNorm(12.0),
    "gain": 0.5,
    "label": "mine_changed",
}
DEFAULTS = {
    "units": 16,
    "activation": keras.activations.get("relu"),
    "use_bias": False,
    "kernel_initializer": keras.initializers.get("he_normal"),
    "bias_initializer": keras.initializers.get("zeros"),
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
    "gain": 1.0,
    "label": "mine",
}
ACCEPTED = {
    "units": [1],
    "gain": [1],
}
REFUSED = {
    "units": [0, 2.5, True, "2", None],
    "gain": [0.0, "1.0", None],
    "label": [2, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "units": UNITS,
        "activation": None,
        "use_bias": True,
        "kernel_initializer": "glorot_uniform",
        "bias_initializer": "random_normal",
    }
    return NeighbourLayer(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    nodes = rng.normal(size=(batch, NODES, DIM)).astype("float32")
    edges = np.triu(rng.random((batch, NODES, NODES)) < 0.5, k=1)
    weights = np.where(edges, rng.uniform(0.5, 2, edges.shape), 0).astype("float32")
    return [nodes, weights + weights.swapaxes(1, 2)]


def reference(inputs, kernel, bias=0.0):
    """The formula, with the matrices of the paper, one graph at a time."""
    outputs = []
    for nodes, adjacency in zip(*inputs, strict=True):
        looped = adjacency + np.eye(NODES)
        root = np.diag(1 / np.sqrt(looped.sum(axis=1)))
        outputs.append(root @ looped @ root @ nodes @ kernel + bias)
    return np.array(outputs)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formula(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x)), reference(x, *layer.get_weights()))

    @pytest.mark.parametrize("dtype", ["bool", "int32"])
    def test_accepts_edges_without_weights(self, dtype):
        layer, (nodes, adjacency) = make(), inputs()
        edges = adjacency > 0
        y = array(layer([nodes, edges.astype(dtype)]))
        assert_close(y, reference([nodes, edges], *layer.get_weights()))

    def test_without_bias(self):
        layer, x = make(use_bias=False), inputs()
        y = array(layer(x))
        assert layer.bias is None
        assert_close(y, reference(x, *layer.get_weights()))

    def test_activation_is_applied_last(self):
        layer, x = make(activation="relu"), inputs()
        y = array(layer(x))
        assert_close(y, np.maximum(reference(x, *layer.get_weights()), 0))
        assert (y == 0).any()
        assert (y > 0).any()

    def test_an_isolated_node_depends_only_on_itself(self):
        layer, (nodes, adjacency) = make(), inputs()
        adjacency[:, 0], adjacency[:, :, 0] = 0, 0
        y = array(layer([nodes, adjacency]))
        kernel, bias = layer.get_weights()
        assert_close(y[:, 0], nodes[:, 0] @ kernel + bias)

    @pytest.mark.parametrize("dtype", ["bool", "float32"])
    def test_masked_nodes_are_not_neighbors(self, dtype):
        layer, (nodes, adjacency) = make(), inputs()
        mask = np.ones((BATCH, NODES), bool)
        mask[:, -2:] = False
        given = [ops.convert_to_tensor(mask.astype(dtype)), None]
        y = array(layer([nodes, adjacency], mask=given))
        adjacency[:, :, -2:] = 0
        adjacency[:, -2:] = 0
        expected = reference([nodes, adjacency], *layer.get_weights())
        assert_close(y[mask], expected[mask])

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        rest = [part[1:] for part in x]
        assert_close(array(layer(x))[1:], array(layer(rest)))


class TestShapes:
    @pytest.mark.parametrize("batch", [None, BATCH])
    @pytest.mark.parametrize("nodes", [None, NODES])
    def test_static_shape_is_correct(self, batch, nodes):
        shapes, expected = [(batch, nodes, DIM), (batch, nodes, nodes)], (
            batch,
            nodes,
            UNITS,
        )
        assert make().compute_output_shape(shapes) == expected
        assert make()([keras.KerasTensor(shape) for shape in shapes]).shape == expected
        assert make()(inputs()).shape == (BATCH, NODES, UNITS)

    def test_refuses_other_inputs(self):
        layer, (nodes, adjacency) = make(), inputs()
        layer([nodes, adjacency])
        for bad in (nodes, [nodes]):
            with pytest.raises(ValueError, match="expects 2 input"):
                layer(bad)
        for bad in ([nodes[0], adjacency], [nodes, adjacency[0]]):
            unbuilt = make()
            with pytest.raises(ValueError, match="incompatible with the layer"):
                unbuilt(bad)
            assert not unbuilt.built  # No weights are created for refused inputs.
        narrow = nodes[..., 1:]
        for bad in ([nodes[0], adjacency], [nodes, adjacency[0]], [narrow, adjacency]):
            with pytest.raises(ValueError, match="incompatible with the layer"):
                layer(bad)


class TestWeights:
    def test_names_shapes_and_initial_values(self):
        layer = make(bias_initializer="zeros")
        layer.build([(None, None, DIM), (None, None, None)])
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("kernel", (DIM, UNITS)),
            ("bias", (UNITS,)),
        ]
        assert layer.trainable_weights == layer.weights
        kernel, bias = layer.get_weights()
        limit = np.sqrt(6 / (DIM + UNITS))  # Glorot and Bengio, 2010
        assert 0.5 * limit < np.abs(kernel).max() <= limit
        assert (bias == 0).all()

    def test_regularizers_add_to_the_loss(self):
        layer = make(
            kernel_initializer="ones",
            bias_initializer=keras.initializers.Constant(2.0),
            kernel_regularizer=keras.regularizers.L2(0.1),
            bias_regularizer=keras.regularizers.L1(0.5),
            activity_regularizer=keras.regularizers.L1(1.0),
        )
        layer([np.ones((1, 1, DIM), "float32"), np.zeros((1, 1, 1), "float32")])
        expected = [0.1 * DIM * UNITS, 0.5 * 2 * UNITS, (DIM + 2) * UNITS]
        assert_close(sorted(array(loss) for loss in layer.losses), sorted(expected))

    def test_constraints_are_set_on_the_weights(self):
        layer = make(kernel_constraint="non_neg", bias_constraint="unit_norm")
        layer(inputs())
        assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg)
        assert isinstance(layer.bias.constraint, keras.constraints.UnitNorm)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(NeighbourLayer).parameters]
        layer = NeighbourLayer(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>NeighbourLayer"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is NeighbourLayer
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = NeighbourLayer()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "units": np.int64(CHANGED["units"]),
            "gain": np.float32(CHANGED["gain"]),
        }
        layer = NeighbourLayer(**{**CHANGED, **numbers})
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
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *layer.weights))
        assert_close(y, reference(x, *weights), tolerance=0.05)

    def test_propagates_the_mask_of_the_nodes(self):
        nodes, adjacency = inputs()
        nodes[:, -1] = 0
        y = make()([keras.layers.Masking()(nodes), adjacency])
        mask = array(y._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()
        assert getattr(make()([nodes, adjacency]), "_keras_mask", None) is None

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        nodes, adjacency = inputs(batch=64)
        x = np.concatenate([nodes, adjacency], axis=-1)
        y = np.sin(nodes.sum(axis=(1, 2)))
        both = keras.Input((NODES, DIM + NODES))
        nodes, adjacency = both[..., :DIM], both[..., DIM:]
        outputs = make(units=16, activation="tanh")([nodes, adjacency])
        outputs = make(units=8, activation="tanh")([outputs, adjacency])
        outputs = keras.layers.Dense(1)(keras.layers.Flatten()(outputs))
        model = keras.Model(both, outputs)
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
            f"import keras, numpy as np, {NeighbourLayer.__module__}\n"
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
        examples = doctest.testmod(sys.modules[NeighbourLayer.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
