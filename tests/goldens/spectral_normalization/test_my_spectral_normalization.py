"""What `MySpectralNormalization` promises, on each backend.

`KERAS_BACKEND=jax pytest` runs it on another one than Keras's default.
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

from my_spectral_normalization import MySpectralNormalization

# Keras's Torch backend itself calls NumPy 2 in a deprecated way.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, UNITS = 4, 3, 5, 2

# A value other than the default for every constructor argument.
CHANGED = {
    "layer": keras.layers.Dense(1),
    "power_iterations": 2,
}
DEFAULTS = {
    "power_iterations": 1,
}
ACCEPTED = {
    "power_iterations": [1],
}
REFUSED = {
    "layer": ["dense", None],
    "power_iterations": [0, 2.5, True, "2", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"layer": keras.layers.Dense(UNITS, bias_initializer="random_normal")}
    return MySpectralNormalization(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def reference(kernel, u, iterations=1):
    """The formula: the kernel and `vector_u` after a call in training."""
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype("float64")
    for _ in range(iterations):
        v = u @ matrix.T / np.linalg.norm(u @ matrix.T)
        u = v @ matrix / np.linalg.norm(v @ matrix)
    return kernel / (v @ matrix @ u.T), u


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """What can be compared of an attribute: a Keras object by its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("iterations", [1, 3])
    def test_a_call_in_training_normalizes(self, iterations):
        layer, x = make(power_iterations=iterations), inputs()
        layer.build(x.shape)
        u = array(layer.vector_u)
        kernel, bias = layer.layer.get_weights()
        y = array(layer(x, training=True))
        kernel, u = reference(kernel, u, iterations)
        assert_close(array(layer.layer.kernel), kernel)
        assert_close(array(layer.vector_u), u)
        assert_close(y, x @ kernel + bias)

    @pytest.mark.parametrize(
        ("wrapped", "x"),
        [
            (keras.layers.Conv1D(4, 2), np.ones((2, 3, 5), "float32")),
            (keras.layers.Embedding(7, 4), np.ones((2, 3), "int32")),
        ],
        ids=["Conv1D", "Embedding"],
    )
    def test_the_greatest_singular_value_is_then_1(self, wrapped, x):
        layer = make(layer=wrapped, power_iterations=60)
        y = array(layer(x, training=True))
        kernel = array(layer.kernel)
        assert layer.kernel is wrapped.weights[0]
        assert abs(np.linalg.norm(kernel.reshape(-1, 4), 2) - 1) < 1e-3
        assert_close(y, array(wrapped(x)))

    def test_changes_nothing_at_inference(self):
        layer, x = make(), inputs()
        layer.build(x.shape)
        before = layer.get_weights()
        for y in (layer(x), layer(x, training=False)):
            assert_close(array(y), array(layer.layer(x)))
        for old, new in zip(before, layer.get_weights(), strict=True):
            assert (old == new).all()

    def test_a_kernel_of_zeros_is_left_as_it_is(self):
        dense = keras.layers.Dense(UNITS, kernel_initializer="zeros")
        layer, x = make(layer=dense), inputs()
        layer.build(x.shape)
        u = array(layer.vector_u).copy()
        assert (array(layer(x, training=True)) == 0).all()
        assert (array(layer.vector_u) == u).all()


class TestShapes:
    @pytest.mark.parametrize("shape", [(None, DIM), (None, None, DIM), (2, 3, 4, DIM)])
    def test_static_shape_is_the_real_one(self, shape):
        expected = (*shape[:-1], UNITS)
        assert make().compute_output_shape(shape) == expected
        assert make()(keras.KerasTensor(shape)).shape == expected
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == (*real[:-1], UNITS)

    def test_refuses_another_input_dim_once_built(self):
        layer = make(name="mine")
        layer(inputs())
        with pytest.raises(ValueError, match=r"'mine' .*expected axis -1"):
            layer(np.zeros((BATCH, DIM + 1), "float32"))

    def test_refuses_a_layer_without_a_kernel(self):
        with pytest.raises(ValueError, match="must have a weight"):
            make(layer=keras.layers.Dropout(0.5)).build((None, DIM))


class TestWeights:
    def test_are_those_of_the_layer(self):
        layer = make()
        layer.build(inputs().shape)
        assert layer.layer.built
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("kernel", (DIM, UNITS)),
            ("vector_u", (1, UNITS)),
            ("bias", (UNITS,)),
        ]
        assert layer.trainable_weights == layer.layer.weights
        wide = make(layer=keras.layers.Dense(1000))
        wide.build(inputs().shape)
        assert abs(array(wide.vector_u).std() - 0.02) < 0.005
        assert np.abs(array(wide.vector_u)).max() < 0.05

    def test_a_layer_that_is_built_keeps_its_weights(self):
        dense = keras.layers.Dense(UNITS)
        dense.build((None, DIM))
        kernel = array(dense.kernel).copy()
        layer = make(layer=dense)
        layer(inputs())
        assert (array(dense.kernel) == kernel).all()
        assert layer.layer is dense


class TestConfig:
    def test_every_argument_arrives_and_survives(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MySpectralNormalization).parameters
        ]
        layer = MySpectralNormalization(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data, nothing that only Keras can write.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MySpectralNormalization"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MySpectralNormalization
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MySpectralNormalization(
            layer=keras.layers.Dense(UNITS, bias_initializer="random_normal")
        )
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_takes_numbers_of_numpy_and_keeps_plain_ones(self):
        numbers = {
            "power_iterations": np.int64(CHANGED["power_iterations"]),
        }
        layer = MySpectralNormalization(**{**CHANGED, **numbers})
        json.dumps(layer.get_config())
        for name, value in numbers.items():
            assert np.array_equal(getattr(layer, name), value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in ACCEPTED.items() for value in values],
    )
    def test_takes_values_at_the_edge(self, name, value):
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
    @pytest.mark.parametrize("inner", [None, "float32"])
    def test_dtype_policy(self, policy, inner):
        dense = keras.layers.Dense(UNITS, dtype=inner or policy)
        layer, x = make(layer=dense, dtype=policy), inputs()
        y = layer(x, training=True)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert layer.vector_u.dtype == dense.kernel.dtype
        kernel, bias = (array(ops.cast(weight, "float32")) for weight in dense.weights)
        y = array(ops.cast(y, "float32"))
        assert_close(y, x @ kernel + bias, tolerance=0.05)

    def test_learns_and_comes_back_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(layer=keras.layers.Dense(8, activation="tanh")),
                keras.layers.Dense(8, activation="tanh"),
                keras.layers.Dense(1),
            ]
        )
        model.build(x.shape)
        model.compile(keras.optimizers.Adam(0.05), "mse")
        before = model.get_weights()
        losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
        assert losses[-1] < 0.5 * losses[0]
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # What "auto" is on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {MySpectralNormalization.__module__}\n"
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

    def test_the_example_of_the_docstring(self):
        examples = doctest.testmod(sys.modules[MySpectralNormalization.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
