"""Tests for `MyPReLU`, on any Keras backend.

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

from my_p_re_lu import MyPReLU

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 3, 5

# A value other than the default for every constructor argument.
CHANGED = {
    "alpha_initializer": keras.initializers.RandomNormal(stddev=0.1, seed=1),
    "alpha_regularizer": keras.regularizers.L2(0.2),
    "alpha_constraint": keras.constraints.MaxNorm(5.0),
    "shared_axes": [1, 2],
}
DEFAULTS = {
    "alpha_initializer": keras.initializers.get("Zeros"),
    "alpha_regularizer": None,
    "alpha_constraint": None,
    "shared_axes": None,
}
REFUSED = {
    "shared_axes": [0, -1, [0], [1, -1], [1.5], 1.5, "1"],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"alpha_initializer": "random_normal"}
    return MyPReLU(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def reference(x, alpha):
    """The formula, one element at a time."""
    alpha = np.broadcast_to(alpha, x.shape)
    outputs = np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        outputs[index] = x[index] if x[index] >= 0 else alpha[index] * x[index]
    return outputs


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("shared_axes", [None, [], 1, (2,), [1, 2], [1, 2, 3]])
    def test_equals_the_formula(self, shared_axes):
        layer, x = make(shared_axes=shared_axes), inputs(2, STEPS)
        x[0, 0, 0, 0] = 0
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights()))

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, DIM), (None, None, DIM), (2, None, 4, DIM)]
    )
    def test_static_shape_is_correct(self, shape):
        shared_axes = [axis for axis, size in enumerate(shape) if axis and size is None]
        layer = make(shared_axes=shared_axes)
        assert layer.compute_output_shape(shape) == shape
        assert layer(keras.KerasTensor(shape)).shape == shape
        real = tuple(2 if size is None else size for size in shape)
        assert layer(np.zeros(real, "float32")).shape == real

    def test_refuses_an_unknown_size_that_is_not_shared(self):
        with pytest.raises(ValueError, match="shape"):
            make().build((None, None, DIM))

    def test_refuses_shared_axes_out_of_range(self):
        make(shared_axes=2).build((BATCH, STEPS, DIM))
        with pytest.raises(ValueError, match="must have all of `shared_axes`"):
            make(shared_axes=2).build((BATCH, DIM))

    def test_refuses_another_shape_once_built(self):
        layer = make(shared_axes=[1])
        layer.build((None, STEPS, DIM))
        assert layer(np.zeros((BATCH, STEPS + 1, DIM), "float32")).shape[1] == STEPS + 1
        for shape in [(BATCH, DIM), (BATCH, STEPS, 1), (BATCH, 1, STEPS, DIM)]:
            with pytest.raises(ValueError, match="incompatible with the layer"):
                layer(np.zeros(shape, "float32"))


class TestWeights:
    @pytest.mark.parametrize(
        ("shared_axes", "shape"),
        [(None, (2, STEPS, DIM)), (1, (1, STEPS, DIM)), ([2, 3], (2, 1, 1))],
    )
    def test_name_shape_and_initial_values(self, shared_axes, shape):
        layer = make(alpha_initializer="zeros", shared_axes=shared_axes)
        layer.build((None, 2, STEPS, DIM))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("alpha", shape)
        ]
        assert layer.trainable_weights == layer.weights
        assert (array(layer.alpha) == 0).all()

    def test_regularizer_adds_to_the_loss(self):
        layer = make(
            alpha_initializer="ones", alpha_regularizer=keras.regularizers.L1(0.1)
        )
        layer(inputs())
        assert_close([array(loss) for loss in layer.losses], [0.1 * DIM])

    def test_constraint_is_set_on_the_weight(self):
        layer = make(alpha_constraint="non_neg")
        layer.build((None, DIM))
        assert isinstance(layer.alpha.constraint, keras.constraints.NonNeg)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyPReLU).parameters]
        layer = MyPReLU(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyPReLU"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyPReLU
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyPReLU()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in REFUSED.items() for value in values],
    )
    def test_refuses_bad_arguments(self, name, value):
        with pytest.raises(ValueError, match=f"^`{name}` must be"):
            make(**{name: value})

    def test_one_axis_becomes_a_list(self):
        assert make(shared_axes=1).shared_axes == [1]


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert layer.alpha.dtype == layer.variable_dtype
        y, alpha = (array(ops.cast(z, "float32")) for z in (y, layer.alpha))
        assert_close(y, reference(x, alpha), tolerance=0.05)

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
                keras.layers.Dense(16),
                make(),
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
            f"import keras, numpy as np, {MyPReLU.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyPReLU.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
