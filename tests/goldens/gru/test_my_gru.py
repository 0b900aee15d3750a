"""Tests for `MyGRU`, on any Keras backend.

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

from my_gru import MyGRU

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
    "activity_regularizer": keras.regularizers.L2(1.1),
    "kernel_constraint": keras.constraints.MaxNorm(14.0),
    "recurrent_constraint": keras.constraints.MaxNorm(15.0),
    "bias_constraint": keras.constraints.MaxNorm(16.0),
    "dropout": 0.5,
    "recurrent_dropout": 0.5,
    "seed": 7,
    "return_sequences": True,
    "return_state": True,
    "go_backwards": True,
    "stateful": True,
    "unroll": True,
    "reset_after": False,
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
    "activity_regularizer": None,
    "kernel_constraint": None,
    "recurrent_constraint": None,
    "bias_constraint": None,
    "dropout": 0.0,
    "recurrent_dropout": 0.0,
    "seed": None,
    "return_sequences": False,
    "return_state": False,
    "go_backwards": False,
    "stateful": False,
    "unroll": False,
    "reset_after": True,
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
    return MyGRU(**{**plain, **arguments})


def inputs(steps=STEPS, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, steps, DIM)).astype("float32")


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


def reference(x, weights, states=None, **given):
    """The outputs of all steps, and the states after the last one."""
    states = states or [np.zeros((len(x), UNITS))] * 1
    outputs = []
    for t in range(x.shape[1]):
        states = step(x[:, t], states, *weights, **given)
        outputs.append(states[0])
    return [np.stack(outputs, axis=1), *states]


def arrays(tensors):
    return [array(tensor) for tensor in tensors]


def assert_all_close(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        assert_close(one, other)


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
        layer, x = make(return_sequences=True, return_state=True, **arguments), inputs()
        outputs = arrays(layer(x))
        expected = reference(x, layer.get_weights(), reset_after=layer.reset_after)
        assert_all_close(outputs, expected)
        assert (layer.cell.bias is None) == ("use_bias" in arguments)
        layer.return_sequences = layer.return_state = False
        assert_close(array(layer(x)), expected[1])

    def test_activations(self):
        layer, x = make(activation="relu", recurrent_activation="tanh"), inputs()
        y = array(layer(x))
        relu = {"activation": lambda x: np.maximum(x, 0), "gate": np.tanh}
        assert_close(y, reference(x, layer.get_weights(), **relu)[1])

    def test_uses_the_initial_state(self):
        layer, x = make(return_state=True), inputs()
        outputs = arrays(layer(x, initial_state=initial_states()))
        _, *states = reference(x, layer.get_weights(), initial_states())
        assert_all_close(outputs, [states[0], *states])

    def test_goes_backwards(self):
        layer, x = make(return_sequences=True, go_backwards=True), inputs()
        y = array(layer(x))
        assert_close(y, reference(x[:, ::-1], layer.get_weights())[0])

    def test_unrolling_changes_nothing(self):
        layer, x = make(return_sequences=True, unroll=True), inputs()
        y = array(layer(x))
        assert_close(y, reference(x, layer.get_weights())[0])

    def test_stateful_layer_continues_from_batch_to_batch(self):
        layer, x = make(stateful=True, return_sequences=True), inputs(steps=2 * STEPS)
        first, second = array(layer(x[:, :STEPS])), array(layer(x[:, STEPS:]))
        expected = reference(x, layer.get_weights())[0]
        assert_close(np.concatenate([first, second], axis=1), expected)
        layer.reset_state()
        assert_close(array(layer(x[:, :STEPS])), first)

    def test_a_masked_step_changes_nothing(self):
        layer, x = make(return_sequences=True, return_state=True), inputs()
        mask = np.array([[True, False, True]] * BATCH)
        y, *states = arrays(layer(x, mask=mask))
        expected, *after = reference(x[:, [0, 2]], layer.get_weights())
        assert_close(y, expected[:, [0, 0, 1]])
        assert_all_close(states, after)

    @pytest.mark.parametrize("dropout", [0.4, 0.0])
    @pytest.mark.parametrize("recurrent_dropout", [0.3, 0.0])
    def test_dropout_masks_are_the_same_in_all_steps(self, dropout, recurrent_dropout):
        given = {"dropout": dropout, "recurrent_dropout": recurrent_dropout, "seed": 1}
        layer, twin = (make(**given, return_sequences=True) for _ in range(2))
        x, h = inputs(), initial_states()[0]
        y, weights = array(layer(x, training=True)), layer.get_weights()
        masks = drawn(twin.cell, x[:, 0], h)
        assert_close(y, reference(x, weights, masks=masks)[0])
        assert_close(array(layer(x)), reference(x, weights)[0])

    def test_dropout_before_the_reset_gate(self):
        given = {
            "dropout": 0.4,
            "recurrent_dropout": 0.3,
            "reset_after": False,
            "seed": 1,
        }
        layer, twin, x = make(**given), make(**given), inputs()
        y, weights = array(layer(x, training=True)), layer.get_weights()
        masks = drawn(twin.cell, x[:, 0], initial_states()[0])
        assert_close(y, reference(x, weights, masks=masks, reset_after=False)[1])

    def test_dropout_is_drawn_per_sequence(self):
        layer, x = make(dropout=0.4, recurrent_dropout=0.3), inputs()
        one, other = (array(layer(x, training=True)) for _ in range(2))
        assert (one != other).any()

    @pytest.mark.parametrize(
        "stack", [lambda cells: cells[0], list, keras.layers.StackedRNNCells]
    )
    def test_its_cells_fit_with_dropout_alone_and_in_a_stack(self, stack):
        cells = [make(dropout=0.4, recurrent_dropout=0.3).cell for _ in range(2)]
        model = keras.Sequential(
            [keras.Input((STEPS, DIM)), keras.layers.RNN(stack(cells))]
        )
        model.compile(optimizer="sgd", loss="mse")
        history = model.fit(inputs(), np.zeros((BATCH, UNITS)), epochs=2, verbose=0)
        assert np.isfinite(history.history["loss"]).all()

    def test_cell_computes_one_step(self):
        cell, x, states = make(dropout=0.4).cell, inputs()[:, 0], initial_states()
        y, after = cell(x, states)
        expected = step(x, states, *cell.get_weights())
        assert_all_close([array(y), *arrays(after)], [expected[0], *expected])
        y, _ = cell(x, states, training=True)
        assert (array(y) != expected[0]).any()
        y, after = cell(x, states[0])  # A state does not need to be in a list.
        assert_all_close([array(y), array(after)], expected * 2)

    def test_bidirectional(self):
        x = inputs()
        both = keras.layers.Bidirectional(make())
        y = array(both(x))
        forward, backward = np.split(np.array(both.get_weights(), dtype=object), 2)
        expected = [reference(x, forward)[1], reference(x[:, ::-1], backward)[1]]
        assert_close(y, np.concatenate(expected, axis=-1))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, STEPS, DIM), (None, None, DIM), (BATCH, STEPS, DIM)]
    )
    @pytest.mark.parametrize("return_sequences", [True, False])
    def test_static_shape_is_correct(self, shape, return_sequences):
        expected = (*shape[: 1 + return_sequences], UNITS)
        layer = make(return_sequences=return_sequences)
        assert layer.compute_output_shape(shape) == expected
        assert layer(keras.KerasTensor(shape)).shape == expected
        layer = make(return_sequences=return_sequences, return_state=True)
        state = (shape[0], UNITS)
        assert layer.compute_output_shape(shape) == (expected, state)
        assert [one.shape for one in layer(keras.KerasTensor(shape))] == [
            expected,
            state,
        ]

    @pytest.mark.parametrize("shape", [(BATCH, DIM), (BATCH, STEPS, DIM, 1)])
    def test_refuses_another_rank(self, shape):
        with pytest.raises(ValueError, match="expected ndim=3"):
            make()(np.zeros(shape, "float32"))


class TestWeights:
    def test_names_shapes_and_initial_values(self):
        layer = make(bias_initializer="zeros")
        layer.build((None, STEPS, DIM))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("kernel", (DIM, 3 * UNITS)),
            ("recurrent_kernel", (UNITS, 3 * UNITS)),
            ("bias", (2, 3 * UNITS)),
        ]
        assert layer.trainable_weights == layer.weights
        assert [weight.path.split("/")[1] for weight in layer.weights] == [
            "gru_cell"
        ] * 3
        kernel, recurrent_kernel, bias = layer.get_weights()
        limit = np.sqrt(6 / (DIM + 3 * UNITS))  # Glorot and Bengio, 2010
        assert 0.5 * limit < np.abs(kernel).max() <= limit
        assert_close(recurrent_kernel @ recurrent_kernel.T, np.eye(UNITS))
        assert (bias == 0).all()
        layer = make(reset_after=False)
        layer.build((None, STEPS, DIM))
        assert layer.cell.bias.shape == (3 * UNITS,)

    def test_regularizers_add_to_the_loss(self):
        layer = make(
            kernel_initializer="ones",
            recurrent_initializer="ones",
            bias_initializer=keras.initializers.Constant(2.0),
            kernel_regularizer=keras.regularizers.L2(0.1),
            recurrent_regularizer=keras.regularizers.L2(0.2),
            bias_regularizer=keras.regularizers.L1(0.5),
            activity_regularizer=keras.regularizers.L1(10.0),
        )
        y = array(layer(np.ones((1, STEPS, DIM), "float32")))
        size = 3 * UNITS
        expected = [
            0.1 * DIM * size,
            0.2 * UNITS * size,
            0.5 * 2 * 2 * size,
            10 * np.abs(y).sum(),
        ]
        assert_close(sorted(array(loss) for loss in layer.losses), sorted(expected))

    def test_constraints_are_set_on_the_weights(self):
        layer = make(
            kernel_constraint="non_neg",
            recurrent_constraint="max_norm",
            bias_constraint="unit_norm",
        )
        layer.build((None, STEPS, DIM))
        kinds = [type(weight.constraint).__name__ for weight in layer.weights]
        assert kinds == ["NonNeg", "MaxNorm", "UnitNorm"]


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyGRU).parameters]
        layer = MyGRU(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyGRU"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyGRU
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyGRU(units=UNITS)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "units": np.int64(CHANGED["units"]),
            "dropout": np.float32(CHANGED["dropout"]),
            "recurrent_dropout": np.float32(CHANGED["recurrent_dropout"]),
        }
        layer = MyGRU(**{**CHANGED, **numbers})
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
        config = MyGRU(units=UNITS).get_config()
        left_out = {"implementation": 0, "use_cudnn": "auto"}
        assert MyGRU.from_config({**config, **left_out}).get_config() == config

    @pytest.mark.parametrize("name", ["implementation", "use_cudnn"])
    def test_refuses_unsupported_arguments(self, name):
        config = MyGRU(units=UNITS).get_config()
        with pytest.raises(ValueError, match=f"`{name}` is not supported"):
            MyGRU.from_config({**config, name: "other"})


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        # JAX does not support orthogonal initialization in bfloat16.
        given = {
            "recurrent_initializer": "uniform",
            "dropout": 0.5,
            "return_state": True,
        }
        layer, x = make(**given, dtype=policy), inputs()
        for training in (True, False):
            y, *states = layer(x, training=training)
            for tensor in (y, *states):
                assert (
                    keras.backend.standardize_dtype(tensor.dtype) == layer.compute_dtype
                )
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *layer.weights))
        assert_close(y, reference(x, weights)[1], tolerance=0.05)

    def test_propagates_masks_with_its_sequences(self):
        x = inputs()
        x[:, -1] = 0
        model = keras.Sequential([keras.layers.Masking(), make(return_sequences=True)])
        mask = array(model(x)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()
        assert getattr(make()(model(x)), "_keras_mask", None) is None

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(STEPS, batch=64)
        y = np.sin(x.sum(axis=(1, 2)))
        model = keras.Sequential(
            [
                make(units=8, dropout=0.05, recurrent_dropout=0.05),
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
            f"import keras, numpy as np, {MyGRU.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyGRU.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
