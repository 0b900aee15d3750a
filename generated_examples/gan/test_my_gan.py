"""Tests for `MyGAN`, on any Keras backend.

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

from my_gan import MyGAN

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, SHAPE, LATENTS, FILTERS = 3, (8, 4, 2), 5, (4, 3)

# A value other than the default for every constructor argument.
CHANGED = {
    "image_shape": (16, 8, 3),
    "latent_dim": 101,
    "filters": (4, 3, 2),
    "seed": 7,
}
DEFAULTS = {
    "latent_dim": 100,
    "filters": (128, 64),
    "seed": None,
}
ACCEPTED = {
    "latent_dim": [1],
    "filters": [(1,)],
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
    "latent_dim": [0, 2.5, True, "2", None],
    "filters": [(), (0,), (2.5,), 4, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "image_shape": SHAPE,
        "latent_dim": LATENTS,
        "filters": FILTERS,
        "seed": None,
    }
    return MyGAN(**{**plain, **arguments})


def inputs(batch=BATCH):
    return np.random.default_rng(0).uniform(-1, 1, (batch, *SHAPE)).astype("float32")


def built(**arguments):
    """Return a built model with random weights, so that mix-ups are detected."""
    model = make(name="mine", **arguments)
    model.build((None, *SHAPE))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        low = 0.5 if weight.name == "moving_variance" else -0.5
        weight.assign(rng.uniform(low, 0.9, weight.shape))
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


def conv(x, kernel, bias, strides=1):
    """Convolution with a bias."""
    patches = windows(x, kernel.shape[:2], strides)
    return np.einsum("bhwijc,ijcf->bhwf", patches, kernel) + bias


def weights_of(model):
    return {path(w): array(ops.cast(w, "float32")) for w in model.weights}


def norm(x, gamma, beta, mean, variance, training):
    """Batch normalization, with the statistics of the batch in training."""
    if training:
        mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    return gamma * (x - mean) / np.sqrt(variance + 0.001) + beta


def leaky_relu(x):
    return np.where(x > 0, x, 0.2 * x)


def generated(noise, weights, training=False):
    def of(layer):
        return [weights[name] for name in weights if name.split("/")[1] == layer]

    weights = {name: weights[name] for name in weights if name.startswith("generator/")}
    kernel, bias = of("dense")
    x = leaky_relu(noise @ kernel + bias).reshape(len(noise), 2, 1, 4)
    for i in range(2):
        x = conv(x.repeat(2, axis=1).repeat(2, axis=2), *of(f"conv_{i}"), bias=0)
        x = np.maximum(norm(x, *of(f"norm_{i}"), training), 0)
    return np.tanh(conv(x, *of("image")))


def judged(x, weights):
    def of(layer):
        return [weights[f"discriminator/{layer}/{name}"] for name in ("kernel", "bias")]

    for i in range(2):
        x = leaky_relu(conv(x, *of(f"conv_{i}"), strides=2))
    kernel, bias = of("logit")
    return x.reshape(len(x), -1) @ kernel + bias


def softplus(x):
    return np.log1p(np.exp(x))


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formula(self):
        model, x = built(), inputs()
        for made, logits in (model(x), model(x, training=False)):
            expected = generated(np.zeros((BATCH, LATENTS)), weights_of(model))
            assert_close(array(made), expected, tolerance=1e-4)
            assert_close(array(logits), judged(x, weights_of(model)), tolerance=1e-4)

    def test_generates_images_from_noise_in_training(self):
        model, x = built(seed=1), inputs()
        seed, weights = keras.random.SeedGenerator(1), weights_of(model)
        for _ in range(2):
            noise = array(keras.random.normal((BATCH, LATENTS), seed=seed))
            made, _ = model(x, training=True)
            assert_close(
                array(made), generated(noise, weights, training=True), tolerance=1e-3
            )

    def test_sample_generates_images_from_normal_noise(self):
        model = built()
        noise = array(keras.random.normal((4, LATENTS), seed=1))
        expected = generated(noise, weights_of(model))
        assert_close(array(model.sample(4, seed=1)), expected, tolerance=1e-4)
        assert (array(model.sample(4)) != array(model.sample(4))).any()

    @pytest.mark.parametrize("number", [0, -1, 2.5, None])
    def test_sample_refuses_bad_num_images(self, number):
        with pytest.raises(ValueError, match="`num_images` must be a positive int"):
            make().sample(number)

    def test_can_sample_before_it_is_built(self):
        model = make()
        assert model.sample(5).shape == (5, *SHAPE)
        made, logits = model(inputs())
        assert (made.shape, logits.shape) == ((BATCH, *SHAPE), (BATCH, 1))

    def test_sublayers_have_names_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        parts = model.generator.layers, model.discriminator.layers

        def doubling(i):
            return [f"up_{i}", f"conv_{i}", f"norm_{i}", f"relu_{i}"]

        assert [[layer.name for layer in part] for part in parts] == [
            ["dense", "reshape", *doubling(0), *doubling(1), "image"],
            ["conv_0", "conv_1", "flatten", "logit"],
        ]
        policies = {layer.dtype_policy.name for part in parts for layer in part}
        assert policies == {"mixed_bfloat16"}

    def test_samples_are_independent(self):
        model, x = built(), inputs()
        for all_, others in zip(model(x), model(x[1:]), strict=True):
            assert_close(array(all_)[1:], array(others))

    @pytest.mark.parametrize("training", [False, True])
    def test_losses(self, training):
        model, x = built(), inputs()
        made, logits = model(x)
        loss = model.compute_loss(y_pred=(made, logits), training=training)
        real, fake = array(logits), judged(array(made), weights_of(model))
        expected = (
            softplus(-real).mean() + softplus(fake).mean(),
            softplus(-fake).mean(),
        )
        assert_close(
            array(model.discriminator_loss.result()), expected[0], tolerance=1e-4
        )
        assert_close(array(model.generator_loss.result()), expected[1], tolerance=1e-4)
        assert_close(array(loss), sum(expected), tolerance=1e-4)

    def test_each_loss_trains_one_network(self):
        rate, x = 1e-3, inputs()
        model = built(seed=1)
        model.compile(keras.optimizers.SGD(rate))
        start = [array(weight).copy() for weight in model.trainable_weights]
        model.fit(x, batch_size=BATCH, verbose=0)
        # The step lowers the loss of each network while the other one is unchanged.
        twin = built()
        seed = keras.random.SeedGenerator(1)
        noise = array(keras.random.normal((BATCH, LATENTS), seed=seed))
        before, after = weights_of(twin), weights_of(model)

        def losses(of_generator, of_discriminator):
            fake = judged(
                generated(noise, of_generator, training=True), of_discriminator
            )
            real = judged(x, of_discriminator)
            return (
                softplus(-real).mean() + softplus(fake).mean(),
                softplus(-fake).mean(),
            )

        for part, loss in (("discriminator", 0), ("generator", 1)):
            moved = {**before, **{k: v for k, v in after.items() if k.startswith(part)}}
            change = losses(moved, moved)[loss] - losses(before, before)[loss]
            steps = [
                (old - array(new)) ** 2
                for old, new in zip(start, model.trainable_weights, strict=True)
                if path(new).startswith(part)
            ]
            # To first order, a step lowers a loss by `rate * gradient**2`.
            expected = -sum(step.sum() for step in steps) / rate
            np.testing.assert_allclose(change, expected, rtol=0.1)

    def test_loss_includes_regularizers(self):
        model, x = built(), inputs()
        plain = array(model.compute_loss(y_pred=model(x)))
        kernel = model.generator.get_layer("dense").kernel
        kernel.regularizer = keras.regularizers.L2(0.1)
        loss = array(model.compute_loss(y_pred=model(x)))
        assert_close(loss - plain, 0.1 * (array(kernel) ** 2).sum(), tolerance=1e-4)

    def test_refuses_sample_weights(self):
        model, x = built(), inputs()
        with pytest.raises(ValueError, match="`sample_weight` must be None"):
            model.compute_loss(y_pred=model(x), sample_weight=np.ones(BATCH))


class TestShapes:
    def test_static_shape_is_correct(self):
        model, x = make(), inputs()
        for y in (model(x), model(x, training=True)):
            assert [tuple(each.shape) for each in y] == [(BATCH, *SHAPE), (BATCH, 1)]
        expected = ((None, *SHAPE), (None, 1))
        assert model.compute_output_shape((None, *SHAPE)) == expected
        symbols = make()(keras.KerasTensor((None, *SHAPE)))
        assert tuple(each.shape for each in symbols) == expected

    def test_channels_are_last_whatever_the_default(self):
        x = inputs()
        expected = [array(y) for y in built()(x)]
        keras.config.set_image_data_format("channels_first")
        try:
            outputs = [array(y) for y in built()(x)]
        finally:
            keras.config.set_image_data_format("channels_last")
        for y, same in zip(outputs, expected, strict=True):
            assert_close(y, same)


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build((None, *SHAPE))
        shapes = {path(weight): weight.shape for weight in model.weights}
        expected = {
            "generator/dense/kernel": (LATENTS, 8),
            "generator/dense/bias": (8,),
            "generator/conv_0/kernel": (3, 3, 4, 4),
            "generator/conv_1/kernel": (3, 3, 4, 3),
            "generator/image/kernel": (3, 3, 3, 2),
            "generator/image/bias": (2,),
            "discriminator/conv_0/kernel": (3, 3, 2, 3),
            "discriminator/conv_0/bias": (3,),
            "discriminator/conv_1/kernel": (3, 3, 3, 4),
            "discriminator/conv_1/bias": (4,),
            "discriminator/logit/kernel": (8, 1),
            "discriminator/logit/bias": (1,),
        }
        for norm_name, size in (("norm_0", 4), ("norm_1", 3)):
            for name in ("gamma", "beta", "moving_mean", "moving_variance"):
                expected[f"generator/{norm_name}/{name}"] = (size,)
        assert shapes == expected
        assert len(model.trainable_weights) == len(model.weights) - 4


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyGAN).parameters]
        layer = MyGAN(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyGAN"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyGAN
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyGAN(image_shape=SHAPE)
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
        with pytest.raises(ValueError, match=f"^`{name}` must be"):
            make(**{name: value})

    @pytest.mark.parametrize("shape", [(6, 4, 2), (8, 6, 2)])
    def test_refuses_sizes_that_cannot_be_halved(self, shape):
        with pytest.raises(ValueError, match="must be multiples of"):
            make(image_shape=shape)

    def test_refuses_images_of_another_shape(self):
        with pytest.raises(ValueError, match="incompatible with the layer"):
            make()(np.zeros((BATCH, 4, 8, 2), "float32"))


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = built(dtype=policy), inputs()
        made, logits = model(x)
        expected = generated(np.zeros((BATCH, LATENTS)), weights_of(model))
        assert_close(array(ops.cast(made, "float32")), expected, tolerance=0.1)
        expected = judged(x, weights_of(model))
        assert_close(array(ops.cast(logits, "float32")), expected, tolerance=0.1)
        assert {weight.dtype for weight in model.trainable_weights} == {
            model.variable_dtype
        }
        for each in (made, logits, *model(x, training=True), model.sample(2)):
            assert keras.backend.standardize_dtype(each.dtype) == model.compute_dtype

    def test_compiles_for_training(self):
        model, x = built(), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        assert model.optimizer.beta_1 == 0.5
        results = model.evaluate(x, return_dict=True, verbose=0)
        weights = weights_of(model)
        fake = judged(generated(np.zeros((BATCH, LATENTS)), weights), weights)
        losses = {
            "discriminator_loss": softplus(-judged(x, weights)).mean()
            + softplus(fake).mean(),
            "generator_loss": softplus(-fake).mean(),
        }
        losses["loss"] = sum(losses.values())
        for name, expected in losses.items():
            assert_close(results[name], expected, 1e-4)
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x, y = np.full((64, *SHAPE), 0.8, "float32"), None  # There are no targets.
        model = make()
        model.build((None, *SHAPE))
        distance = np.abs(array(model.sample(64, seed=0)) - 0.8).mean()
        model.compile_for_training(learning_rate=0.005)
        before = model.get_weights()
        model.fit(x, y, epochs=40, verbose=0)
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # As "auto" would on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        assert np.abs(array(model.sample(64, seed=0)) - 0.8).mean() < 0.7 * distance
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {MyGAN.__module__}\n"
            "model = keras.models.load_model('model.keras')\n"
            "y = model.predict(np.load('x.npy'), verbose=0)\n"
            "np.savez('y.npz', *y)\n"
        )
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "KERAS_BACKEND": keras.backend.backend(),
        }
        subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=env, check=True
        )
        with np.load(tmp_path / "y.npz") as loaded:
            for name, expected in zip(loaded, model.predict(x, verbose=0), strict=True):
                assert_close(loaded[name], expected)

    def test_docstring_example(self):
        examples = doctest.testmod(sys.modules[MyGAN.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
