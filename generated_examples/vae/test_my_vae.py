"""Tests for `MyVAE`, on any Keras backend.

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

from my_vae import MyVAE, NormalSampling, bernoulli_loss

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, SHAPE, LATENTS, HIDDEN = 4, (4, 3, 2), 3, (7, 6)
SIZE = 24

# A value other than the default for every constructor argument.
CHANGED = {
    "image_shape": (5, 3, 2),
    "latent_dim": 21,
    "hidden_units": (501, 502),
    "activation": keras.activations.tanh,
    "kl_weight": 0.5,
    "seed": 7,
}
DEFAULTS = {
    "latent_dim": 20,
    "hidden_units": (500,),
    "activation": keras.activations.get("relu"),
    "kl_weight": 1.0,
    "seed": None,
}
ACCEPTED = {
    "latent_dim": [1],
    "kl_weight": [0.0, 1],
    "hidden_units": [(1,)],
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
    "hidden_units": [(2, 0), (2, True), (2, None), 2.5, "22", None],
    "kl_weight": [-1.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "image_shape": SHAPE,
        "latent_dim": LATENTS,
        "hidden_units": HIDDEN,
        "activation": "relu",
        "kl_weight": 1.0,
        "seed": None,
    }
    return MyVAE(**{**plain, **arguments})


def inputs(batch=BATCH):
    return np.random.default_rng(0).uniform(size=(batch, *SHAPE)).astype("float32")


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


def dense_layers(x, weights, activation=lambda x: np.maximum(x, 0)):
    """Compute dense layers, with the activation after each but the last."""
    for layer, (kernel, bias) in enumerate(
        zip(weights[::2], weights[1::2], strict=True)
    ):
        x = x @ kernel + bias
        if 2 * layer + 2 < len(weights):
            x = activation(x)
    return x


def encoded(x, weights, **activation):
    x = x.reshape(len(x), -1)
    mean, log_variance = weights[4:6], weights[6:8]
    return [
        dense_layers(x, [*weights[:4], *last], **activation)
        for last in (mean, log_variance)
    ]


def reference(x, *weights, **activation):
    mean, _ = encoded(x, weights, **activation)
    return dense_layers(mean, weights[8:], **activation).reshape(x.shape)


def divergence(mean, log_variance):
    """Integrate the definition, `q * log(q / p)`, over a fine grid."""
    z, step = np.linspace(-30, 30, 6_001, retstep=True)
    total = np.zeros(len(mean))
    for item, latent in np.ndindex(mean.shape):
        variance = np.exp(log_variance[item, latent])
        log_q = -((z - mean[item, latent]) ** 2) / variance / 2 - np.log(variance) / 2
        q = np.exp(log_q) / np.sqrt(2 * np.pi)
        total[item] += step * (q * (log_q + z**2 / 2)).sum()
    return total


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
        expected = reference(x, *model.get_weights())
        for y in (model(x), model(x, training=False)):
            assert_close(array(y), expected)

    def test_activation_of_the_hidden_layers(self):
        model, x = built(activation="tanh"), inputs()
        expected = reference(x, *model.get_weights(), activation=np.tanh)
        assert_close(array(model(x)), expected)

    def test_encodes_and_decodes(self):
        model, x = built(), inputs()
        for got, expected in zip(
            model.encode(x), encoded(x, model.get_weights()), strict=True
        ):
            assert_close(array(got), expected)
        images = array(model.decode(model.encode(x)[0]))
        assert_close(images, 1 / (1 + np.exp(-array(model(x)))))

    def test_draws_from_the_distributions_in_training(self):
        layer, n = NormalSampling(), 20_000
        mean, log_variance = np.array([[1.0, -2.0]]), np.array([[0.5, -1.5]])
        moments = [
            np.repeat(each, n, axis=0).astype("float32")
            for each in (mean, log_variance)
        ]
        z = array(layer(*moments, training=True))
        assert_close(z.mean(axis=0), mean[0], tolerance=0.05)
        assert_close(z.var(axis=0), np.exp(log_variance[0]), tolerance=0.05)
        assert_close(np.corrcoef(z.T)[0, 1], 0, tolerance=0.05)

    def test_each_call_draws_new_noise_from_the_seed(self):
        x = inputs()
        one, twin, other = (built(seed=n) for n in (1, 1, 2))
        first = array(one(x, training=True))
        assert (array(twin(x, training=True)) == first).all()
        assert (array(other(x, training=True)) != first).any()
        assert (array(one(x, training=True)) != first).any()

    def test_decodes_what_it_draws(self):
        model, x = built(seed=1), inputs()
        z = array(built(seed=1).sampling(*model.encode(x), training=True))
        expected = dense_layers(z, model.get_weights()[8:]).reshape(x.shape)
        assert_close(array(model(x, training=True)), expected)

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))

    def test_sample_decodes_normal_draws(self):
        model = built()
        images = array(model.sample(3, seed=1))
        assert images.shape == (3, *SHAPE)
        assert (images == array(model.sample(3, seed=1))).all()
        assert (images != array(model.sample(3, seed=2))).any()
        assert (array(model.sample(3)) != array(model.sample(3))).any()
        z = array(keras.random.normal((3, LATENTS), seed=1))
        assert_close(images, array(model.decode(z)))

    @pytest.mark.parametrize("number", [0, -1, 2.5, None])
    def test_sample_refuses_bad_num_images(self, number):
        with pytest.raises(ValueError, match="`num_images` must be a positive int"):
            make().sample(number)

    @pytest.mark.parametrize("training", [False, True])
    def test_adds_the_divergence(self, training):
        model, x = built(kl_weight=0.3), inputs()
        model(x, training=training)
        (loss,) = model.losses
        assert_close(
            array(loss), 0.3 * divergence(*encoded(x, model.get_weights())).mean()
        )

    def test_loss_of_images(self):
        x, logits = inputs(), np.random.default_rng(1).normal(size=(BATCH, *SHAPE))
        probs = 1 / (1 + np.exp(-logits))
        likelihood = x * np.log(probs) + (1 - x) * np.log(1 - probs)
        losses = array(bernoulli_loss(x, logits.astype("float32")))
        assert_close(losses, -likelihood.reshape(BATCH, -1).sum(axis=1))


class TestShapes:
    def test_static_shape_is_correct(self):
        model, x = make(), inputs()
        real = model(x).shape
        assert model.compute_output_shape((None, *x.shape[1:])) == (None, *real[1:])
        assert make()(keras.KerasTensor((None, *x.shape[1:]))).shape == (
            None,
            *real[1:],
        )


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build((None, *SHAPE))
        sizes = {
            "encoder_0": (SIZE, 7),
            "encoder_1": (7, 6),
            "mean": (6, LATENTS),
            "log_variance": (6, LATENTS),
            "decoder_0": (LATENTS, 6),
            "decoder_1": (6, 7),
            "pixels": (7, SIZE),
        }
        assert [(path(weight), weight.shape) for weight in model.weights] == [
            (f"{layer}/{weight}", shape[first:])
            for layer, shape in sizes.items()
            for first, weight in enumerate(["kernel", "bias"])
        ]
        assert model.trainable_weights == model.weights

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        parts = [model.get_layer(name) for name in ("flatten", "sampling", "reshape")]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyVAE).parameters]
        layer = MyVAE(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyVAE"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyVAE
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyVAE(image_shape=SHAPE)
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

    def test_the_sampling_layer_comes_back_from_its_config(self):
        layer = NormalSampling(kl_weight=0.5, seed=3)
        twin = NormalSampling.from_config(layer.get_config())
        assert (twin.kl_weight, twin.seed) == (0.5, 3)
        assert twin.get_config() == layer.get_config()

    def test_refuses_images_of_another_shape(self):
        with pytest.raises(ValueError, match="incompatible with the layer"):
            make()(np.zeros((BATCH, 3, 4, 2), "float32"))


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = built(dtype=policy), inputs()
        y = model(x)
        weights = [array(ops.cast(weight, "float32")) for weight in model.weights]
        assert_close(
            array(ops.cast(y, "float32")), reference(x, *weights), tolerance=0.05
        )
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        for each in (y, model(x, training=True), model.sample(2)):
            assert keras.backend.standardize_dtype(each.dtype) == model.compute_dtype
        (loss,) = model.losses
        assert keras.backend.standardize_dtype(loss.dtype) == "float32"

    def test_compiles_for_training(self):
        model = make()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_training_and_evaluation_losses_use_draws(self):
        x, losses = inputs(), []
        for evaluate in (True, False):
            model = built(seed=1, kl_weight=0.3)
            model.compile_for_training(learning_rate=0.0)
            if evaluate:
                losses.append(model.evaluate(x, x, verbose=0))
            else:
                losses += model.fit(x, x, verbose=0, shuffle=False).history["loss"]
        twin = built(seed=1, kl_weight=0.3)
        of_draws, of_means = (
            array(bernoulli_loss(x, twin(x, training=training))).mean()
            for training in (True, False)
        )
        assert_close(losses, of_draws + array(twin.losses[0]))
        assert abs(of_draws - of_means) > 1e-2

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        black_or_white = np.arange(64).reshape(-1, 1, 1, 1) % 2
        x = y = np.broadcast_to(black_or_white, (64, *SHAPE)).astype("float32")
        model = make(kl_weight=0.1)  # At 1, it takes longer to leave the mean image.
        model.build((None, *SHAPE))
        model.compile_for_training(learning_rate=0.01)
        before = model.get_weights()
        losses = model.fit(x, y, epochs=60, verbose=0).history["loss"]
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
            f"import keras, numpy as np, {MyVAE.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyVAE.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
