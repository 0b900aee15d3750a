"""Tests for `MyRandomAugmentation`, on any Keras backend.

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

from my_random_augmentation import MyRandomAugmentation

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, CHANNELS, SIZES = 40, 2, (3, 4)
each_format = pytest.mark.parametrize("fmt", ["channels_last", "channels_first"])

# A value other than the default for every constructor argument.
CHANGED = {
    "flip_rate": 0.25,
    "brightness": 0.5,
    "max_value": 0.5,
    "data_format": "channels_first",
    "seed": 7,
}
DEFAULTS = {
    "flip_rate": 0.5,
    "brightness": 0.2,
    "max_value": 255.0,
    "data_format": "channels_last",
    "seed": None,
}
ACCEPTED = {
    "flip_rate": [0.0, 1.0, 1],
    "brightness": [0.0, 1.0, 1],
    "max_value": [1],
}
REFUSED = {
    "flip_rate": [-1.0, 2.0, "1.0", None],
    "brightness": [-1.0, 2.0, "1.0", None],
    "max_value": [0.0, "1.0", None],
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
    return MyRandomAugmentation(**arguments)


def shape(data_format="channels_last", batch=BATCH):
    first = data_format == "channels_first"
    return (batch, CHANNELS, *SIZES) if first else (batch, *SIZES, CHANNELS)


def inputs(data_format="channels_last", batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.uniform(60, 200, size=shape(data_format, batch)).astype("float32")


def reference(image, flipped, shift, width_axis=1, max_value=255):
    """The formula for one image, given its draws."""
    image = np.flip(image, width_axis) if flipped else image
    return np.clip(image + shift, 0, max_value)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_format
    def test_equals_the_formula(self, fmt):
        x, axis = inputs(fmt), 1 if fmt == "channels_last" else 2
        y = array(make(data_format=fmt)(x, training=True))
        flips, shifts = [], []
        for image, output in zip(x, y, strict=True):
            shift = output.mean() - image.mean()  # Within 51: nothing is clipped.
            flips.append(np.abs(output - image - shift).max() > 1)
            shifts.append(shift)
            expected = reference(image, flips[-1], shift, axis)
            assert_close(output, expected, tolerance=1e-3)
        assert 0.2 < np.mean(flips) < 0.8
        assert -51 < min(shifts) < -30
        assert 30 < max(shifts) < 51
        assert abs(np.corrcoef(flips, shifts)[0, 1]) < 0.5

    @pytest.mark.parametrize("rate", [0, 0.2, 0.9, 1])
    def test_flips_at_the_given_rate(self, rate):
        x = inputs(batch=2000)
        y = array(make(flip_rate=rate, brightness=0)(x, training=True))
        flipped = (y != x).any(axis=(1, 2, 3))
        assert (y[flipped] == x[flipped][:, :, ::-1]).all()
        assert abs(flipped.mean() - rate) < 0.03

    @pytest.mark.parametrize("max_value", [1.0, 255.0])
    def test_stays_within_the_range_of_pixel_values(self, max_value):
        x = inputs() / 255 * max_value
        layer = make(flip_rate=0, brightness=1, max_value=max_value)
        y = array(layer(x, training=True))
        assert y.min() == 0
        assert y.max() == max_value
        within = (y > 0) & (y < max_value)
        for image, output, inside in zip(x, y, within, strict=True):
            if inside.any():
                shift = (output - image)[inside].mean()
                expected = reference(image, False, shift, max_value=max_value)
                assert_close(output / max_value, expected / max_value)

    def test_changes_nothing_at_inference(self):
        layer, x = make(), inputs()
        for y in (layer(x), layer(x, training=False)):
            assert (array(y) == x).all()

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
    @pytest.mark.parametrize("unknown", [(), (0,), (0, 2)])
    def test_static_shape_is_correct(self, fmt, unknown):
        layer, real = make(data_format=fmt), shape(fmt)
        known = tuple(None if i in unknown else n for i, n in enumerate(real))
        assert layer.compute_output_shape(known) == known
        assert layer(keras.KerasTensor(known)).shape == known
        assert layer(inputs(fmt), training=True).shape == real

    def test_refuses_another_rank(self):
        with pytest.raises(ValueError, match="expected ndim=4"):
            make()(inputs()[0])


class TestWeights:
    def test_has_no_weights(self):
        layer = make()
        layer(inputs(), training=True)
        assert layer.weights == []


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyRandomAugmentation).parameters
        ]
        layer = MyRandomAugmentation(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyRandomAugmentation"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyRandomAugmentation
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyRandomAugmentation()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "flip_rate": np.float32(CHANGED["flip_rate"]),
            "brightness": np.float32(CHANGED["brightness"]),
            "max_value": np.float32(CHANGED["max_value"]),
        }
        layer = MyRandomAugmentation(**{**CHANGED, **numbers})
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

    @each_format
    def test_data_format_follows_keras_config(self, fmt):
        keras.config.set_image_data_format(fmt)
        assert make().data_format == fmt
        assert make(data_format="Channels_Last").data_format == "channels_last"


class TestKeras:
    @pytest.mark.parametrize("policy", ["float32", "mixed_float16", "bfloat16"])
    @pytest.mark.parametrize("dtype", ["uint8", "float32"])
    @pytest.mark.parametrize("training", [True, False])
    def test_dtype_policy(self, policy, dtype, training):
        layer, x = make(brightness=0.0, dtype=policy), inputs().astype(dtype)
        y = layer(x, training=training)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        y = np.sort(array(ops.cast(y, "float32")), axis=2)
        assert_close(y, np.sort(x.astype("float32"), axis=2), tolerance=0.05)

    def test_draws_new_values_in_each_epoch_but_not_in_evaluation(self):
        x, y = inputs(), np.zeros(BATCH)
        network = [make(), keras.layers.Flatten(), keras.layers.Dense(1)]
        model = keras.Sequential([keras.Input(x.shape[1:]), *network])
        model.compile(keras.optimizers.SGD(0.0), "mse")
        first, second = model.fit(x, y, epochs=2, shuffle=False, verbose=0).history[
            "loss"
        ]
        assert first != second
        assert model.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)

    def test_works_in_a_tf_data_pipeline(self):
        tf, layer, x = pytest.importorskip("tensorflow"), make(), inputs()

        def augment(images):
            return array(layer(images, training=True))

        dataset = tf.data.Dataset.from_tensor_slices(x).batch(BATCH // 2)
        dataset = dataset.map(
            lambda images: tf.numpy_function(augment, [images], tf.float32)
        )
        first, second = (
            np.concatenate([*dataset.as_numpy_iterator()]) for _ in range(2)
        )
        assert first.shape == x.shape
        assert (first != x).any()
        assert (first != second).any()

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
                keras.layers.Rescaling(1 / 255),
                make(flip_rate=0.1, brightness=0.01, max_value=1.0),
                keras.layers.Flatten(),
                keras.layers.Dense(32, activation="tanh"),
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
            f"import keras, numpy as np, {MyRandomAugmentation.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyRandomAugmentation.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
