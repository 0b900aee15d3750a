"""Tests for `MyTwoTower`, on any Keras backend.

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

from my_two_tower import MyTwoTower, Tower

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, QUERY, ITEM, HIDDEN, DIM = 4, 5, 3, (7, 6), 4

# A value other than the default for every constructor argument.
CHANGED = {
    "hidden_units": (129, 130, 2),
    "embedding_dim": 33,
    "activation": keras.activations.tanh,
    "dropout": 0.5,
    "temperature": 0.5,
}
DEFAULTS = {
    "hidden_units": (128, 64),
    "embedding_dim": 32,
    "activation": keras.activations.get("relu"),
    "dropout": 0.0,
    "temperature": 0.1,
}
ACCEPTED = {
    "embedding_dim": [1],
    "dropout": [0.0, 0],
    "temperature": [1],
    "hidden_units": [(1,)],
}
REFUSED = {
    "hidden_units": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "embedding_dim": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 1.0, "1.0", None],
    "temperature": [0.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "hidden_units": HIDDEN,
        "embedding_dim": DIM,
        "activation": "relu",
        "dropout": 0.0,
        "temperature": 0.1,
    }
    return MyTwoTower(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    item = rng.normal(size=(batch, ITEM)).astype("float32")
    noise = 0.1 * rng.normal(size=(batch, QUERY)).astype("float32")
    return {"query": np.tanh(np.pad(item, ((0, 0), (1, 1)))) + noise, "item": item}


def randomise(model):
    """Give every weight different random values, so that mix-ups are detected."""
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in model.weights])


def path(weight):
    """Return the path of a weight inside its model, which is named `mine`."""
    return weight.path.removeprefix("mine/")


def shapes(x):
    """The shapes of the inputs, for batches of any size."""
    return {name: (None, *value.shape[1:]) for name, value in x.items()}


def named_weights(model):
    """The weights by path, as float32 arrays."""
    return {
        path(weight): array(ops.cast(weight, "float32")) for weight in model.weights
    }


def reference(x, tower, weights, activation=lambda x: np.maximum(x, 0)):
    """Compute the vectors of one tower."""

    def dense(name, x):
        return x @ weights[f"{tower}/{name}/kernel"] + weights[f"{tower}/{name}/bias"]

    for layer in range(len(HIDDEN)):
        x = activation(dense(f"hidden_{layer}", x))
    x = dense("projection", x)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def in_batch_losses(vectors, ids, temperature=0.1):
    """Compute the loss of each row: its own item among those of the batch."""
    losses = []
    for row, query in enumerate(vectors["query"]):
        odds = np.exp(vectors["item"] @ query / temperature)
        others = [odds[other] for other in range(len(ids)) if ids[other] != ids[row]]
        losses.append(-np.log(odds[row] / (odds[row] + sum(others))))
    return np.array(losses)


def assert_vectors(model, x, *activation, tolerance=1e-5):
    vectors, weights = model(x), named_weights(model)
    assert vectors.keys() == x.keys()
    for name, value in x.items():
        expected = reference(value, f"{name}_tower", weights, *activation)
        assert_close(array(ops.cast(vectors[name], "float32")), expected, tolerance)


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
        model.build(shapes(x))
        randomise(model)
        assert_vectors(model, x)

    def test_activation_of_the_hidden_layers(self):
        model, x = make(name="mine", activation=None), inputs()
        model.build(shapes(x))
        randomise(model)
        assert_vectors(model, x, lambda x: x)

    def test_each_tower_can_be_called_separately(self):
        model, x = make(), inputs()
        vectors = model(x)
        for name, value in x.items():
            tower = model.get_layer(f"{name}_tower")
            assert_close(array(tower(value)), array(vectors[name]))

    def test_drops_hidden_units_in_training_only(self):
        model, x = make(hidden_units=(1000,), dropout=0.25), inputs()
        model.build(shapes(x))
        for name, y in model(x, training=False).items():
            drop = model.get_layer(f"{name}_tower").hidden_layers[1]
            assert (drop.rate, drop.name) == (0.25, "dropout_0")
            assert (array(model(x)[name]) == array(y)).all()
            assert (array(model(x, training=True)[name]) != array(y)).any()

    @pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
    @pytest.mark.parametrize("temperature", [0.1, 0.5])
    def test_loss_of_the_own_item_in_the_batch(self, temperature, shape):
        model, x = make(temperature=temperature), inputs(batch=6)
        model.compile_for_training()
        vectors = {name: array(y) for name, y in model(x).items()}
        ids = np.array([3, 8, 3, 1, 8, 5], "int32")
        expected = in_batch_losses(vectors, ids, temperature)
        targets = ids.reshape(shape)
        assert_close(model.evaluate(x, targets, verbose=0), expected.mean())
        weights = np.array([1.0, 0, 2, 0, 0, 3])
        weighted = model.evaluate(x, targets, sample_weight=weights, verbose=0)
        assert_close(weighted, (weights * expected).sum() / weights.sum())

    def test_gradient_of_zeros_is_finite(self):
        model, x = make(), {name: 0 * value for name, value in inputs().items()}
        model.compile_for_training()
        model.fit(x, np.arange(BATCH, dtype="int32"), verbose=0)
        assert all(np.isfinite(weight).all() for weight in model.get_weights())

    def test_without_targets_all_items_count_as_different(self):
        model, x = make(), inputs()
        model.compile_for_training()
        vectors = {name: array(y) for name, y in model(x).items()}
        expected = in_batch_losses(vectors, np.arange(BATCH)).mean()
        assert_close(model.evaluate(x, verbose=0), expected)

    def test_samples_are_independent(self):
        model, x = make(), inputs()
        others = model({name: value[1:] for name, value in x.items()})
        for name, y in model(x).items():
            assert_close(array(y)[1:], array(others[name]))


class TestShapes:
    def test_static_shapes_are_correct(self):
        model, x = make(), inputs()
        expected = shapes(model(x))
        assert model.compute_output_shape(shapes(x)) == expected
        symbols = {name: keras.KerasTensor(shape) for name, shape in shapes(x).items()}
        assert shapes(make()(symbols)) == expected


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build(shapes(inputs()))
        sizes = {"item": (ITEM, *HIDDEN, DIM), "query": (QUERY, *HIDDEN, DIM)}
        expected = {}
        for name, (first, second, third, last) in sizes.items():
            layers = {"hidden_0": (first, second), "hidden_1": (second, third)}
            for layer, shape in (layers | {"projection": (third, last)}).items():
                expected[f"{name}_tower/{layer}/kernel"] = shape
                expected[f"{name}_tower/{layer}/bias"] = shape[1:]
        weights = [(path(weight), weight.shape) for weight in model.weights]
        assert weights == [*expected.items()]
        assert model.trainable_weights == model.weights


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyTwoTower).parameters]
        layer = MyTwoTower(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyTwoTower"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyTwoTower
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyTwoTower()
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

    def test_a_tower_comes_back_from_its_config(self):
        tower = Tower((7, 6), 4, "tanh", 0.5, name="mine", dtype="bfloat16")
        twin = Tower.from_config(tower.get_config())
        assert twin.get_config() == tower.get_config()
        assert (twin.hidden_units, twin.embedding_dim, twin.dropout) == ((7, 6), 4, 0.5)
        assert (twin.activation, twin.name) == (keras.activations.tanh, "mine")
        assert {layer.dtype_policy.name for layer in twin.hidden_layers} == {"bfloat16"}
        assert twin.compute_output_shape((None, 6, 5)) == (None, 6, 4)


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(name="mine", dtype=policy), inputs()
        dtypes = {keras.backend.standardize_dtype(y.dtype) for y in model(x).values()}
        assert dtypes == {model.compute_dtype}
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        assert_vectors(model, x, tolerance=0.1)
        model.compile_for_training()
        vectors = {name: array(ops.cast(y, "float32")) for name, y in model(x).items()}
        expected = in_batch_losses(vectors, np.arange(BATCH)).mean()
        assert_close(model.evaluate(x, verbose=0), expected, tolerance=0.1)

    def test_compiles_for_training(self):
        model = make()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.arange(64, dtype="int32")
        model = make()
        model.build(shapes(x))

        model.compile_for_training(learning_rate=0.01)
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
        np.savez(tmp_path / "x.npz", **x)

        script = (
            f"import keras, numpy as np, {MyTwoTower.__module__}\n"
            "model = keras.models.load_model('model.keras')\n"
            "y = model.predict(dict(np.load('x.npz')), verbose=0)\n"
            "np.savez('y.npz', **y)\n"
        )
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "KERAS_BACKEND": keras.backend.backend(),
        }
        subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=env, check=True
        )
        y = np.load(tmp_path / "y.npz")
        for name, expected in model.predict(x, verbose=0).items():
            assert_close(y[name], expected)

    def test_docstring_example(self):
        examples = doctest.testmod(sys.modules[MyTwoTower.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
