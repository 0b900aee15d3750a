"""Tests for `TinyDDPM`, on any Keras backend.

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

from tiny_ddpm import TinyDDPM, cosine_schedule

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, SHAPE, FILTERS, STEPS = 3, (4, 3, 2), 4, 20

# A value other than the default for every constructor argument.
CHANGED = {
    "image_shape": (5, 3, 2),
    "filters": 33,
    "num_blocks": 7,
    "num_steps": 201,
    "seed": 7,
    "gain": 0.5,
    "label": "mine_changed",
}
DEFAULTS = {
    "image_shape": (8, 8, 1),
    "filters": 32,
    "num_blocks": 6,
    "num_steps": 200,
    "seed": None,
    "gain": 1.0,
    "label": "mine",
}
ACCEPTED = {
    "filters": [1],
    "num_blocks": [1],
    "num_steps": [1],
    "gain": [1],
}
REFUSED = {
    "image_shape": [
        (2, 2, 0),
        (2, 2, True),
        (2, 2, None),
        (2, 2, 2, 2),
        2,
        2.5,
        "222",
        None,
    ],
    "filters": [0, 2.5, True, "2", None],
    "num_blocks": [0, 2.5, True, "2", None],
    "num_steps": [0, 2.5, True, "2", None],
    "gain": [0.0, "1.0", None],
    "label": [2, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "image_shape": SHAPE,
        "filters": FILTERS,
        "num_blocks": 2,
        "num_steps": STEPS,
        "seed": None,
    }
    return TinyDDPM(**{**plain, **arguments})


def inputs(batch=BATCH):
    return np.random.default_rng(0).uniform(-1, 1, (batch, *SHAPE)).astype("float32")


def built(**arguments):
    """Return a built model with random weights, so that mix-ups are detected."""
    model = make(**arguments)
    model.build((None, *SHAPE))
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0.1, 0.3, weight.shape) for weight in model.weights])
    return model


def path(weight):
    """Return the path of a weight inside its model, which is named `mine`."""
    return weight.path.removeprefix("mine/")


def windows(x, size, strides=1):
    """The window at each output position, with padding "same"."""
    sizes, size = np.array(x.shape[1:3]), np.array(size)
    output_sizes = -(-sizes // strides)
    missing = np.maximum((output_sizes - 1) * strides + size - sizes, 0)
    before, after = missing // 2, missing - missing // 2
    padding = [(0, 0), *zip(before, after, strict=True), (0, 0)]
    x = np.pad(x, padding)
    found = []
    for position in np.ndindex(*output_sizes):
        i, j = np.multiply(position, strides)
        found.append(x[:, i : i + size[0], j : j + size[1]])
    return np.stack(found, axis=1).reshape(len(x), *output_sizes, *size, -1)


def conv(x, kernel, bias):
    """Convolution with a bias."""
    patches = windows(x, kernel.shape[:2])
    return np.einsum("bhwijc,ijcf->bhwf", patches, kernel) + bias


def silu(x):
    return x / (1 + np.exp(-x))


def norm(x, gamma, beta):
    mean = x.mean(axis=(1, 2, 3), keepdims=True)
    variance = x.var(axis=(1, 2, 3), keepdims=True)
    return gamma * (x - mean) / np.sqrt(variance + 0.001) + beta


def predicted(x, times, model):
    """Compute the predicted noise from the formulas."""
    weights = {path(w): array(ops.cast(w, "float32")) for w in model.weights}

    def of(layer):
        return [
            value for name, value in weights.items() if name.rpartition("/")[0] == layer
        ]

    waves = [
        wave(time * 10_000.0 ** (-i / FILTERS))
        for time in times
        for wave in (np.sin, np.cos)
        for i in range(FILTERS)
    ]
    kernel, bias = of("time_embedding")
    embedding = silu(np.reshape(waves, (len(times), -1)) @ kernel + bias)
    x = conv(x, *of("conv_in"))
    for block in ("block_0", "block_1"):
        kernel, bias = of(f"{block}/time_dense")
        y = conv(silu(norm(x, *of(f"{block}/norm1"))), *of(f"{block}/conv1"))
        y += (embedding @ kernel + bias)[:, None, None]
        x = x + conv(silu(norm(y, *of(f"{block}/norm2"))), *of(f"{block}/conv2"))
    return conv(silu(norm(x, *of("norm"))), *of("conv_out"))


def kept(time):
    """Return the squared signal rate of the cosine schedule."""
    whole, part = (
        np.cos((t / STEPS + 0.008) / 1.008 * np.pi / 2) ** 2 for t in (0, time + 1)
    )
    return part / whole if time < STEPS - 1 else kept(time - 1) * 0.001


def noised(x, times, noise):
    left = np.array([kept(time) for time in times])[:, None, None, None]
    return np.sqrt(left) * x + np.sqrt(1 - left) * noise


def reference(x, model):
    """Compute the mean error over the fixed times and noise."""
    errors = [
        (predicted(noised(x, [time] * len(x), noise), [time] * len(x), model) - noise)
        ** 2
        for time, noise in zip(
            [1, 3, 6, 8, 11, 13, 16, 18], model.test_noise, strict=True
        )
    ]
    return np.mean(errors, axis=(0, 2, 3, 4))


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_predicts_noise(self):
        model, x, times = built(name="mine"), inputs(), np.array([0, 7, 19])
        assert_close(
            array(model.predict_noise(x, times)), predicted(x, times, model), 1e-4
        )

    def test_schedule_is_a_cosine(self):
        assert_close(cosine_schedule(STEPS), [kept(time) for time in range(STEPS)])

    def test_adds_noise(self):
        model, x, times = make(), inputs(), np.array([0, 7, 19])
        noise = np.random.default_rng(2).normal(size=x.shape).astype("float32")
        assert_close(array(model.add_noise(x, times, noise)), noised(x, times, noise))

    def test_errors_outside_training_use_fixed_times_and_noise(self):
        model, x = built(name="mine"), inputs()
        for y in (model(x), model(x, training=False)):
            assert_close(array(y), reference(x, model), tolerance=1e-4)

    def test_fixed_noise_is_normal_and_the_same_for_all_models(self):
        one, other = (make(image_shape=(40, 40, 1)).test_noise for _ in range(2))
        assert (one == other).all()
        assert one.shape == (8, 40, 40, 1)
        assert_close([one.mean(), one.std()], [0, 1], tolerance=0.05)

    def test_errors_in_training_use_random_times_and_noise(self):
        model, x = built(name="mine", seed=1), inputs()
        seed = keras.random.SeedGenerator(1)
        times = array(keras.random.randint((BATCH, 1), 0, STEPS, seed=seed))[:, 0]
        noise = array(keras.random.normal((BATCH, 1, *SHAPE), seed=seed))[:, 0]
        errors = predicted(noised(x, times, noise), times, model) - noise
        expected = (errors**2).mean(axis=(1, 2, 3))
        assert_close(array(model(x, training=True)), expected, tolerance=1e-4)

    def test_each_call_in_training_draws_new_noise(self):
        x, model = inputs(), built(seed=1)
        first, second = (array(model(x, training=True)) for _ in range(2))
        assert (first != second).all()

    def test_initial_error_is_one(self):
        model = make(image_shape=(40, 40, 1))
        assert_close(
            array(model(np.zeros((2, 40, 40, 1), "float32"))), 1, tolerance=0.05
        )

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))

    def test_sample_denoises_step_by_step(self):
        model, seed = built(name="mine"), keras.random.SeedGenerator(3)
        x = array(keras.random.normal((2, *SHAPE), seed=seed))
        for time in range(STEPS - 1, -1, -1):
            left, before = kept(time), kept(time - 1) if time else 1
            noise = predicted(x, [time] * 2, model)
            clean = ((x - np.sqrt(1 - left) * noise) / np.sqrt(left)).clip(-1, 1)
            step = left / before
            x = np.sqrt(before) * (1 - step) * clean + np.sqrt(step) * (1 - before) * x
            x /= 1 - left
            if time:
                stddev = np.sqrt((1 - before) / (1 - left) * (1 - step))
                x += stddev * array(keras.random.normal((2, *SHAPE), seed=seed))
        assert_close(array(model.sample(2, seed=3)), x, tolerance=1e-3)

    @pytest.mark.parametrize("number", [0, -1, 2.5, None])
    def test_sample_refuses_bad_num_images(self, number):
        with pytest.raises(ValueError, match="`num_images` must be a positive int"):
            make().sample(number)

    def test_can_sample_before_it_is_built(self):
        model = make(num_steps=2)
        assert model.sample(5).shape == (5, *SHAPE)
        assert model(inputs()).shape == (BATCH,)

    def test_samples_without_a_seed_differ(self):
        model = built(num_steps=2)
        assert (array(model.sample(2)) != array(model.sample(2))).any()

    def test_loss_is_the_weighted_mean(self):
        losses = np.array([1.0, 2.0, 6.0], "float32")
        assert_close(array(make().compute_loss(y_pred=losses)), 3)
        weighted = make().compute_loss(
            y_pred=losses, sample_weight=np.array([1.0, 1.0, 2.0])
        )
        assert_close(array(weighted), 5)


class TestShapes:
    def test_static_shape_is_correct(self):
        model, x = make(), inputs()
        assert tuple(model(x).shape) == (BATCH,)
        assert tuple(model(x, training=True).shape) == (BATCH,)
        assert model.compute_output_shape((None, *SHAPE)) == (None,)
        assert make()(keras.KerasTensor((None, *SHAPE))).shape == (None,)

    def test_channels_are_last_whatever_the_default(self):
        x = inputs()
        expected = make()(x).shape
        keras.config.set_image_data_format("channels_first")
        try:
            assert make()(x).shape == expected
        finally:
            keras.config.set_image_data_format("channels_last")


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build((None, *SHAPE))
        shapes = {"time_embedding": (8, 4), "conv_in": (3, 3, 2, 4)}
        shapes |= {"norm": (), "conv_out": (3, 3, 4, 2)}
        for block in ("block_0", "block_1"):
            shapes |= {
                f"{block}/time_dense": (4, 4),
                f"{block}/norm1": (),
                f"{block}/norm2": (),
            }
            shapes |= {f"{block}/conv1": (3, 3, 4, 4), f"{block}/conv2": (3, 3, 4, 4)}
        expected = {}
        for layer, shape in shapes.items():
            names = ("kernel", "bias") if shape else ("gamma", "beta")
            of_bias = shape[-1:] or (4,)
            expected |= {
                f"{layer}/{names[0]}": shape or (4,),
                f"{layer}/{names[1]}": of_bias,
            }
        assert {path(weight): weight.shape for weight in model.weights} == expected
        assert model.trainable_weights == model.weights


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(TinyDDPM).parameters]
        layer = TinyDDPM(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>TinyDDPM"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is TinyDDPM
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = TinyDDPM()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

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

    def test_refuses_images_of_another_shape(self):
        with pytest.raises(ValueError, match="incompatible with the layer"):
            make()(np.zeros((BATCH, 3, 4, 2), "float32"))


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = built(dtype=policy, name="mine"), inputs()
        y = model(x)
        assert_close(array(ops.cast(y, "float32")), reference(x, model), tolerance=0.1)
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        for each in (
            y,
            model(x, training=True),
            model.predict_noise(x, np.zeros(BATCH)),
        ):
            assert keras.backend.standardize_dtype(each.dtype) == model.compute_dtype

    def test_compiles_for_training(self):
        model, x = built(), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        assert_close(model.evaluate(x, verbose=0), array(model(x)).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x, y = np.ones((64, *SHAPE), "float32"), None  # It learns from images alone.
        model = make()
        model.build((None, *x.shape[1:]))

        model.compile_for_training(learning_rate=0.02)

        before = model.get_weights()
        losses = model.fit(x, y, epochs=40, verbose=0).history["loss"]
        assert losses[-1] < 0.7 * losses[0]
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # As "auto" would on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {TinyDDPM.__module__}\n"
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
        examples = doctest.testmod(sys.modules[TinyDDPM.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
