"""Tests for `MyMaxPooling1D`, on any Keras backend.

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

from my_max_pooling1d import MyMaxPooling1D

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, CHANNELS, RANK = 2, 3, 1
POOL_SIZE = (3,)
SIZES = (8,)

CASES = [
    {},
    {"strides": 1},
    {"strides": [2]},
    {"pool_size": 1, "strides": 2},
    {"padding": "same"},
    {"padding": "SAME", "strides": (2,)},
]
CASES += [{**case, "data_format": "channels_first"} for case in CASES]
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_format = pytest.mark.parametrize("fmt", ["channels_last", "channels_first"])

# A value other than the default for every constructor argument.
CHANGED = {
    "pool_size": (3,),
    "strides": (4,),
    "padding": "same",
    "data_format": "channels_first",
}
DEFAULTS = {
    "pool_size": (2,),
    "strides": (2,),
    "padding": "valid",
    "data_format": "channels_last",
}
REFUSED = {
    "pool_size": [(0,), (True,), (None,), (2, 2), 2.5, "2", None],
    "strides": [0, (2,) * (RANK + 1), 2.5, "2"],
    "padding": ["causal", "full", None],
    "data_format": ["NHWC", 1],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed and the same default data format."""
    data_format = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_image_data_format(data_format)


def make(**arguments):
    plain = {"pool_size": POOL_SIZE}
    return MyMaxPooling1D(**{**plain, **arguments})


def shape(data_format="channels_last", batch=BATCH, sizes=SIZES, channels=CHANNELS):
    first = data_format == "channels_first"
    return (batch, channels, *sizes) if first else (batch, *sizes, channels)


def inputs(data_format="channels_last", batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=shape(data_format, batch)).astype("float32")


def reference(x, pool_size=POOL_SIZE, strides=None, padding="valid", data_format=None):
    """The formula, one window at a time."""
    x = np.moveaxis(x, 1, -1) if data_format == "channels_first" else x
    sizes, window = np.array(SIZES), np.broadcast_to(pool_size, RANK)
    strides = window if strides is None else strides
    if padding == "valid":
        output_sizes, before = (sizes - window) // strides + 1, 0 * sizes
    else:
        output_sizes = -(-sizes // strides)
        before = np.maximum((output_sizes - 1) * strides + window - sizes, 0) // 2
    y = np.zeros((len(x), *output_sizes, CHANNELS))
    for position in np.ndindex(*output_sizes):
        first = np.multiply(position, strides) - before
        ends = zip(np.maximum(first, 0), first + window, strict=True)
        values = x[:, *(slice(*pair) for pair in ends)]
        y[:, *position] = values.reshape(len(x), -1, CHANNELS).max(axis=1)
    return np.moveaxis(y, -1, 1) if data_format == "channels_first" else y


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
        x = inputs(case.get("data_format"))
        assert_close(array(make(**case)(x)), reference(x, **case))


class TestShapes:
    @each_case
    def test_static_shape_is_correct(self, case):
        layer, x = make(**case), inputs(case.get("data_format"))
        real = layer(x).shape
        assert layer.compute_output_shape(x.shape) == tuple(real)
        for unknown in range(RANK + 2):
            known, expected = list(x.shape), list(real)
            known[unknown] = expected[unknown] = None
            assert layer.compute_output_shape(tuple(known)) == tuple(expected)
            assert layer(keras.KerasTensor(known)).shape == tuple(expected)

    @pytest.mark.parametrize("axis", range(RANK))
    def test_window_must_fit_into_the_input(self, axis):
        sizes, layer = list(SIZES), make()
        sizes[axis] = POOL_SIZE[axis]
        assert layer.compute_output_shape(shape(sizes=sizes))[axis + 1] == 1
        sizes[axis] -= 1
        with pytest.raises(ValueError, match="smaller than the window"):
            layer.compute_output_shape(shape(sizes=sizes))

    @pytest.mark.parametrize("sizes", [SIZES[1:], (*SIZES, 8)])
    def test_refuses_another_rank(self, sizes):
        with pytest.raises(ValueError, match=f"expected ndim={RANK + 2}"):
            make()(np.zeros(shape(sizes=sizes), "float32"))


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyMaxPooling1D).parameters]
        layer = MyMaxPooling1D(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyMaxPooling1D"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyMaxPooling1D
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyMaxPooling1D()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize("name", ["pool_size", "strides"])
    def test_one_int_is_repeated(self, name):
        value, *others = CHANGED[name]
        assert getattr(make(**{name: value}), name) == (value,) * (1 + len(others))

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "pool_size": tuple(np.array(CHANGED["pool_size"])),
        }
        layer = MyMaxPooling1D(**{**CHANGED, **numbers})
        json.dumps(layer.get_config())
        for name, value in numbers.items():
            assert np.array_equal(getattr(layer, name), value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in REFUSED.items() for value in values],
    )
    def test_refuses_bad_arguments(self, name, value):
        with pytest.raises(ValueError, match=f"^`{name}` must be"):
            make(**{name: value})

    @each_format
    def test_data_format_follows_keras_config(self, fmt):
        keras.config.set_image_data_format(fmt)
        assert make().data_format == fmt
        assert make(data_format="Channels_Last").data_format == "channels_last"


class TestKeras:
    @each_format
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy, fmt):
        layer, x = make(data_format=fmt, dtype=policy), inputs(fmt)
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, data_format=fmt), tolerance=0.02)

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
                make(pool_size=2, strides=1),
                keras.layers.Flatten(),
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
            f"import keras, numpy as np, {MyMaxPooling1D.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyMaxPooling1D.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
