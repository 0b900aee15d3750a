"""Tests for `MyRNN`, on any Keras backend.

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

from my_rnn import MyRNN

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, UNITS, LAYERS, OUTPUTS = 4, 6, 5, 3, 2, 2

# A value other than the default for every constructor argument.
CHANGED = {
    "num_classes": 2,
    "units": 65,
    "num_layers": 2,
    "dropout": 0.5,
}
DEFAULTS = {
    "units": 64,
    "num_layers": 1,
    "dropout": 0.0,
}
ACCEPTED = {
    "num_classes": [1],
    "units": [1],
    "num_layers": [1],
    "dropout": [0.0, 0],
}
REFUSED = {
    "num_classes": [0, 2.5, True, "2", None],
    "units": [0, 2.5, True, "2", None],
    "num_layers": [0, 2.5, True, "2", None],
    "dropout": [-1.0, 1.0, "1.0", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {
        "num_classes": OUTPUTS,
        "units": UNITS,
        "num_layers": LAYERS,
        "dropout": 0.0,
    }
    return MyRNN(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, STEPS, DIM)).astype("float32")


def some_mask():
    """Return a mask that hides steps at the start, in the middle and at the end."""
    mask = np.ones((BATCH, STEPS), bool)
    mask[0, :2] = mask[1, 2:4] = mask[2, -2:] = False
    return mask


def randomise(model):
    """Give every weight different random values, so that mix-ups are detected."""
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0.2, 0.5, weight.shape) for weight in model.weights])


def path(weight):
    """Return the path of a weight inside its model, which is named `mine`."""
    return weight.path.removeprefix("mine/")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def states(x, mask, kernel, recurrent_kernel, bias):
    """Compute the state after each step; masked steps do not change it."""
    h = c = np.zeros((len(x), UNITS))
    outputs = []
    for step, seen in zip(x.swapaxes(0, 1), mask.T, strict=True):
        gates = step @ kernel + h @ recurrent_kernel + bias
        i, f, g, o = np.split(gates, 4, axis=1)
        new_c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        new_h = sigmoid(o) * np.tanh(new_c)
        c, h = np.where(seen[:, None], new_c, c), np.where(seen[:, None], new_h, h)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def reference(x, *weights, mask=None):
    """Compute the outputs one step at a time."""
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    for layer in range(LAYERS):
        x = states(x, mask, *weights[3 * layer :][:3])
    x = x[:, -1]
    kernel, bias = weights[3 * LAYERS :]
    return x @ kernel + bias


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    def test_equals_the_formulas(self):
        model, x = make(), inputs()
        model.build((None, None, DIM))
        randomise(model)
        assert_close(array(model(x)), reference(x, *model.get_weights()))

    def test_skips_masked_steps(self):
        model, x, mask = make(), inputs(), some_mask()
        model.build((None, None, DIM))
        randomise(model)
        y = array(model(x, mask=ops.convert_to_tensor(mask)))
        assert_close(y, reference(x, *model.get_weights(), mask=mask))

    def test_uses_the_mask_of_a_previous_layer_and_passes_none_on(self):
        model, x, mask = make(), inputs(), some_mask()
        x[~mask] = 0
        y = model(keras.layers.Masking()(x))
        assert_close(array(y), array(model(x, mask=ops.convert_to_tensor(mask))))
        assert getattr(y, "_keras_mask", None) is None

    def test_drops_outputs_in_training_only(self):
        model, x = make(units=50, dropout=0.25), inputs()
        model.build((None, None, DIM))
        assert [model.get_layer(f"dropout_{i}").rate for i in range(LAYERS)] == [
            0.25,
            0.25,
        ]
        plain = array(model(x))
        assert (array(model(x, training=False)) == plain).all()
        for dropping, other in ((0, 1), (1, 0)):
            model.get_layer(f"dropout_{dropping}").rate = 0.25
            model.get_layer(f"dropout_{other}").rate = 0
            assert (array(model(x, training=True)) != plain).any()

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

    def test_refuses_another_rank(self):
        model, x = make(), inputs()
        model.build((None, None, DIM))
        with pytest.raises(ValueError, match="expected ndim=3"):
            model(x[0])


class TestWeights:
    def test_paths_shapes_and_initial_values(self):
        model = make(name="mine")
        model.build((None, None, DIM))
        assert [(path(weight), weight.shape) for weight in model.weights] == [
            ("recurrent_0/lstm_cell/kernel", (DIM, 4 * UNITS)),
            ("recurrent_0/lstm_cell/recurrent_kernel", (UNITS, 4 * UNITS)),
            ("recurrent_0/lstm_cell/bias", (4 * UNITS,)),
            ("recurrent_1/lstm_cell/kernel", (UNITS, 4 * UNITS)),
            ("recurrent_1/lstm_cell/recurrent_kernel", (UNITS, 4 * UNITS)),
            ("recurrent_1/lstm_cell/bias", (4 * UNITS,)),
            ("head/kernel", (UNITS, OUTPUTS)),
            ("head/bias", (OUTPUTS,)),
        ]
        assert model.trainable_weights == model.weights
        for name, value in ((path(weight), array(weight)) for weight in model.weights):
            if name.endswith("recurrent_kernel"):
                assert_close(value @ value.T, np.eye(UNITS))

    def test_sublayers_without_weights_have_a_name_and_the_dtype_policy(self):
        make()  # A second model would get other names if Keras chose them.
        model = make(dtype="mixed_bfloat16")
        parts = [model.get_layer(name) for name in ("dropout_0", "dropout_1")]
        assert {part.dtype_policy.name for part in parts} == {"mixed_bfloat16"}


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyRNN).parameters]
        layer = MyRNN(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyRNN"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyRNN
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyRNN(num_classes=OUTPUTS)
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
            f"import keras, numpy as np, {MyRNN.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyRNN.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
