"""Tests for `MyFeedForward`, on any Keras backend.

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

from my_feed_forward import MyFeedForward

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, UNITS = 4, 3, 5, 7

# A value other than the default for every constructor argument.
CHANGED = {
    "intermediate_dim": UNITS,
    "dropout": 0.5,
    "activation": keras.activations.tanh,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.4, seed=4),
    "bias_initializer": keras.initializers.RandomNormal(stddev=0.5, seed=5),
    "seed": 7,
}
DEFAULTS = {
    "dropout": 0.0,
    "activation": keras.activations.get("relu"),
    "kernel_initializer": keras.initializers.get("glorot_uniform"),
    "bias_initializer": keras.initializers.get("zeros"),
    "seed": None,
}
ACCEPTED = {
    "intermediate_dim": [1],
    "dropout": [0.0, 1.0, 1],
}
REFUSED = {
    "intermediate_dim": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 2.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "intermediate_dim": UNITS,
        "dropout": 0.0,
        "activation": "relu",
        "bias_initializer": "random_normal",
    }
    return MyFeedForward(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def reference(x, first_kernel, first_bias, second_kernel, second_bias):
    """The formula, one unit at a time."""
    outputs = np.zeros(x.shape) + second_bias
    for index in np.ndindex(*x.shape[:-1]):
        for unit, bias in enumerate(first_bias):
            total = bias + sum(x[index] * first_kernel[:, unit])
            outputs[index] += max(total, 0) * second_kernel[unit]
    return outputs


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("axes", [(), (STEPS,), (2, STEPS)])
    def test_equals_the_formula(self, axes):
        layer, x = make(), inputs(*axes)
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights()))

    def test_activation_follows_the_first_layer(self):
        layer, x = make(activation=None), inputs()
        y = array(layer(x))
        first_kernel, first_bias, second_kernel, second_bias = layer.get_weights()
        hidden = x @ first_kernel + first_bias
        assert (hidden < 0).any()
        assert_close(y, hidden @ second_kernel + second_bias)

    def test_dropout_drops_units_between_the_layers(self):
        layer, x = make(
            intermediate_dim=DIM, activation="exponential", dropout=0.4
        ), inputs(100)
        layer.build(x.shape)
        layer.set_weights([np.eye(DIM), np.zeros(DIM), np.eye(DIM), np.ones(DIM)])
        hidden = array(layer(x, training=True)) - 1
        dropped = np.isclose(hidden, 0)
        assert abs(dropped.mean() - 0.4) < 0.05
        assert_close(hidden, np.where(dropped, 0, np.exp(x) / (1 - 0.4)))
        assert_close(array(layer(x)) - 1, np.exp(x))

    def test_each_call_draws_new_values_from_the_seed(self):
        x = inputs()
        one, twin, other = (make(dropout=0.5, seed=n) for n in (1, 1, 2))
        for layer in (twin, other):
            layer.build(x.shape)
        one(x)
        for layer in (twin, other):
            layer.set_weights(one.get_weights())
        first = array(one(x, training=True))
        assert (array(twin(x, training=True)) == first).all()
        assert (array(other(x, training=True)) != first).any()
        assert (array(one(x, training=True)) != first).any()
        assert (array(one(x, training=False)) == array(one(x))).all()

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize("shape", [(None, DIM), (None, None, DIM), (2, 3, 4, DIM)])
    def test_static_shape_is_correct(self, shape):
        assert make().compute_output_shape(shape) == shape
        assert make()(keras.KerasTensor(shape)).shape == shape
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
            ("mine/intermediate_dense/kernel", (DIM, UNITS)),
            ("mine/intermediate_dense/bias", (UNITS,)),
            ("mine/output_dense/kernel", (UNITS, DIM)),
            ("mine/output_dense/bias", (DIM,)),
        ]
        assert layer.trainable_weights == layer.weights
        first_kernel, first_bias, second_kernel, second_bias = layer.get_weights()
        for kernel in (first_kernel, second_kernel):
            assert (kernel == 1).all()
        assert (first_bias == 0).all()
        assert (second_bias == 0).all()

    def test_weights_are_initialized_independently(self):
        layer = make(
            intermediate_dim=DIM, kernel_initializer=keras.initializers.RandomNormal()
        )
        layer.build((None, DIM))
        first_kernel, first_bias, second_kernel, second_bias = layer.get_weights()
        assert (first_kernel != second_kernel).all()
        assert (first_bias != second_bias).all()


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyFeedForward).parameters]
        layer = MyFeedForward(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyFeedForward"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyFeedForward
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyFeedForward(intermediate_dim=UNITS)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "intermediate_dim": np.int64(CHANGED["intermediate_dim"]),
            "dropout": np.float32(CHANGED["dropout"]),
        }
        layer = MyFeedForward(**{**CHANGED, **numbers})
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


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *layer.weights))
        assert_close(y, reference(x, *weights), tolerance=0.05)

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
                make(intermediate_dim=32, dropout=0.1),
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
            f"import keras, numpy as np, {MyFeedForward.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyFeedForward.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
