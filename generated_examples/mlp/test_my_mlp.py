"""Tests for `MyMLP`, on any Keras backend.

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

from my_mlp import MyMLP

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, DIM, HIDDEN, OUTPUTS = 4, 5, (7, 6), 3

# A value other than the default for every constructor argument.
CHANGED = {
    "num_classes": 2,
    "hidden_units": (65, 66, 2),
    "activation": keras.activations.tanh,
    "dropout": 0.5,
}
DEFAULTS = {
    "hidden_units": (64, 64),
    "activation": keras.activations.get("relu"),
    "dropout": 0.0,
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
    return MyMLP(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, DIM)).astype("float32")


def randomise(model):
    """Give every weight different random values, so that mix-ups are detected."""
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in model.weights])


def path(weight):
    """Return the path of a weight inside its model, which is named `mine`."""
    return weight.path.removeprefix("mine/")


def reference(x, *weights):
    """Compute the outputs one unit at a time."""
    for layer, (kernel, bias) in enumerate(
        zip(weights[::2], weights[1::2], strict=True)
    ):
        x = np.array([[sum(row * column) for column in kernel.T] for row in x]) + bias
        if layer < len(HIDDEN):
            x = np.maximum(x, 0)
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
        model, x = make(), inputs()
        model.build((None, *x.shape[1:]))
        randomise(model)
        assert_close(array(model(x)), reference(x, *model.get_weights()))

    def test_activation_of_the_hidden_layers(self):
        model, x = make(activation=None), inputs()
        model.build((None, *x.shape[1:]))
        randomise(model)
        expected = x
        for kernel, bias in zip(
            model.get_weights()[::2], model.get_weights()[1::2], strict=True
        ):
            expected = expected @ kernel + bias
        assert_close(array(model(x)), expected)

    def test_drops_hidden_units_in_training_only(self):
        model, x = make(hidden_units=(1000,), dropout=0.25), inputs()
        model.build((None, *x.shape[1:]))
        assert model.get_layer("dropout_0").rate == 0.25
        assert (array(model(x, training=True)) != array(model(x))).any()
        assert (array(model(x, training=False)) == array(model(x))).all()

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    def test_static_shape_is_correct(self):
        model, x = make(), inputs()
        real = model(x).shape
        assert model.compute_output_shape((None, *x.shape[1:])) == (None, *real[1:])
        assert make()(keras.KerasTensor((None, *x.shape[1:]))).shape == (
            None,
            *real[1:],
        )


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build((None, DIM))
        assert [(path(weight), weight.shape) for weight in model.weights] == [
            ("hidden_0/kernel", (DIM, HIDDEN[0])),
            ("hidden_0/bias", (HIDDEN[0],)),
            ("hidden_1/kernel", (HIDDEN[0], HIDDEN[1])),
            ("hidden_1/bias", (HIDDEN[1],)),
            ("head/kernel", (HIDDEN[1], OUTPUTS)),
            ("head/bias", (OUTPUTS,)),
        ]
        assert model.trainable_weights == model.weights

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        parts = [model.get_layer(name) for name in ("dropout_0", "dropout_1")]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyMLP).parameters]
        layer = MyMLP(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyMLP"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyMLP
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyMLP(num_classes=OUTPUTS)
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
        model, x = make(dtype=policy), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *model.weights))
        assert_close(
            array(ops.cast(y, "float32")), reference(x, *weights), tolerance=0.05
        )

    def test_compiles_for_training(self):
        model, x = make(), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        labels = np.arange(len(x), dtype="int32") % OUTPUTS
        logits = array(model(x))
        probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        results = model.evaluate(x, labels, return_dict=True, verbose=0)
        assert_close(results["loss"], -np.log(probs[np.arange(len(x)), labels]).mean())
        assert_close(results["accuracy"], (logits.argmax(axis=-1) == labels).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = (x.sum(axis=tuple(range(1, x.ndim))) > 0).astype("int32")

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
            f"import keras, numpy as np, {MyMLP.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyMLP.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
