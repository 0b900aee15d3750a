"""Tests for `MyGRUCell`, on any Keras backend.

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

from my_gru_cell import MyGRUCell

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, UNITS = 4, 3, 5, 2
KEPT = [1.0] * 3, [1.0] * 3  # Without dropout.

# A value other than the default for every constructor argument.
CHANGED = {
    "units": UNITS,
    "activation": keras.activations.sigmoid,
    "recurrent_activation": keras.activations.tanh,
    "use_bias": False,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.5, seed=5),
    "recurrent_initializer": keras.initializers.RandomNormal(stddev=0.6, seed=6),
    "bias_initializer": keras.initializers.RandomNormal(stddev=0.7, seed=7),
    "kernel_regularizer": keras.regularizers.L2(0.8),
    "recurrent_regularizer": keras.regularizers.L2(0.9),
    "bias_regularizer": keras.regularizers.L2(1.0),
    "kernel_constraint": keras.constraints.MaxNorm(13.0),
    "recurrent_constraint": keras.constraints.MaxNorm(14.0),
    "bias_constraint": keras.constraints.MaxNorm(15.0),
    "dropout": 0.5,
    "recurrent_dropout": 0.5,
    "reset_after": False,
    "seed": 7,
}
DEFAULTS = {
    "activation": keras.activations.get("tanh"),
    "recurrent_activation": keras.activations.get("sigmoid"),
    "use_bias": True,
    "kernel_initializer": keras.initializers.get("glorot_uniform"),
    "recurrent_initializer": keras.initializers.get("orthogonal"),
    "bias_initializer": keras.initializers.get("zeros"),
    "kernel_regularizer": None,
    "recurrent_regularizer": None,
    "bias_regularizer": None,
    "kernel_constraint": None,
    "recurrent_constraint": None,
    "bias_constraint": None,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "reset_after": True,
    "seed": None,
}
ACCEPTED = {
    "units": [1],
    "dropout": [0.0, 1.0, 1],
    "recurrent_dropout": [0.0, 1.0, 1],
}
REFUSED = {
    "units": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 2.0, "1.0", None],
    "recurrent_dropout": [-1.0, 2.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"units": UNITS, "bias_initializer": "random_normal"}
    return MyGRUCell(**{**plain, **arguments})


def inputs(*shape, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *shape, DIM)).astype("float32")


def initial_states(batch=BATCH):
    """Random initial states."""
    rng = np.random.default_rng(1)
    return [rng.normal(size=(batch, UNITS)).astype("float32")]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def product(x, kernel, masks):
    """`x @ kernel`, one gate at a time, with the dropout mask of each gate."""
    gates = zip(masks, np.split(kernel, 3, axis=-1), strict=True)
    return np.concatenate([(x * mask) @ part for mask, part in gates], axis=-1)


def step(
    x,
    states,
    kernel,
    recurrent,
    bias=None,
    masks=KEPT,
    gate=sigmoid,
    activation=np.tanh,
    reset_after=True,
):
    """The states after a step by the formula, given the dropout masks."""
    (h,) = states
    bias = np.zeros((2, 3 * UNITS)) if bias is None else bias
    of_inputs, of_h = bias if reset_after else (bias, np.zeros(3 * UNITS))
    x_z, x_r, x_g = np.split(product(x, kernel, masks[0]) + of_inputs, 3, axis=-1)
    h_z, h_r, h_g = np.split(product(h, recurrent, masks[1]) + of_h, 3, axis=-1)
    z, r = gate(x_z + h_z), gate(x_r + h_r)
    if not reset_after:
        h_g = (r * h * masks[1][2]) @ np.split(recurrent, 3, axis=-1)[2]
    g = activation(x_g + (r * h_g if reset_after else h_g))
    return [z * h + (1 - z) * g]


def drawn(cell, x, h):
    """The dropout masks of `x` and `h` in a sequence, for each gate."""
    masks = cell.get_dropout_mask(x), cell.get_recurrent_dropout_mask(h)
    masks = [mask if isinstance(mask, list) else [mask] * 3 for mask in masks]
    return [[1.0 if mask is None else array(mask) for mask in each] for each in masks]


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize(
        "arguments", [{}, {"use_bias": False}, {"reset_after": False}]
    )
    def test_equals_the_formula(self, arguments):
        cell, x, states = make(**arguments), inputs(), initial_states()
        y, after = cell(x, states)
        assert (cell.bias is None) == ("use_bias" in arguments)
        expected = step(x, states, *cell.get_weights(), reset_after=cell.reset_after)
        assert_close(array(y), expected[0])
        for one, other in zip(after, expected, strict=True):
            assert_close(array(one), other)

    def test_activations(self):
        cell, x, states = (
            make(activation="relu", recurrent_activation="tanh"),
            inputs(),
            initial_states(),
        )
        y, _ = cell(x, states)
        relu = {"activation": lambda x: np.maximum(x, 0), "gate": np.tanh}
        assert_close(array(y), step(x, states, *cell.get_weights(), **relu)[0])

    def test_accepts_a_state_without_a_list(self):
        cell, x, (h,) = make(), inputs(), initial_states()
        y, after = cell(x, h)
        assert_close(array(y), step(x, [h], *cell.get_weights())[0])
        assert (array(y) == array(after)).all()

    @pytest.mark.parametrize("dropout", [0.4, 0.0])
    @pytest.mark.parametrize("recurrent_dropout", [0.3, 0.0])
    def test_dropout_masks_are_the_same_in_all_steps(self, dropout, recurrent_dropout):
        given = {"dropout": dropout, "recurrent_dropout": recurrent_dropout, "seed": 1}
        cell, twin, x, states = (
            make(**given),
            make(**given),
            inputs(STEPS),
            initial_states(),
        )
        y = array(keras.layers.RNN(cell)(x, initial_state=states, training=True))
        masks = drawn(twin, x[:, 0], states[0])
        for t in range(STEPS):
            states = step(x[:, t], states, *cell.get_weights(), masks=masks)
        assert_close(y, states[0])

    def test_dropout_before_the_reset_gate(self):
        given = {
            "dropout": 0.4,
            "recurrent_dropout": 0.3,
            "reset_after": False,
            "seed": 1,
        }
        cell, x, states = make(**given), inputs(), initial_states()
        y, _ = cell(x, states, training=True)
        masks = drawn(make(**given), x, states[0])
        expected = step(x, states, *cell.get_weights(), masks=masks, reset_after=False)
        assert_close(array(y), expected[0])

    def test_dropout_is_drawn_per_sequence_and_in_training_only(self):
        cell = make(dropout=0.4, recurrent_dropout=0.3)
        layer, x, states = keras.layers.RNN(cell), inputs(STEPS), initial_states()
        one, other = (array(layer(x, training=True)) for _ in range(2))
        assert (one != other).any()
        y = array(layer(x, initial_state=states))
        for t in range(STEPS):
            states = step(x[:, t], states, *cell.get_weights())
        assert_close(y, states[0])

    @pytest.mark.parametrize(
        "stack", [lambda cells: cells[0], list, keras.layers.StackedRNNCells]
    )
    def test_fits_with_dropout_alone_and_in_a_stack(self, stack):
        cells = [make(dropout=0.4, recurrent_dropout=0.3) for _ in range(2)]
        model = keras.Sequential(
            [keras.Input((STEPS, DIM)), keras.layers.RNN(stack(cells))]
        )
        model.compile(optimizer="sgd", loss="mse")
        history = model.fit(
            inputs(STEPS), np.zeros((BATCH, UNITS)), epochs=2, verbose=0
        )
        assert np.isfinite(history.history["loss"]).all()

    def test_is_the_cell_of_a_layer(self):
        cell, x, states = make(), inputs(STEPS), initial_states()
        y = keras.layers.RNN(cell)(x, initial_state=states)
        for t in range(STEPS):
            states = step(x[:, t], states, *cell.get_weights())
        assert_close(array(y), states[0])

    def test_initial_state(self):
        for state in make(dtype="bfloat16").get_initial_state(BATCH):
            assert state.shape == (BATCH, UNITS)
            assert keras.backend.standardize_dtype(state.dtype) == "bfloat16"
            assert not array(ops.any(state))


class TestShapes:
    def test_static_shape_is_correct(self):
        state = (None, UNITS)
        states = [state]
        assert make().compute_output_shape((None, DIM), states) == (state, states)
        tensors = [keras.KerasTensor(shape) for shape in states]
        y, after = make()(keras.KerasTensor((None, DIM)), tensors)
        assert [y.shape, *(one.shape for one in after)] == [state, *states]


class TestWeights:
    def test_names_shapes_and_initial_values(self):
        layer = make(bias_initializer="zeros")
        layer.build((None, DIM))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("kernel", (DIM, 3 * UNITS)),
            ("recurrent_kernel", (UNITS, 3 * UNITS)),
            ("bias", (2, 3 * UNITS)),
        ]
        assert layer.trainable_weights == layer.weights
        kernel, recurrent_kernel, bias = layer.get_weights()
        limit = np.sqrt(6 / (DIM + 3 * UNITS))  # Glorot and Bengio, 2010
        assert 0.5 * limit < np.abs(kernel).max() <= limit
        assert_close(recurrent_kernel @ recurrent_kernel.T, np.eye(UNITS))
        assert (bias == 0).all()
        layer = make(reset_after=False)
        layer.build((None, DIM))
        assert layer.bias.shape == (3 * UNITS,)

    def test_regularizers_add_to_the_loss(self):
        layer = make(
            kernel_initializer="ones",
            recurrent_initializer="ones",
            bias_initializer=keras.initializers.Constant(2.0),
            kernel_regularizer=keras.regularizers.L2(0.1),
            recurrent_regularizer=keras.regularizers.L2(0.2),
            bias_regularizer=keras.regularizers.L1(0.5),
        )
        layer.build((None, DIM))
        size = 3 * UNITS
        expected = [0.1 * DIM * size, 0.2 * UNITS * size, 0.5 * 2 * 2 * size]
        assert_close(sorted(array(loss) for loss in layer.losses), sorted(expected))

    def test_constraints_are_set_on_the_weights(self):
        layer = make(
            kernel_constraint="non_neg",
            recurrent_constraint="max_norm",
            bias_constraint="unit_norm",
        )
        layer.build((None, DIM))
        kinds = [type(weight.constraint).__name__ for weight in layer.weights]
        assert kinds == ["NonNeg", "MaxNorm", "UnitNorm"]


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyGRUCell).parameters]
        layer = MyGRUCell(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyGRUCell"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyGRUCell
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyGRUCell(units=UNITS)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "units": np.int64(CHANGED["units"]),
            "dropout": np.float32(CHANGED["dropout"]),
            "recurrent_dropout": np.float32(CHANGED["recurrent_dropout"]),
        }
        layer = MyGRUCell(**{**CHANGED, **numbers})
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
        # JAX does not support orthogonal initialization in bfloat16.
        cell, x = (
            make(recurrent_initializer="uniform", dropout=0.5, dtype=policy),
            inputs(),
        )
        start = cell.get_initial_state(BATCH)
        for training in (False, True):
            y, states = cell(x, start, training=training)
            for tensor in (y, *states, *start):
                assert (
                    keras.backend.standardize_dtype(tensor.dtype) == cell.compute_dtype
                )
        assert {weight.dtype for weight in cell.weights} == {cell.variable_dtype}
        y, *weights = (
            array(ops.cast(z, "float32")) for z in (cell(x, start)[0], *cell.weights)
        )
        zeros = [np.zeros((BATCH, UNITS)) for _ in start]
        assert_close(y, step(x, zeros, *weights)[0], tolerance=0.05)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(STEPS, batch=64)
        y = np.sin(x.sum(axis=(1, 2)))
        model = keras.Sequential(
            [
                keras.layers.RNN(make(units=8)),
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
            f"import keras, numpy as np, {MyGRUCell.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyGRUCell.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
