"""What `MyLayer` promises, on each backend.

`KERAS_BACKEND=jax pytest` runs it on another one than Keras's default.
"""

import doctest
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from my_layer import MyLayer

# Keras's Torch backend itself calls NumPy 2 in a deprecated way.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 3, 5


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    return MyLayer(**arguments)


def inputs(*axes, batch=BATCH):
    # TODO: inputs of the rank and the kind that the layer is for.
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def reference(x):
    """TODO: the formula in NumPy, without the layer's own code."""
    return x


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


class TestValues:
    @pytest.mark.parametrize("axes", [(), (STEPS,), (2, STEPS)])
    def test_equals_the_formula(self, axes):
        layer, x = make(), inputs(*axes)
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights()))

    def test_items_of_a_batch_do_not_mix(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, DIM), (None, None, DIM), (BATCH, STEPS, DIM)]
    )
    def test_static_shape_is_the_real_one(self, shape):
        expected = shape  # TODO: the shape that the formula gives.
        assert make().compute_output_shape(shape) == expected
        assert make()(keras.KerasTensor(shape)).shape == expected
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == real


class TestWeights:
    def test_names_and_shapes(self):
        layer = make()
        layer.build((None, STEPS, DIM))
        weights = [(weight.name, weight.shape) for weight in layer.weights]
        assert weights == []  # TODO: the weights that `build` makes, in order.


class TestConfig:
    def test_what_every_layer_has_survives(self):
        layer = MyLayer(name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data, nothing that only Keras can write.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyLayer"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyLayer
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer = make(dtype=policy)
        y = layer(inputs())
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} <= {layer.variable_dtype}

    def test_learns_and_comes_back_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(),
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
            f"import keras, numpy as np, {MyLayer.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyLayer.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
