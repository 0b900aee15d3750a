"""Tests for `MyTCN`, on any Keras backend.

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

from my_tcn import LastStep, MyTCN, ResidualBlock

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, OUTPUTS = 4, 9, 5, 2
FILTERS, KERNEL_SIZE, BLOCKS = 3, 2, 2

# A value other than the default for every constructor argument.
CHANGED = {
    "num_classes": 2,
    "filters": 33,
    "kernel_size": 4,
    "num_blocks": 5,
    "dropout": 0.5,
}
DEFAULTS = {
    "filters": 32,
    "kernel_size": 3,
    "num_blocks": 4,
    "dropout": 0.0,
}
ACCEPTED = {
    "num_classes": [1],
    "filters": [1],
    "kernel_size": [1],
    "num_blocks": [1],
    "dropout": [0.0, 0],
}
REFUSED = {
    "num_classes": [0, 2.5, True, "2", None],
    "filters": [0, 2.5, True, "2", None],
    "kernel_size": [0, 2.5, True, "2", None],
    "num_blocks": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 1.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "num_classes": OUTPUTS,
        "filters": FILTERS,
        "kernel_size": KERNEL_SIZE,
        "num_blocks": BLOCKS,
        "dropout": 0.0,
    }
    return MyTCN(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, STEPS, DIM)).astype("float32")


def some_mask():
    """Return a mask that hides steps at the start, in the middle and at the end."""
    mask = np.ones((BATCH, STEPS), bool)
    mask[0, :2] = mask[1, 2:4] = mask[2, -2:] = False
    return mask


def make_block(filters=FILTERS, **arguments):
    block = ResidualBlock(filters, KERNEL_SIZE, **arguments)
    block.build((None, None, DIM))
    randomise(block)
    return block


def randomise(model):
    """Give every weight different random values, so that mix-ups are detected."""
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in model.weights])


def path(weight):
    """Return the path of a weight inside its model, which is named `mine`."""
    return weight.path.removeprefix("mine/")


def convolve(x, kernel, bias, dilation_rate=1):
    """Compute a causal convolution one step at a time."""
    y = np.zeros((*x.shape[:2], len(bias))) + bias
    for t in range(x.shape[1]):
        for tap, weights in enumerate(kernel[::-1]):
            if t - tap * dilation_rate >= 0:
                y[:, t] += x[:, t - tap * dilation_rate] @ weights
    return y


def block_reference(x, weights, dilation_rate, mask):
    """Compute a block; masked steps are zeros, like the padding."""
    shortcut = convolve(x, *weights[4:]) if len(weights) > 4 else x
    for kernel, bias in (weights[:2], weights[2:4]):
        x = np.maximum(convolve(x * mask[..., None], kernel, bias, dilation_rate), 0)
    return np.maximum(shortcut + x, 0)


def reference(x, *weights, mask=None):
    """Compute the outputs; only the first block's shortcut has weights."""
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    for i in range(BLOCKS):
        count = 6 if i == 0 else 4
        x = block_reference(x, weights[:count], 2**i, mask)
        weights = weights[count:]
    x = np.array([steps[seen][-1] for steps, seen in zip(x, mask, strict=True)])
    return x @ weights[0] + weights[1]


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formula(self):
        model, x = make(), inputs()
        model.build((None, None, DIM))
        randomise(model)
        assert_close(
            array(model(x)), reference(x, *model.get_weights()), tolerance=1e-4
        )

    def test_masked_steps_count_as_zeros(self):
        model, x, mask = make(), inputs(), some_mask()
        model.build((None, None, DIM))
        randomise(model)
        y = array(model(x, mask=ops.convert_to_tensor(mask)))
        assert_close(y, reference(x, *model.get_weights(), mask=mask), tolerance=1e-4)

    def test_padding_at_either_end_changes_nothing(self):
        model, x = make(), inputs()
        model.build((None, None, DIM))
        randomise(model)
        for padding in ((0, 3), (3, 0)):
            widths = [(0, 0), padding, (0, 0)]
            padded = np.pad(x, widths, constant_values=7)
            mask = np.pad(np.ones(x.shape[:2], bool), widths[:2])
            y = model(padded, mask=ops.convert_to_tensor(mask))
            assert_close(array(y), array(model(x)), tolerance=1e-4)

    def test_uses_the_mask_of_a_previous_layer_and_passes_none_on(self):
        model, x, mask = make(), inputs(), some_mask()
        x[~mask] = 0
        y = model(keras.layers.Masking()(x))
        assert_close(array(y), array(model(x, mask=ops.convert_to_tensor(mask))))
        assert getattr(y, "_keras_mask", None) is None

    @pytest.mark.parametrize("dilation_rate", [1, 3])
    def test_no_step_of_a_block_sees_a_later_one(self, dilation_rate):
        block, x = make_block(dilation_rate=dilation_rate), inputs()
        y = array(block(x))
        for t in range(STEPS):
            changed = x.copy()
            changed[:, t] += 1
            same = np.isclose(array(block(changed)), y).all(axis=(0, 2))
            assert same[:t].all()
            assert not same[t]

    def test_receptive_field(self):
        model, x = make(), np.abs(inputs())
        model.build((None, None, DIM))
        # If all is positive, `relu` cuts nothing off.
        model.set_weights([np.abs(weight) for weight in model.get_weights()])
        seen = 1 + 2 * (KERNEL_SIZE - 1) * (2**BLOCKS - 1)
        y = array(model(x))
        for steps_back in range(1, STEPS + 1):
            changed = x.copy()
            changed[:, -steps_back] += 1
            moved = not np.allclose(array(model(changed)), y, rtol=1e-6, atol=1e-6)
            assert moved == (steps_back <= seen)

    def test_drops_whole_channels_in_training_only(self):
        model, x = make(dropout=0.25), inputs()
        rates = [
            [drop.rate for drop in model.get_layer(f"block_{i}").drops]
            for i in range(BLOCKS)
        ]
        assert rates == [[0.25, 0.25]] * BLOCKS
        model.build((None, None, DIM))
        assert (array(model(x, training=False)) == array(model(x))).all()
        outputs = [array(model(x, training=True)) for _ in range(3)]
        assert any((y != outputs[0]).any() for y in outputs[1:])

    @pytest.mark.parametrize("number", [0, 1])
    def test_each_dropout_of_a_block_drops_whole_channels(self, number):
        block, x = make_block(filters=DIM, dropout=0.9999), np.abs(inputs())
        block.drops[1 - number].rate = 0
        y = array(block(x, training=True))
        assert (y != array(block(x))).any()
        dropped = (
            x if number else np.maximum(x + np.maximum(block.get_weights()[3], 0), 0)
        )
        assert_close(y, dropped)

    def test_samples_are_independent(self):
        layer, x = make(), inputs()
        assert_close(array(layer(x))[1:], array(layer(x[1:])))


class TestShapes:
    def test_static_shape_is_correct(self):
        model, x = make(), inputs()
        real = model(x).shape
        assert model.compute_output_shape((None, *x.shape[1:])) == (None, *real[1:])
        assert make()(keras.KerasTensor((None, *x.shape[1:]))).shape == (
            None,
            *real[1:],
        )

    def test_sequences_may_have_any_length(self):
        model, x = make(), inputs()
        real = model(x).shape
        for steps in (None, 1, 2 * STEPS):
            shape = (None, steps, DIM)
            assert model.compute_output_shape(shape) == (None, *real[1:])
            assert model(keras.KerasTensor(shape)).shape == (None, *real[1:])
        assert model(x[:, :1]).shape == real

    def test_static_shapes_of_the_sublayers(self):
        shape = (None, None, DIM)
        for part, expected in (
            (make_block(), (None, None, FILTERS)),
            (LastStep(), (None, DIM)),
        ):
            assert part.compute_output_shape(shape) == expected
            assert part(keras.KerasTensor(shape)).shape == expected


class TestWeights:
    def test_paths_and_shapes(self):
        model = make(name="mine")
        model.build((None, None, DIM))
        assert [
            (path(weight), weight.shape)
            for weight in model.weights
            if "seed" not in path(weight)
        ] == [
            ("block_0/conv_0/kernel", (KERNEL_SIZE, DIM, FILTERS)),
            ("block_0/conv_0/bias", (FILTERS,)),
            ("block_0/conv_1/kernel", (KERNEL_SIZE, FILTERS, FILTERS)),
            ("block_0/conv_1/bias", (FILTERS,)),
            ("block_0/shortcut/kernel", (1, DIM, FILTERS)),
            ("block_0/shortcut/bias", (FILTERS,)),
            ("block_1/conv_0/kernel", (KERNEL_SIZE, FILTERS, FILTERS)),
            ("block_1/conv_0/bias", (FILTERS,)),
            ("block_1/conv_1/kernel", (KERNEL_SIZE, FILTERS, FILTERS)),
            ("block_1/conv_1/bias", (FILTERS,)),
            ("head/kernel", (FILTERS, OUTPUTS)),
            ("head/bias", (OUTPUTS,)),
        ]
        assert model.trainable_weights == model.weights

    def test_kernels_are_he_normal(self):
        kernel = ResidualBlock(64, 5).convs[0]
        kernel.build((None, None, 64))
        assert 0.9 < array(kernel.kernel).std() / np.sqrt(2 / (5 * 64)) < 1.1

    def test_the_last_step_has_a_name_and_the_dtype_policy(self):
        last_step = make(dtype="mixed_bfloat16").get_layer("last_step")
        assert last_step.dtype_policy.name == "mixed_bfloat16"

    def test_channels_are_last_whatever_the_default(self):
        keras.config.set_image_data_format("channels_first")
        try:
            block = make_block()
        finally:
            keras.config.set_image_data_format("channels_last")
        formats = {layer.data_format for layer in (*block.convs, block.shortcut)}
        assert formats == {"channels_last"}
        assert [drop.name for drop in block.drops] == ["dropout_0", "dropout_1"]


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyTCN).parameters]
        layer = MyTCN(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyTCN"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyTCN
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyTCN(num_classes=OUTPUTS)
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

    def test_a_block_comes_back_from_its_config(self):
        block = ResidualBlock(
            3, 2, dilation_rate=4, dropout=0.5, name="mine", dtype="bfloat16"
        )
        twin = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(block)
        )
        assert twin.get_config() == block.get_config()
        assert (twin.filters, twin.kernel_size) == (3, 2)
        assert (twin.dilation_rate, twin.dropout) == (4, 0.5)
        assert ResidualBlock(3, 2).get_config()["dropout"] == 0


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        model, x = make(dtype=policy), inputs()
        y = model(x)
        assert keras.backend.standardize_dtype(y.dtype) == model.compute_dtype
        assert {weight.dtype for weight in model.weights} == {model.variable_dtype}
        y, *weights = (array(ops.cast(z, "float32")) for z in (y, *model.weights))
        assert_close(
            array(ops.cast(y, "float32")), reference(x, *weights), tolerance=0.05
        )

    def test_compiles_for_training(self):
        model, x = make(), inputs()
        model.compile_for_training(learning_rate=0.02)
        assert_close(array(model.optimizer.learning_rate), 0.02)
        labels = np.arange(len(x), dtype="int32") % OUTPUTS
        logits = array(model(x))
        probs = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
        results = model.evaluate(x, labels, return_dict=True, verbose=0)
        assert_close(results["loss"], -np.log(probs[np.arange(len(x)), labels]).mean())
        assert_close(results["accuracy"], (logits.argmax(axis=-1) == labels).mean())
        model.compile_for_training(optimizer="sgd")
        assert isinstance(model.optimizer, keras.optimizers.SGD)

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        y = (x.sum(axis=tuple(range(1, x.ndim))) > 0).astype("int32")

        model = make()
        model.build((None, None, DIM))
        model.compile_for_training(learning_rate=0.02)

        before = model.get_weights()
        losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
        assert losses[-1] < 0.8 * losses[0]
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # As "auto" would on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {MyTCN.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyTCN.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
