"""Tests for `MyMultiTask`, on any Keras backend.

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

from my_multi_task import MyMultiTask

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, LEFT, RIGHT, UNITS, HIDDEN, CLASSES, OUTPUTS = 4, 5, 3, 6, (7, 5), 4, 2

# A value other than the default for every constructor argument.
CHANGED = {
    "num_classes": 2,
    "num_outputs": 2,
    "encoder_units": 33,
    "hidden_units": (65, 66, 2),
    "activation": keras.activations.tanh,
    "dropout": 0.5,
    "value_weight": 0.5,
}
DEFAULTS = {
    "encoder_units": 32,
    "hidden_units": (64, 32),
    "activation": keras.activations.get("relu"),
    "dropout": 0.0,
    "value_weight": 1.0,
}
ACCEPTED = {
    "num_classes": [1],
    "num_outputs": [1],
    "encoder_units": [1],
    "dropout": [0.0, 0],
    "value_weight": [1],
    "hidden_units": [(1,)],
}
REFUSED = {
    "num_classes": [0, 2.5, True, "2", None],
    "num_outputs": [0, 2.5, True, "2", None],
    "encoder_units": [0, 2.5, True, "2", None],
    "hidden_units": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "dropout": [-1.0, 1.0, "1.0", None],
    "value_weight": [0.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "num_classes": CLASSES,
        "num_outputs": OUTPUTS,
        "encoder_units": UNITS,
        "hidden_units": HIDDEN,
        "activation": "relu",
        "dropout": 0.0,
        "value_weight": 1.0,
    }
    return MyMultiTask(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return {
        "left": rng.normal(size=(batch, LEFT)).astype("float32"),
        "right": rng.normal(size=(batch, RIGHT)).astype("float32"),
    }


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


def reference(x, weights, activation=lambda x: np.maximum(x, 0)):
    """Compute the outputs from both inputs."""

    def dense(name, x):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    sides = [
        activation(dense(f"{side}_encoder", x[side])) for side in ("left", "right")
    ]
    trunk = np.concatenate(sides, axis=-1)
    for layer in range(len(HIDDEN)):
        trunk = activation(dense(f"hidden_{layer}", trunk))
    return {"label": dense("label_head", trunk), "value": dense("value_head", trunk)}


def assert_all_close(actual, expected, tolerance=1e-5):
    assert actual.keys() == expected.keys()
    for name, y in actual.items():
        assert_close(array(ops.cast(y, "float32")), expected[name], tolerance)


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
        assert_all_close(model(x), reference(x, named_weights(model)))

    def test_heads_have_no_activation(self):
        model, x = make(name="mine", activation=None), inputs()
        model.build(shapes(x))
        randomise(model)
        assert_all_close(model(x), reference(x, named_weights(model), lambda x: x))

    def test_drops_units_of_the_trunk_in_training_only(self):
        model, x = make(hidden_units=(1000,), dropout=0.25), inputs()
        model.build(shapes(x))
        assert model.get_layer("dropout_0").rate == 0.25
        for name, y in model(x, training=False).items():
            assert (array(model(x)[name]) == array(y)).all()
            assert (array(model(x, training=True)[name]) != array(y)).any()

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
        kernels = {
            "left_encoder": (LEFT, UNITS),
            "right_encoder": (RIGHT, UNITS),
            "hidden_0": (2 * UNITS, HIDDEN[0]),
            "hidden_1": HIDDEN,
            "label_head": (HIDDEN[1], CLASSES),
            "value_head": (HIDDEN[1], OUTPUTS),
        }
        biases = {f"{name}/bias": shape[1:] for name, shape in kernels.items()}
        kernels = {f"{name}/kernel": shape for name, shape in kernels.items()}
        assert {
            path(weight): weight.shape for weight in model.weights
        } == kernels | biases
        assert model.trainable_weights == model.weights

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        parts = [
            model.get_layer(name) for name in ("concatenate", "dropout_0", "dropout_1")
        ]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyMultiTask).parameters]
        layer = MyMultiTask(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyMultiTask"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyMultiTask
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyMultiTask(num_classes=CLASSES, num_outputs=OUTPUTS)
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


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(name="mine", dtype=policy), inputs()
        y = model(x)
        dtypes = {keras.backend.standardize_dtype(part.dtype) for part in y.values()}
        assert dtypes == {model.compute_dtype}
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        assert_all_close(y, reference(x, named_weights(model)), tolerance=0.05)

    def test_compiles_for_training_with_a_weight_for_each_task(self):
        model, x = make(value_weight=3.0), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        labels = np.arange(BATCH, dtype="int32") % CLASSES
        logits = array(model(x)["label"])
        probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        label_loss = -np.log(probs[np.arange(BATCH), labels]).mean()
        errors = array(model(x)["value"]) - 1
        y = {"label": labels, "value": np.ones(errors.shape)}
        results = model.evaluate(x, y, return_dict=True, verbose=0)
        assert_close(results["loss"], label_loss + 3 * (errors**2).mean())
        assert_close(results["label_loss"], label_loss)
        assert_close(
            results["label_accuracy"], (logits.argmax(axis=-1) == labels).mean()
        )
        assert_close(results["value_mae"], np.abs(errors).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        total = sum(value.sum(axis=-1) for value in x.values())
        y = {
            "label": (total > 0).astype("int32"),
            "value": np.repeat(np.sin(total)[:, None], OUTPUTS, axis=1),
        }
        model = make()
        model.build(shapes(x))

        model.compile_for_training(learning_rate=0.02)

        before = model.get_weights()
        losses = model.fit(x, y, epochs=40, verbose=0).history["loss"]
        assert losses[-1] < 0.7 * losses[0]
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # As "auto" would on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.savez(tmp_path / "x.npz", **x)

        script = (
            f"import keras, numpy as np, {MyMultiTask.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyMultiTask.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
