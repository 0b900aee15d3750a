"""Tests for `MySpatialDropout3D`, on any Keras backend.

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

from my_spatial_dropout3d import MySpatialDropout3D

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, CHANNELS = 8, 5
DEPTH, HEIGHT, WIDTH = 4, 3, 2
RATE = 0.3
# Both layouts, each with its spatial axes.
LAYOUTS = {
    "channels_last": (BATCH, DEPTH, HEIGHT, WIDTH, CHANNELS),
    "channels_first": (BATCH, CHANNELS, DEPTH, HEIGHT, WIDTH),
}
SPATIAL_AXES = {"channels_last": (1, 2, 3), "channels_first": (2, 3, 4)}
each_format = pytest.mark.parametrize("data_format", LAYOUTS)

# A value other than the default for every constructor argument.
CHANGED = {
    "rate": 0.5,
    "data_format": "channels_first",
    "seed": 7,
}
DEFAULTS = {
    "data_format": "channels_last",
    "seed": None,
}
ACCEPTED = {
    "rate": [0.0, 1.0, 1],
}
REFUSED = {
    "rate": [-1.0, 2.0, "1.0", None],
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
    plain = {"rate": RATE}
    return MySpatialDropout3D(**{**plain, **arguments})


def inputs(data_format="channels_last", batch=BATCH):
    shape = (batch, *LAYOUTS[data_format][1:])
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def reference(x, kept):
    """The formula, given which values were kept."""
    return np.where(kept, x / (1 - RATE), 0)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_format
    def test_equals_the_formula(self, data_format):
        x = inputs(data_format)
        y = array(make(data_format=data_format)(x, training=True))
        assert_close(y, reference(x, y != 0))

    @each_format
    def test_drops_whole_channels_of_single_samples(self, data_format):
        layer = make(rate=0.5, data_format=data_format)
        kept = array(layer(inputs(data_format), training=True)) != 0
        for axis in range(kept.ndim):
            shared = axis in SPATIAL_AXES[data_format]
            assert (kept == kept.take([0], axis)).all() == shared

    @pytest.mark.parametrize("rate", [0, 0.2, 0.7, 1])
    def test_drops_at_the_given_rate(self, rate):
        x = np.ones((1000, 2, 2, 2, CHANNELS), "float32")
        y = array(make(rate=rate)(x, training=True))
        assert abs((y == 0).mean() - rate) < 0.03

    def test_changes_nothing_at_inference(self):
        layer, x = make(), inputs()
        for y in (layer(x), layer(x, training=False)):
            assert (array(y) == x).all()

    def test_draws_nothing_at_0(self):
        layer, x = make(rate=0), inputs()
        assert (array(layer(x, training=True)) == x).all()
        assert layer.variables == []
        assert len(make().variables) == 1  # The seed generator's state.

    def test_each_call_draws_new_values(self):
        layer, x = make(seed=1), inputs()
        first, second = (array(layer(x, training=True)) for _ in range(2))
        assert (first != second).any()

    def test_the_same_seed_repeats_the_draws(self):
        x = inputs()
        one, twin, other = (array(make(seed=n)(x, training=True)) for n in (1, 1, 2))
        assert (one == twin).all()
        assert (one != other).any()

    def test_layers_without_a_seed_draw_different_values(self):
        x = inputs()
        first, second = (array(make()(x, training=True)) for _ in range(2))
        assert (first != second).any()


class TestShapes:
    @each_format
    @pytest.mark.parametrize("unknown", [(), (0,), (0, 1), (0, -1)])
    def test_static_shape_is_correct(self, data_format, unknown):
        real = LAYOUTS[data_format]
        shape = [*real]
        for axis in unknown:
            shape[axis] = None
        layer = make(data_format=data_format)
        assert layer.compute_output_shape(tuple(shape)) == tuple(shape)
        assert layer(keras.KerasTensor(shape)).shape == tuple(shape)
        assert layer(np.zeros(real, "float32"), training=True).shape == real

    @pytest.mark.parametrize("rank", [4, 6])
    def test_refuses_another_rank(self, rank):
        with pytest.raises(ValueError, match="expected ndim=5"):
            make()(np.zeros((2,) * rank, "float32"))


class TestWeights:
    def test_has_no_weights(self):
        layer = make()
        layer(inputs(), training=True)
        assert layer.weights == []


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MySpatialDropout3D).parameters
        ]
        layer = MySpatialDropout3D(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MySpatialDropout3D"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MySpatialDropout3D
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MySpatialDropout3D(rate=RATE)
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "rate": np.float32(CHANGED["rate"]),
        }
        layer = MySpatialDropout3D(**{**CHANGED, **numbers})
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

    @pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
    def test_data_format_is_case_insensitive_or_from_the_config(self, data_format):
        assert make(data_format=data_format.title()).data_format == data_format
        keras.config.set_image_data_format(data_format)
        assert make().data_format == data_format


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = make(dtype=policy), inputs()
        y = layer(x, training=True)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, y != 0), tolerance=0.05)

    def test_propagates_masks(self):
        model, x = keras.Sequential([keras.layers.Masking(), make()]), inputs()
        x[:, -1] = 0
        mask = array(model(x)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = np.sin(x.sum(axis=tuple(range(1, x.ndim))))
        model = keras.Sequential(
            [
                make(rate=0.1),
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
            f"import keras, numpy as np, {MySpatialDropout3D.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MySpatialDropout3D.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
