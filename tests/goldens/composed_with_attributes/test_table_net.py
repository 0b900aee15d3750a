"""Tests for `TableNet`, on any Keras backend.

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

from table_net import TableNet

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, SHAPE = 4, (30,)

# A value other than the default for every constructor argument.
CHANGED = {
    "shape": (SHAPE[0] + 1, *SHAPE[1:]),
    "gain": 0.5,
}
DEFAULTS = {
    "gain": 1.0,
}
ACCEPTED = {
    "gain": [1],
}
REFUSED = {
    "shape": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "gain": [0.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"shape": SHAPE}
    return TableNet(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.uniform(size=(batch, *SHAPE)).astype("float32")


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_the_output_depends_on_every_weight(self):
        model, x = make(), inputs()
        rng = np.random.default_rng(1)
        model.set_weights(
            [rng.uniform(0.01, 0.1, weight.shape) for weight in model.weights]
        )
        y = array(model(x, training=False))
        for number, weight in enumerate(model.weights):
            if not weight.trainable:
                continue
            weights = model.get_weights()
            weights[number] = 1.5 * weights[number]
            twin = make()
            twin.set_weights(weights)
            assert (array(twin(x, training=False)) != y).any(), weight.path

    def test_samples_are_independent(self):
        model, x = make(), inputs()
        y = array(model(x, training=False))
        assert_close(y[1:], array(model(x[1:], training=False)))


class TestShapes:
    def test_static_shape_is_correct(self):
        model, x = make(), inputs()
        real = model(x).shape
        assert model.compute_output_shape((None, *x.shape[1:])) == (None, *real[1:])
        assert make()(keras.KerasTensor((None, *x.shape[1:]))).shape == (
            None,
            *real[1:],
        )


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "dtype", "name", "trainable"] == [
            *inspect.signature(TableNet).parameters
        ]
        layer = TableNet(
            **CHANGED, name="mine", dtype="mixed_bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>TableNet"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is TableNet
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype_policy.name, twin.trainable) == (
            "mine",
            "mixed_bfloat16",
            False,
        )

    def test_defaults(self):
        layer = TableNet(shape=SHAPE)
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
    def test_layers(self):
        layers = [
            layer
            for layer in make(dtype="mixed_bfloat16").layers
            if not isinstance(layer, keras.layers.InputLayer)
        ]
        assert {layer.name for layer in layers} == {
            "dense",
            "dense_1",
        }
        assert {layer.dtype_policy.name for layer in layers} == {"mixed_bfloat16"}

    def test_dtype_policy(self):
        model = make(dtype="mixed_bfloat16")
        assert keras.backend.standardize_dtype(model(inputs()).dtype) == "bfloat16"
        assert {weight.dtype for weight in model.trainable_weights} == {"float32"}

    def test_compiles_for_training(self):
        model = make()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = 2 * array(make()(x))  # Another model of this class is the teacher.
        model = make()
        model.compile(keras.optimizers.Adam(0.01), "mse")
        before = model.get_weights()
        losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
        assert losses[-1] < 0.9 * losses[0]
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # As "auto" would on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        for weight, old in zip(model.weights, before, strict=True):
            if weight.trainable:
                assert (array(weight) != old).any(), weight.path

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {TableNet.__module__}\n"
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
        examples = doctest.testmod(sys.modules[TableNet.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
