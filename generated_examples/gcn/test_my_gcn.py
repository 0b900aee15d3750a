"""Tests for `MyGCN`, on any Keras backend.

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

from my_gcn import GraphConvolution, MyGCN

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, NODES, DIM, HIDDEN, OUTPUTS = 4, 5, 6, (4, 3), 2

# A value other than the default for every constructor argument.
CHANGED = {
    "num_classes": 2,
    "hidden_units": (17, 18),
    "activation": keras.activations.tanh,
    "dropout": 0.25,
}
DEFAULTS = {
    "hidden_units": (16,),
    "activation": keras.activations.get("relu"),
    "dropout": 0.5,
}
ACCEPTED = {
    "num_classes": [1],
    "dropout": [0.0, 0],
    "hidden_units": [(1,)],
}
REFUSED = {
    "num_classes": [0, 2.5, True, "2", None],
    "hidden_units": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "dropout": [-1.0, 1.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "num_classes": OUTPUTS,
        "hidden_units": HIDDEN,
        "activation": "relu",
        "dropout": 0.0,
    }
    return MyGCN(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    nodes = rng.normal(size=(batch, NODES, DIM)).astype("float32")
    edges = np.triu(rng.random((batch, NODES, NODES)) < 0.5, k=1)
    weights = np.where(edges, rng.uniform(0.5, 2, edges.shape), 0).astype("float32")
    return [nodes, weights + weights.swapaxes(1, 2)]


def made(**arguments):
    """Return a built model with random weights."""
    model = make(**arguments)
    model(inputs())
    randomise(model)
    return model


def randomise(model):
    """Give every weight different random values, so that mix-ups are detected."""
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in model.weights])


def path(weight):
    """Return the path of a weight inside its model, which is named `mine`."""
    return weight.path.removeprefix("mine/")


def convolve(nodes, adjacency, kernel, bias):
    """Compute the matrices of the paper, one graph at a time."""
    outputs = []
    for x, edges in zip(nodes, adjacency, strict=True):
        looped = edges + np.eye(NODES)
        root = np.diag(1 / np.sqrt(looped.sum(axis=1)))
        outputs.append(root @ looped @ root @ x @ kernel + bias)
    return np.array(outputs)


def reference(inputs, *weights, activation=lambda x: np.maximum(x, 0)):
    """Compute the outputs; the last convolution has no activation."""
    x, adjacency = inputs
    for layer, (kernel, bias) in enumerate(
        zip(weights[::2], weights[1::2], strict=True)
    ):
        x = convolve(x, adjacency, kernel, bias)
        if layer < len(HIDDEN):
            x = activation(x)
    return x


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formula(self):
        model, x = made(), inputs()
        assert_close(array(model(x)), reference(x, *model.get_weights()))

    def test_activation_of_all_but_the_last_convolution(self):
        model, x = made(activation="tanh"), inputs()
        assert_close(
            array(model(x)), reference(x, *model.get_weights(), activation=np.tanh)
        )

    def test_takes_edges_without_weights(self):
        model, (nodes, adjacency) = made(), inputs()
        edges = (adjacency > 0).astype("int32")
        y = array(model([nodes, edges]))
        assert_close(y, reference([nodes, edges], *model.get_weights()))

    def test_isolated_nodes_see_only_themselves(self):
        model, (nodes, _) = made(), inputs()
        x = nodes
        for kernel, bias in zip(
            model.get_weights()[::2], model.get_weights()[1::2], strict=True
        ):
            y = x @ kernel + bias
            x = np.maximum(y, 0)
        assert_close(
            array(model([nodes, np.zeros((BATCH, NODES, NODES), "float32")])), y
        )

    def test_the_order_of_the_nodes_does_not_matter(self):
        model, (nodes, adjacency) = made(), inputs()
        order = np.array([3, 0, 4, 1, 2])
        y = array(model([nodes[:, order], adjacency[:, order][:, :, order]]))
        assert_close(y, array(model([nodes, adjacency]))[:, order])

    @pytest.mark.parametrize("dtype", ["bool", "float32"])
    def test_masked_nodes_are_not_neighbors(self, dtype):
        model, (nodes, adjacency) = made(), inputs()
        mask = np.ones((BATCH, NODES), bool)
        mask[:2, -2:] = mask[2:, 0] = False
        given = [ops.convert_to_tensor(mask.astype(dtype)), None]
        tensors = [ops.convert_to_tensor(part) for part in (nodes, adjacency)]
        y = array(model(tensors, mask=given))
        assert (array(tensors[1]) == adjacency).all()  # The input is not modified.
        edges = adjacency * mask[:, None] * mask[:, :, None]
        assert_close(y[mask], reference([nodes, edges], *model.get_weights())[mask])

    def test_dropout_before_each_convolution_in_training_only(self):
        model, x = made(dropout=0.9999), inputs()
        drops = [model.get_layer(f"dropout_{i}") for i in range(len(HIDDEN) + 1)]
        assert [drop.rate for drop in drops] == [0.9999] * len(drops)
        assert (array(model(x, training=False)) == array(model(x))).all()
        *_, bias = model.get_weights()
        assert_close(
            array(model(x, training=True)),
            np.broadcast_to(bias, (BATCH, NODES, OUTPUTS)),
        )
        for drop in drops:
            for other in drops:
                other.rate = 0.9999 if other is drop else 0
            assert (array(model(x, training=True)) != array(model(x))).any()

    def test_samples_are_independent(self):
        model, x = made(), inputs()
        assert_close(array(model(x))[1:], array(model([part[1:] for part in x])))


class TestShapes:
    def test_static_shape_is_correct(self):
        assert make()(inputs()).shape == (BATCH, NODES, OUTPUTS)
        for nodes in (None, NODES):
            shapes, expected = [(None, nodes, DIM), (None, nodes, nodes)], (
                None,
                nodes,
                OUTPUTS,
            )
            assert tuple(make().compute_output_shape(shapes)) == expected
            assert (
                make()([keras.KerasTensor(shape) for shape in shapes]).shape == expected
            )
            layer = GraphConvolution(OUTPUTS)
            assert layer.compute_output_shape(shapes) == expected


class TestWeights:
    def test_paths_shapes_and_initial_values(self):
        model = make(name="mine")
        model(inputs())
        assert [(path(weight), weight.shape) for weight in model.weights] == [
            ("conv_0/kernel", (DIM, HIDDEN[0])),
            ("conv_0/bias", (HIDDEN[0],)),
            ("conv_1/kernel", (HIDDEN[0], HIDDEN[1])),
            ("conv_1/bias", (HIDDEN[1],)),
            ("head/kernel", (HIDDEN[1], OUTPUTS)),
            ("head/bias", (OUTPUTS,)),
        ]
        assert model.trainable_weights == model.weights
        for kernel, bias in zip(
            model.get_weights()[::2], model.get_weights()[1::2], strict=True
        ):
            limit = np.sqrt(6 / sum(kernel.shape))  # Glorot and Bengio, 2010
            assert 0.5 * limit < np.abs(kernel).max() <= limit
            assert (bias == 0).all()

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        parts = [model.get_layer(name) for name in ("dropout_0", "dropout_1")]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyGCN).parameters]
        layer = MyGCN(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyGCN"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyGCN
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyGCN(num_classes=OUTPUTS)
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

    def test_a_convolution_comes_back_from_its_config(self):
        layer = GraphConvolution(3, "tanh", name="mine", dtype="bfloat16")
        twin = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(layer)
        )
        assert twin.get_config() == layer.get_config()
        assert (twin.units, twin.activation) == (3, keras.activations.tanh)
        assert (twin.name, twin.dtype) == ("mine", "bfloat16")


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(dtype=policy), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *model.weights))
        assert_close(
            array(ops.cast(y, "float32")), reference(x, *weights), tolerance=0.05
        )

    def test_passes_the_mask_of_the_nodes_on(self):
        model, (nodes, adjacency) = made(), inputs()
        nodes[:, -1] = 0
        y = model([keras.layers.Masking()(nodes), ops.convert_to_tensor(adjacency)])
        mask = array(y._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()
        expected = model([nodes, adjacency], mask=[ops.convert_to_tensor(mask), None])
        assert_close(array(y), array(expected))
        assert getattr(model([nodes, adjacency]), "_keras_mask", None) is None

    def test_compiles_for_training(self):
        model, x = made(), inputs()
        model.compile_for_training()
        assert_close(array(model.optimizer.learning_rate), 0.01)
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        numbers = np.arange(BATCH * NODES, dtype="int32").reshape(BATCH, NODES)
        known = numbers % 3 == 0
        labels = numbers % OUTPUTS
        results = model.evaluate(
            x,
            labels,
            sample_weight=known.astype("float32"),
            return_dict=True,
            verbose=0,
        )
        logits, labels = array(model(x))[known], labels[known]
        probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        losses = -np.log(probs[np.arange(len(labels)), labels])
        assert_close(results["loss"], losses.mean())
        assert_close(results["accuracy"], (logits.argmax(axis=-1) == labels).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = (x[0].sum(axis=-1) > 0).astype("int32")
        model = make(activation="tanh")
        model(x)
        model.compile_for_training(learning_rate=0.02)

        before = model.get_weights()
        losses = model.fit(x, y, epochs=60, verbose=0).history["loss"]
        assert losses[-1] < 0.95 * losses[0]
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # As "auto" would on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.savez(tmp_path / "x.npz", *x)
        script = (
            f"import keras, numpy as np, {MyGCN.__module__}\n"
            "model = keras.models.load_model('model.keras')\n"
            "x = [*np.load('x.npz').values()]\n"
            "np.save('y.npy', model.predict(x, verbose=0))\n"
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
        examples = doctest.testmod(sys.modules[MyGCN.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
