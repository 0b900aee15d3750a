"""Tests for `FancySpectralNormalization`, on any Keras backend.

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

from fancy_spectral_normalization import FancySpectralNormalization

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, UNITS = 4, 3, 5, 2

# A value other than the default for every constructor argument.
CHANGED = {
    "layer": keras.layers.Dense(1),
    "power_iterations": 3,
    "gain": 0.5,
    "mode": "mean",
}
DEFAULTS = {
    "power_iterations": 2,
    "gain": 1.0,
    "mode": "sum",
}
ACCEPTED = {
    "power_iterations": [1],
    "gain": [1],
}
REFUSED = {
    "layer": ["dense", None],
    "power_iterations": [0, 2.5, True, "2", None],
    "gain": [0.0, "1.0", None],
    "mode": ["sum-mean", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "layer": keras.layers.Dense(UNITS, bias_initializer="random_normal"),
        "power_iterations": 1,
    }
    return FancySpectralNormalization(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


@keras.saving.register_keras_serializable(package="tests")
class Stateful(keras.layers.Dense):
    """A dense layer that counts its calls in training, uses a mask and adds a loss."""

    def build(self, input_shape):
        super().build(input_shape)
        self.calls = self.add_weight(name="calls", initializer="zeros", trainable=False)

    def call(self, inputs, training=None, mask=None):
        if training:
            self.calls.assign(self.calls + 1)
        outputs = super().call(inputs)
        self.add_loss(ops.mean(outputs))
        return outputs if mask is None else ops.where(mask[..., None], outputs, 0)


def reference(kernel, u, iterations=1):
    """The normalized kernel and the next `vector_u` by the formula."""
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
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("iterations", [1, 3])
    @pytest.mark.parametrize("training", [True, False, None])
    def test_divides_the_kernel(self, iterations, training):
        layer, x = make(power_iterations=iterations), inputs()
        layer.build(x.shape)
        u, weights = array(layer.vector_u).copy(), layer.layer.get_weights()
        y = array(layer(x, training=training))
        kernel, new_u = reference(weights[0], u, iterations)
        assert_close(y, x @ kernel + weights[1])
        assert_close(array(layer.vector_u), new_u if training else u)
        for old, new in zip(weights, layer.layer.get_weights(), strict=True):
            assert (old == new).all()

    @pytest.mark.parametrize(
        ("cls", "arguments", "x"),
        [
            (keras.layers.Conv1D, (4, 2), np.ones((2, 3, 5), "float32")),
            (keras.layers.Embedding, (7, 4), np.ones((2, 3), "int32")),
        ],
        ids=["Conv1D", "Embedding"],
    )
    def test_divides_by_the_largest_singular_value(self, cls, arguments, x):
        wrapped = cls(*arguments)
        layer = make(layer=wrapped, power_iterations=20)
        layer.build(x.shape)
        # One singular value dominates, so that the iteration converges fast.
        kernel = np.random.default_rng(0).normal(size=layer.kernel.shape) * [9, 1, 1, 1]
        layer.kernel.assign(kernel)
        y = array(layer(x))
        assert layer.kernel is wrapped.weights[0]
        wrapped.weights[0].assign(kernel / np.linalg.norm(kernel.reshape(-1, 4), 2))
        assert_close(y, array(wrapped(x)))

    def test_kernel_is_trained_and_still_divided(self):
        dense = keras.layers.Dense(UNITS, use_bias=False)
        layer, x = make(layer=dense, power_iterations=100), inputs(batch=64)
        model = keras.Sequential([keras.Input((DIM,)), layer])
        kernel, u = layer.get_weights()
        model.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse")
        model.fit(x, 10 * x[:, :UNITS], epochs=3, verbose=0)
        assert np.linalg.norm(array(dense.kernel) - kernel) > 0.1
        assert (array(layer.vector_u) != u).any()
        norm = np.linalg.norm(model.predict(np.eye(DIM), verbose=0), 2)
        assert abs(norm - 1) < 0.01
        assert abs(np.linalg.norm(array(dense.kernel), 2) - 1) > 0.1

    def test_keeps_the_state_and_the_losses_of_the_layer(self):
        layer, x = make(layer=Stateful(UNITS)), inputs()
        y = array(layer(x, training=True))
        assert_close([array(loss) for loss in layer.losses], [y.mean()])
        assert array(layer.layer.calls) == 1
        layer(x)
        assert array(layer.layer.calls) == 1
        model = keras.Sequential([keras.Input((DIM,)), layer])
        model.compile(optimizer="sgd", loss="mse")
        model.fit(x, np.zeros((BATCH, UNITS)), batch_size=1, verbose=0)
        assert array(layer.layer.calls) == 1 + BATCH

    def test_passes_the_mask_to_the_layer(self):
        layer, x = make(layer=Stateful(UNITS)), inputs(3)
        mask = np.random.default_rng(1).random((BATCH, 3)) < 0.5
        y = array(layer(x))
        with pytest.warns(UserWarning, match="Downstream layers will not see the mask"):
            masked = layer(x, mask=ops.convert_to_tensor(mask))
        assert_close(array(masked), np.where(mask[..., None], y, 0))

    @pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
    def test_a_narrow_dtype_does_not_round_weights(self, policy):
        dense = keras.layers.Dense(
            UNITS, bias_initializer="random_normal", trainable=False
        )
        layer, x = make(layer=dense, dtype=policy), inputs()
        layer.build(x.shape)
        before = dense.get_weights()
        layer(x, training=True)
        for old, new in zip(before, dense.get_weights(), strict=True):
            assert (old == new).all()
        narrow = ops.cast(layer.vector_u, layer.compute_dtype)
        assert (array(layer.vector_u) != array(ops.cast(narrow, "float32"))).any()

    def test_a_kernel_of_zeros_is_left_unchanged(self):
        dense = keras.layers.Dense(UNITS, kernel_initializer="zeros")
        layer, x = make(layer=dense), inputs()
        layer.build(x.shape)
        u = array(layer.vector_u).copy()
        assert (array(layer(x, training=True)) == 0).all()
        assert (array(layer.vector_u) == u).all()


class TestShapes:
    @pytest.mark.parametrize("shape", [(None, DIM), (None, None, DIM), (2, 3, 4, DIM)])
    def test_static_shape_is_correct(self, shape):
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
    def test_has_the_weights_of_the_layer(self):
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

    def test_losses_of_the_layer_count_once(self):
        dense = keras.layers.Dense(
            UNITS,
            activity_regularizer=keras.regularizers.L2(0.1),
            kernel_regularizer="l2",
        )
        layer, x = make(layer=dense), inputs()
        model = keras.Sequential([keras.Input((DIM,)), layer])
        model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
        y = model.predict_on_batch(x)
        expected = 0.1 * (y**2).sum() / BATCH + 0.01 * (array(dense.kernel) ** 2).sum()
        assert_close(
            model.train_on_batch(x, np.zeros_like(y)), (y**2).mean() + expected
        )
        model(x, training=True)
        assert len(model.losses) == 2

    def test_a_built_layer_keeps_its_weights(self):
        dense = keras.layers.Dense(UNITS)
        dense.build((None, DIM))
        kernel = array(dense.kernel).copy()
        layer = make(layer=dense)
        layer(inputs())
        assert (array(dense.kernel) == kernel).all()
        assert layer.layer is dense


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(FancySpectralNormalization).parameters
        ]
        layer = FancySpectralNormalization(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>FancySpectralNormalization"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is FancySpectralNormalization
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = FancySpectralNormalization(
            layer=keras.layers.Dense(UNITS, bias_initializer="random_normal")
        )
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "power_iterations": np.int64(CHANGED["power_iterations"]),
            "gain": np.float32(CHANGED["gain"]),
        }
        layer = FancySpectralNormalization(**{**CHANGED, **numbers})
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
    @pytest.mark.parametrize("inner", [None, "float32"])
    def test_dtype_policy(self, policy, inner):
        dense = keras.layers.Dense(UNITS, dtype=inner or policy)
        layer, x = make(layer=dense, dtype=policy), inputs()
        layer.build(x.shape)
        u = array(ops.cast(layer.vector_u, "float32"))
        y = layer(x, training=True)
        assert layer.vector_u.dtype == dense.kernel.dtype
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        kernel, bias = (array(ops.cast(weight, "float32")) for weight in dense.weights)
        y = array(ops.cast(y, "float32"))
        assert_close(y, x @ reference(kernel, u)[0] + bias, tolerance=0.05)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
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
            model.jit_compile = True  # As "auto" would on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {FancySpectralNormalization.__module__}\n"
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
        examples = doctest.testmod(sys.modules[FancySpectralNormalization.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
