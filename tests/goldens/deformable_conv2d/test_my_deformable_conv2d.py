"""Tests for `MyDeformableConv2D`, on any Keras backend.

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

from my_deformable_conv2d import MyDeformableConv2D

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, CHANNELS, FILTERS = 2, 3, 4
KERNEL_SIZE, SIZES = (3, 2), (7, 6)

# The options that determine the kernel positions.
CASES = [
    {},
    {"strides": (3, 2)},
    {"padding": "same"},
    {"padding": "same", "strides": (2, 3)},
]
each_case = pytest.mark.parametrize("case", CASES, ids=str)

# A value other than the default for every constructor argument.
CHANGED = {
    "filters": FILTERS,
    "kernel_size": (1, 2),
    "strides": (2, 3),
    "padding": "same",
    "activation": keras.activations.tanh,
    "use_bias": False,
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.7, seed=7),
    "bias_initializer": keras.initializers.RandomNormal(stddev=0.8, seed=8),
    "kernel_regularizer": keras.regularizers.L2(0.9),
    "bias_regularizer": keras.regularizers.L2(1.0),
    "activity_regularizer": keras.regularizers.L2(1.1),
    "kernel_constraint": keras.constraints.MaxNorm(14.0),
    "bias_constraint": keras.constraints.MaxNorm(15.0),
}
DEFAULTS = {
    "strides": (1, 1),
    "padding": "valid",
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
    "filters": [1],
}
REFUSED = {
    "filters": [0, 2.5, True, "2", None],
    "kernel_size": [(2, 0), (2, True), (2, None), (2, 2, 2), 2.5, "22", None],
    "strides": [(2, 0), (2, True), (2, None), (2, 2, 2), 2.5, "22", None],
    "padding": ["valid-same", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "filters": FILTERS,
        "kernel_size": KERNEL_SIZE,
        "bias_initializer": "random_normal",
    }
    return MyDeformableConv2D(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, *SIZES, CHANNELS)).astype("float32")


def built(**arguments):
    """The layer, built, with random weights."""
    layer = make(**arguments)
    layer.build((None, *SIZES, CHANNELS))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0, 0.3, weight.shape) for weight in layer.weights])
    return layer


def reference(x, weights, strides=1, padding="valid"):
    """The formula, one output position and kernel position at a time."""
    kernel, *bias, offset_kernel, offset_bias = weights
    *kernel_size, _, filters = kernel.shape
    sizes, same = np.array(x.shape[1:-1]), padding == "same"
    output_sizes = -(-(sizes if same else sizes - kernel_size + 1) // strides)
    missing = same * np.maximum((output_sizes - 1) * strides + kernel_size - sizes, 0)
    # Extra zeros at the end do no harm.
    x = np.pad(x, [(0, 0), *((n // 2, n) for n in missing), (0, 0)])
    y = np.zeros((len(x), *output_sizes, filters)) + sum(bias)
    rows, columns = np.indices(x.shape[1:3])
    for position in np.ndindex(*output_sizes):
        plain = {
            tap: np.multiply(position, strides) + tap
            for tap in np.ndindex(*kernel_size)
        }
        terms = [x[:, *at] @ offset_kernel[tap] for tap, at in plain.items()]
        offsets = (sum(terms) + offset_bias).reshape(-1, *kernel_size, 2)
        for tap, at in plain.items():
            row, column = (at + offsets[:, *tap]).T[..., None, None]
            near = np.maximum(1 - abs(rows - row), 0)
            near = near * np.maximum(1 - abs(columns - column), 0)
            y[:, *position] += np.einsum("nhw,nhwc,cf->nf", near, x, kernel[tap])
    return y


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_case
    def test_equals_the_formula(self, case):
        layer, x = built(**case), inputs()
        assert_close(array(layer(x)), reference(x, layer.get_weights(), **case))

    @each_case
    def test_starts_as_a_plain_convolution(self, case):
        layer, x = make(**case, use_bias=False), inputs()
        plain = keras.layers.Conv2D(FILTERS, KERNEL_SIZE, **case)
        y = layer(x)
        plain.build(x.shape)
        plain.kernel.assign(layer.kernel)
        assert layer.bias is None
        assert_close(array(y), array(plain(x)))

    def test_activation_is_applied_last_and_can_be_removed(self):
        layer, x = built(activation="relu"), inputs()
        y = array(layer(x))
        linear = reference(x, layer.get_weights())
        assert_close(y, np.maximum(linear, 0))
        assert (linear < 0).any()
        layer.activation = None
        assert_close(array(layer(x)), linear)

    @pytest.mark.parametrize("offset", [-1e10, -9.5, 9.5, 1e10])
    def test_is_zero_far_outside_the_image(self, offset):
        layer, x = make(use_bias=False), inputs()
        layer.build(x.shape)
        layer.offset_bias.assign(np.full(layer.offset_bias.shape, offset))
        assert (array(layer(x)) == 0).all()

    def test_learns_where_to_look(self):
        rows, columns = np.indices((9, 9)) / 2
        x = (np.sin(rows) + np.cos(columns))[None, ..., None]
        # The pixel below and to the left.
        y = np.pad(x, [(0, 0), (0, 1), (1, 0), (0, 0)])[:, 1:, :-1]
        layer = make(
            filters=1, kernel_size=1, kernel_initializer="ones", use_bias=False
        )
        model = keras.Sequential([layer])
        model.compile(keras.optimizers.Adam(0.05), "mse")
        model.fit(x, y, epochs=60, verbose=0)
        assert_close(array(layer.offset_bias)[:2], [1, -1], tolerance=0.1)


class TestShapes:
    @each_case
    def test_static_shape_is_correct(self, case):
        layer, x = make(**case), inputs()
        real = tuple(layer(x).shape)
        for unknown in [(), (0,), (1,), (2,), (0, 1, 2)]:
            known, expected = (
                tuple(None if i in unknown else size for i, size in enumerate(shape))
                for shape in (x.shape, real)
            )
            assert layer.compute_output_shape(known) == expected
            assert layer(keras.KerasTensor(known)).shape == expected

    def test_works_with_unknown_sizes(self):
        x, layer = inputs(), built(padding="same", strides=2)
        model = keras.Sequential([keras.Input((None, None, CHANNELS)), layer])
        expected = reference(x, layer.get_weights(), padding="same", strides=2)
        assert_close(model.predict(x, verbose=0), expected)

    def test_refuses_other_inputs(self):
        layer = make()
        with pytest.raises(ValueError, match="must be fully-defined"):
            layer.build((BATCH, *SIZES, None))
        with pytest.raises(ValueError, match="zero or negative"):
            layer.build((BATCH, 2, 6, CHANNELS))
        layer.build((BATCH, *SIZES, CHANNELS))
        for other in [(BATCH, *SIZES), (BATCH, *SIZES, CHANNELS + 1)]:
            with pytest.raises(ValueError, match="incompatible with the layer"):
                layer(keras.KerasTensor(other))
        with pytest.raises(ValueError, match="expected ndim=4"):
            make()(keras.KerasTensor((BATCH, *SIZES)))


class TestWeights:
    def test_names_shapes_and_initial_values(self):
        layer = make(bias_initializer="zeros")
        layer.build((None, None, None, CHANNELS))
        offsets = 2 * np.prod(KERNEL_SIZE)
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("kernel", (*KERNEL_SIZE, CHANNELS, FILTERS)),
            ("bias", (FILTERS,)),
            ("offset_kernel", (*KERNEL_SIZE, CHANNELS, offsets)),
            ("offset_bias", (offsets,)),
        ]
        assert layer.trainable_weights == layer.weights
        kernel, *others = layer.get_weights()
        fans = np.prod(KERNEL_SIZE) * (CHANNELS + FILTERS)
        limit = np.sqrt(6 / fans)  # Glorot and Bengio, 2010
        assert 0.8 * limit < np.abs(kernel).max() <= limit
        assert not any(other.any() for other in others)

    def test_regularizers_add_to_the_loss(self):
        layer = make(
            kernel_initializer="ones",
            bias_initializer=keras.initializers.Constant(2.0),
            kernel_regularizer=keras.regularizers.L2(0.1),
            bias_regularizer=keras.regularizers.L1(0.5),
            activity_regularizer=keras.regularizers.L1(1.0),
        )
        layer(np.ones((1, *KERNEL_SIZE, CHANNELS), "float32"))
        taps = np.prod(KERNEL_SIZE) * CHANNELS
        expected = [0.1 * taps * FILTERS, 0.5 * 2 * FILTERS, (taps + 2) * FILTERS]
        assert_close(sorted(array(loss) for loss in layer.losses), sorted(expected))

    def test_constraints_are_set_on_the_weights(self):
        layer = built(kernel_constraint="non_neg", bias_constraint="unit_norm")
        assert isinstance(layer.kernel.constraint, keras.constraints.NonNeg)
        assert isinstance(layer.bias.constraint, keras.constraints.UnitNorm)


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyDeformableConv2D).parameters
        ]
        layer = MyDeformableConv2D(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyDeformableConv2D"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyDeformableConv2D
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyDeformableConv2D(filters=FILTERS, kernel_size=KERNEL_SIZE)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize("name", ["kernel_size", "strides"])
    def test_one_int_is_repeated(self, name):
        value, *others = CHANGED[name]
        assert getattr(make(**{name: value}), name) == (value,) * (1 + len(others))

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "filters": np.int64(CHANGED["filters"]),
            "kernel_size": tuple(np.array(CHANGED["kernel_size"])),
            "strides": tuple(np.array(CHANGED["strides"])),
        }
        layer = MyDeformableConv2D(**{**CHANGED, **numbers})
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
        assert_close(y, reference(x, weights), tolerance=0.05)

    def test_half_precision_reaches_every_pixel_of_a_large_image(self):
        layer = make(
            filters=1,
            kernel_size=1,
            kernel_initializer="ones",
            use_bias=False,
            dtype="bfloat16",
        )
        x = np.random.default_rng(0).integers(100, size=(1, 1, 700, 1))
        assert_close(array(ops.cast(layer(x.astype("float32")), "float32")), x)

    def test_drops_masks_with_a_warning(self):
        model = keras.Sequential([keras.layers.Masking(), make()])
        with pytest.warns(UserWarning, match="does not support masking"):
            y = model(inputs())
        assert getattr(y, "_keras_mask", None) is None

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(padding="same", activation="tanh"),
                make(strides=2, activation="relu"),
                keras.layers.Flatten(),
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
            f"import keras, numpy as np, {MyDeformableConv2D.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyDeformableConv2D.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
