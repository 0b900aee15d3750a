"""Tests for `MyEinsumDense`, on any Keras backend.

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

from my_einsum_dense import MyEinsumDense

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, UNITS = 2, 3, 5, 4

# Arguments, with the corresponding shapes of the inputs, the weights and the outputs.
CASES = [
    (("ab,bc->ac", 4, None), (2, 5), [(5, 4)], (2, 4)),
    (("ab,bc->ac", 4, "c"), (2, 5), [(5, 4), (4,)], (2, 4)),
    (("abc,cd->abd", (3, 4), "d"), (2, 3, 5), [(5, 4), (4,)], (2, 3, 4)),
    (("abc,cd->abd", (None, 4), "bd"), (2, 3, 5), [(5, 4), (3, 4)], (2, 3, 4)),
    (("abc,bcd->abd", (None, 4), "b"), (2, 3, 5), [(3, 5, 4), (3, 1)], (2, 3, 4)),
    (("abc,cde->abde", (3, 4, 6), "e"), (2, 3, 5), [(5, 4, 6), (6,)], (2, 3, 4, 6)),
    (("abc,cde->abde", (3, 4, 6), "d"), (2, 3, 5), [(5, 4, 6), (4, 1)], (2, 3, 4, 6)),
    (("abc,dbc->ad", 4, "d"), (2, 3, 5), [(4, 3, 5), (4,)], (2, 4)),
    (("...x,xy->...y", 4, "y"), (2, 5), [(5, 4), (4,)], (2, 4)),
    (("...x,xy->...y", 4, "y"), (2, 3, 6, 5), [(5, 4), (4,)], (2, 3, 6, 4)),
    (("...bc,bd->...dc", (4, 5), "d"), (2, 3, 5), [(3, 4), (4, 1)], (2, 4, 5)),
    (("...ab,bc->...ac", 4, "c"), (2, 5), [(5, 4), (4,)], (2, 4)),
    (("ab...,bc->ac...", 4, "c"), (2, 5), [(5, 4), (4,)], (2, 4)),
    (("ab...,bc->ac...", 4, "c"), (2, 5, 3, 6), [(5, 4), (4, 1, 1)], (2, 4, 3, 6)),
]
MISMATCHES = {
    "`equation` must be": [
        ("abc->abd", 4),
        ("...bc,cd->bd", 4),
        ("...a...,b->...b...", 4),
    ],
    "The rank of the input must match": [
        ("ab,bc->ac", 4),
        ("abcd,de->abce", (3, 5, 4)),
    ],
    "The batch axis must come first": [
        ("abc,cd->bad", (2, 4)),
        ("...c,cd->...d", (3, 4)),
    ],
    "Axis 'b' must have the same size": [("abc,cd->abd", (6, 4))],
    "Each kernel axis must get": [
        ("abc,cde->abd", (3, 4)),
        ("abc,cd->abde", (3, 4, 6)),
    ],
    "`bias_axes` must be axes": [
        ("abc,cd->abd", (3, 4), "c"),
        ("abc,cd->abd", (3, 4), ""),
    ],
}

# A value other than the default for every constructor argument.
CHANGED = {
    "equation": "abc,cd->abd",
    "output_shape": (STEPS, UNITS),
    "activation": keras.activations.tanh,
    "bias_axes": "d",
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.5, seed=5),
    "bias_initializer": keras.initializers.RandomNormal(stddev=0.6, seed=6),
    "kernel_regularizer": keras.regularizers.L2(0.7),
    "bias_regularizer": keras.regularizers.L2(0.8),
    "kernel_constraint": keras.constraints.MaxNorm(11.0),
    "bias_constraint": keras.constraints.MaxNorm(12.0),
}
DEFAULTS = {
    "activation": keras.activations.get(None),
    "bias_axes": None,
    "kernel_initializer": keras.initializers.get("glorot_uniform"),
    "bias_initializer": keras.initializers.get("zeros"),
    "kernel_regularizer": None,
    "bias_regularizer": None,
    "kernel_constraint": None,
    "bias_constraint": None,
}
# Arguments stored under another name, since Keras uses theirs for something else.
KEPT_AS = {"output_shape": "partial_output_shape"}
REFUSED = {
    "equation": [2, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "equation": "abc,cd->abd",
        "output_shape": (None, UNITS),
        "bias_axes": "d",
        "bias_initializer": "random_normal",
    }
    return MyEinsumDense(**{**plain, **arguments})


def inputs(*shape, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *(shape or (STEPS, DIM)))).astype("float32")


def chosen(arguments):
    equation, output_shape, *bias_axes = arguments
    bias_axes = bias_axes[0] if bias_axes else None
    return {"equation": equation, "output_shape": output_shape, "bias_axes": bias_axes}


def reference(equation, x, kernel, bias=0.0):
    """The formula, one product of an input and a weight at a time."""
    operands, _, after = equation.partition("->")
    before, _, weights = operands.partition(",")
    dots = "PQR"[: x.ndim - len(before.replace("...", ""))]
    before, after = before.replace("...", dots), after.replace("...", dots)
    letters = [*dict.fromkeys(before + weights)]
    sizes = dict(zip(before + weights, x.shape + kernel.shape, strict=True))
    outputs = np.zeros([sizes[letter] for letter in after])
    for indices in np.ndindex(*(sizes[letter] for letter in letters)):
        at = dict(zip(letters, indices, strict=True))
        i, j, k = (
            tuple(at[letter] for letter in axes) for axes in (before, weights, after)
        )
        outputs[k] += x[i] * kernel[j]
    return outputs + bias


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize(
        ("arguments", "shape", "weights", "output"), CASES, ids=str
    )
    def test_equals_the_formula_in_values_and_shapes(
        self, arguments, shape, weights, output
    ):
        layer, x = make(**chosen(arguments)), inputs(*shape[1:])
        y = array(layer(x))
        assert [weight.shape for weight in layer.weights] == weights
        assert_close(y, reference(arguments[0], x, *layer.get_weights()))
        assert y.shape == layer.compute_output_shape(shape) == output
        unknown = keras.KerasTensor((None, *shape[1:]))
        assert make(**chosen(arguments))(unknown).shape == (None, *output[1:])

    def test_activation_is_applied_last_and_can_be_removed(self):
        layer, x = make(activation="relu"), inputs()
        y = array(layer(x))
        linear = reference(layer.equation, x, *layer.get_weights())
        assert_close(y, np.maximum(linear, 0))
        assert (linear < 0).any()
        layer.activation = None
        assert_close(array(layer(x)), linear)

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    def test_unknown_sizes_stay_unknown(self):
        layer = make()
        assert layer.compute_output_shape((None, None, DIM)) == (None, None, UNITS)
        assert layer(keras.KerasTensor((None, None, DIM))).shape == (None, None, UNITS)

    @pytest.mark.parametrize(("message", "cases"), MISMATCHES.items())
    def test_refuses_inconsistent_arguments(self, message, cases):
        for arguments in cases:
            layer = make(**chosen(arguments))
            for refuses in (layer.compute_output_shape, layer.build):
                with pytest.raises(ValueError, match=f"^{message}"):
                    refuses((BATCH, STEPS, DIM))

    def test_refuses_another_rank_once_built(self):
        layer = make(equation="...c,cd->...d", output_shape=UNITS)
        layer.build((None, DIM))
        with pytest.raises(ValueError, match="expected ndim=2"):
            layer(inputs())


class TestWeights:
    def test_names_shapes_and_initial_values(self):
        layer = make(bias_initializer="zeros")
        layer.build((None, STEPS, DIM))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("kernel", (DIM, UNITS)),
            ("bias", (UNITS,)),
        ]
        assert layer.trainable_weights == layer.weights
        assert (layer.get_weights()[1] == 0).all()

    @pytest.mark.parametrize(
        "given", [{}, {"input_axes": [0]}, {"output_axes": [0, 1]}]
    )
    def test_glorot_counts_the_axes_that_are_summed_over(self, given):
        glorot = keras.initializers.GlorotUniform(**given)
        layer = make(**chosen(("abc,dbc->ad", 7)), kernel_initializer=glorot)
        layer.build((None, 20, 30))
        limit = np.sqrt(6 / (20 * 30 + 7))  # Glorot and Bengio, 2010
        assert 0.99 * limit < np.abs(layer.get_weights()[0]).max() <= limit

    def test_axes_of_an_initializer_are_not_changed(self):
        glorot = keras.initializers.GlorotUniform(1, input_axes=[0], output_axes=[1])
        layer = make(kernel_initializer=glorot)
        layer.build((None, STEPS, DIM))
        assert_close(layer.get_weights()[0], array(glorot((DIM, UNITS))))

    def test_one_initializer_gives_two_layers_the_same_kernel(self):
        glorot = keras.initializers.GlorotUniform()
        layers = [make(kernel_initializer=glorot) for _ in range(2)]
        for layer in layers:
            layer.build((None, STEPS, DIM))
        first, second = (layer.get_weights()[0] for layer in layers)
        assert_close(first, second)

    def test_regularizers_add_to_the_loss(self):
        layer = make(
            kernel_initializer="ones",
            bias_initializer=keras.initializers.Constant(2.0),
            kernel_regularizer=keras.regularizers.L2(0.1),
            bias_regularizer=keras.regularizers.L1(0.5),
        )
        layer(inputs())
        expected = [0.1 * DIM * UNITS, 0.5 * 2 * UNITS]
        assert_close(sorted(array(loss) for loss in layer.losses), sorted(expected))

    def test_constraints_are_set_on_the_weights(self):
        layer = make(kernel_constraint="non_neg", bias_constraint="unit_norm")
        layer.build((None, STEPS, DIM))
        assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg)
        assert isinstance(layer.bias.constraint, keras.constraints.UnitNorm)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyEinsumDense).parameters]
        layer = MyEinsumDense(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyEinsumDense"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyEinsumDense
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            name = KEPT_AS.get(name, name)
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyEinsumDense(equation="abc,cd->abd", output_shape=(None, UNITS))
        for name, value in DEFAULTS.items():
            assert described(CHANGED[name]) != described(value)
            name = KEPT_AS.get(name, name)
            assert described(getattr(layer, name)) == described(value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in REFUSED.items() for value in values],
    )
    def test_refuses_bad_arguments(self, name, value):
        with pytest.raises((TypeError, ValueError), match=f"^`{name}` must be"):
            make(**{name: value})

    def test_accepts_a_config_of_the_built_in(self):
        config = MyEinsumDense(
            equation="abc,cd->abd", output_shape=(None, UNITS)
        ).get_config()
        left_out = {
            "activity_regularizer": None,
            "lora_rank": None,
            "lora_alpha": None,
            "quantization_config": None,
        }
        assert MyEinsumDense.from_config({**config, **left_out}).get_config() == config

    @pytest.mark.parametrize(
        "name",
        ["activity_regularizer", "lora_rank", "lora_alpha", "quantization_config"],
    )
    def test_refuses_unsupported_arguments(self, name):
        config = MyEinsumDense(
            equation="abc,cd->abd", output_shape=(None, UNITS)
        ).get_config()
        with pytest.raises(ValueError, match=f"`{name}` is not supported"):
            MyEinsumDense.from_config({**config, name: "other"})

    def test_an_int_is_the_size_of_one_axis(self):
        assert make(output_shape=UNITS).partial_output_shape == (UNITS,)
        assert make(output_shape=[None, UNITS]).partial_output_shape == (None, UNITS)


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *layer.weights))
        assert_close(y, reference(layer.equation, x, *weights), tolerance=0.05)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(output_shape=(STEPS, 8), activation="tanh"),
                make(equation="abc,bcd->ad", output_shape=1),
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
            f"import keras, numpy as np, {MyEinsumDense.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyEinsumDense.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
