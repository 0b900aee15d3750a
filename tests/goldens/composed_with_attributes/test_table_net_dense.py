"""Tests for `TableNetDense`, on any Keras backend.

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

from table_net_dense import TableNetDense

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, UNITS = 4, 3, 5, 2

# A value other than the default for every constructor argument.
CHANGED = {
    "units": UNITS,
    "activation": keras.activations.tanh,
    "use_bias": False,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.4, seed=4),
    "bias_initializer": keras.initializers.RandomNormal(stddev=0.5, seed=5),
    "kernel_regularizer": keras.regularizers.L2(0.6),
    "bias_regularizer": keras.regularizers.L2(0.7),
    "activity_regularizer": keras.regularizers.L2(0.8),
    "kernel_constraint": keras.constraints.MaxNorm(11.0),
    "bias_constraint": keras.constraints.MaxNorm(12.0),
}
DEFAULTS = {
    "activation": keras.activations.get(None),
    "use_bias": True,
    "kernel_initializer": keras.initializers.get("glorot_uniform"),
    "bias_initializer": keras.initializers.get("zeros"),
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "activity_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
}
ACCEPTED = {
    "units": [1],
}
REFUSED = {
    "units": [0, 2.5, True, "2", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"units": UNITS, "bias_initializer": "random_normal"}
    return TableNetDense(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *axes, DIM)).astype("float32")


def reference(x, kernel, bias=0.0):
    """The formula, one unit at a time."""
    outputs = np.zeros((*x.shape[:-1], kernel.shape[1])) + bias
    for *index, unit in np.ndindex(*outputs.shape):
        outputs[*index, unit] += sum(x[*index, i] * kernel[i, unit] for i in range(DIM))
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

    def test_without_bias(self):
        layer, x = make(use_bias=False), inputs()
        y = array(layer(x))
        assert layer.bias is None
        assert_close(y, reference(x, *layer.get_weights()))

    def test_activation_is_applied_last(self):
        layer, x = make(activation="relu"), inputs()
        y = array(layer(x))
        assert_close(y, np.maximum(reference(x, *layer.get_weights()), 0))
        assert (y == 0).any()
        assert (y > 0).any()

    def test_activation_can_be_removed(self):
        layer, x = make(activation="relu"), inputs()
        layer.activation = None
        y = array(layer(x))
        assert_close(y, reference(x, *layer.get_weights()))

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, DIM), (None, None, DIM), (BATCH, STEPS, DIM)]
    )
    def test_static_shape_is_correct(self, shape):
        expected = (*shape[:-1], UNITS)
        assert make().compute_output_shape(shape) == expected
        assert make()(keras.KerasTensor(shape)).shape == expected
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == (*real[:-1], UNITS)

    def test_refuses_rank_1_before_creating_weights(self):
        layer = make()
        with pytest.raises(ValueError, match="min_ndim=2"):
            layer(np.zeros((DIM,), "float32"))
        assert layer.weights == []

    def test_refuses_another_input_dim_once_built(self):
        layer = make()
        layer.build((None, DIM))
        for shape in [(DIM,), (BATCH, DIM + 1)]:
            with pytest.raises(ValueError, match="incompatible with the layer"):
                layer(np.zeros(shape, "float32"))


class TestWeights:
    def test_names_shapes_and_initial_values(self):
        layer = make(bias_initializer="zeros")
        layer.build((None, STEPS, DIM))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("kernel", (DIM, UNITS)),
            ("bias", (UNITS,)),
        ]
        assert layer.trainable_weights == layer.weights
        kernel, bias = layer.get_weights()
        limit = np.sqrt(6 / (DIM + UNITS))  # Glorot and Bengio, 2010
        assert 0.5 * limit < np.abs(kernel).max() <= limit
        assert (bias == 0).all()

    def test_regularizers_add_to_the_loss(self):
        layer = make(
            kernel_initializer="ones",
            bias_initializer=keras.initializers.Constant(2.0),
            kernel_regularizer=keras.regularizers.L2(0.1),
            bias_regularizer=keras.regularizers.L1(0.5),
            activity_regularizer=keras.regularizers.L1(1.0),
        )
        layer(np.ones((1, DIM), "float32"))
        expected = [0.1 * DIM * UNITS, 0.5 * 2 * UNITS, (DIM + 2) * UNITS]
        assert_close(sorted(array(loss) for loss in layer.losses), sorted(expected))

    def test_constraints_are_set_on_the_weights(self):
        layer = make(kernel_constraint="non_neg", bias_constraint="unit_norm")
        layer.build((None, DIM))
        assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg)
        assert isinstance(layer.bias.constraint, keras.constraints.UnitNorm)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(TableNetDense).parameters]
        layer = TableNetDense(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>TableNetDense"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is TableNetDense
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = TableNetDense(units=UNITS)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "units": np.int64(CHANGED["units"]),
        }
        layer = TableNetDense(**{**CHANGED, **numbers})
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

    def test_accepts_a_config_of_the_built_in(self):
        config = TableNetDense(units=UNITS).get_config()
        left_out = {"lora_rank": None, "lora_alpha": None, "quantization_config": None}
        assert TableNetDense.from_config({**config, **left_out}).get_config() == config

    @pytest.mark.parametrize("name", ["lora_rank", "lora_alpha", "quantization_config"])
    def test_refuses_unsupported_arguments(self, name):
        config = TableNetDense(units=UNITS).get_config()
        with pytest.raises(ValueError, match=f"`{name}` is not supported"):
            TableNetDense.from_config({**config, name: "other"})


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
                make(units=8, activation="tanh"),
                make(units=1),
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
            f"import keras, numpy as np, {TableNetDense.__module__}\n"
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
        examples = doctest.testmod(sys.modules[TableNetDense.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
