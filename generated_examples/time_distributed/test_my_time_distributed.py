"""Tests for `MyTimeDistributed`, on any Keras backend.

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

from my_time_distributed import MyTimeDistributed

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM, UNITS = 4, 3, 5, 2

# A value other than the default for every constructor argument.
CHANGED = {
    "layer": keras.layers.Dense(1),
}
REFUSED = {
    "layer": ["dense", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"layer": keras.layers.Dense(UNITS, bias_initializer="random_normal")}
    return MyTimeDistributed(**{**plain, **arguments})


def inputs(*axes, batch=BATCH):
    rng = np.random.default_rng(0)
    return rng.normal(size=(batch, STEPS, *axes, DIM)).astype("float32")


def reference(x, kernel, bias):
    """The formula for a dense layer, one step at a time."""
    return np.stack([x[:, t] @ kernel + bias for t in range(STEPS)], axis=1)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @pytest.mark.parametrize("axes", [(), (2,)])
    def test_equals_the_formula(self, axes):
        layer, x = make(), inputs(*axes)
        y = array(layer(x))
        assert_close(y, reference(x, *layer.layer.get_weights()))

    def test_passes_training_to_the_layer(self):
        layer, x = make(layer=keras.layers.Dropout(0.5, seed=1)), inputs()
        for y in (layer(x), layer(x, training=False)):
            assert_close(array(y), x)
        y = array(layer(x, training=True))
        kept = ~np.isclose(y, 0)
        assert_close(y, np.where(kept, 2 * x, 0))
        assert 0 < kept.mean() < 1

    def test_passes_the_mask_to_the_layer(self):
        wrapped = keras.layers.GRU(DIM, return_sequences=True)
        layer, x = make(layer=wrapped), inputs(2)
        mask = np.random.default_rng(1).random(x.shape[:-1]) < 0.5
        y = array(layer(x, mask=mask))
        for t in range(STEPS):
            assert_close(y[:, t], array(wrapped(x[:, t], mask=mask[:, t])))
        assert_close(array(layer(x)), array(layer(x, mask=mask | True)))

    @pytest.mark.parametrize(
        "shape",
        [(BATCH,), (BATCH, STEPS + 1), (BATCH + 1, STEPS), (BATCH, STEPS - 1, DIM)],
    )
    @pytest.mark.parametrize(
        "wrapped", [keras.layers.Dense(UNITS), keras.layers.Softmax()]
    )
    def test_refuses_a_mask_of_another_shape(self, shape, wrapped):
        with pytest.raises(
            ValueError, match="`mask` must start with the batch and the steps"
        ):
            make(layer=wrapped)(inputs(), mask=np.ones(shape, "bool"))

    def test_works_with_an_unknown_number_of_steps(self):
        layer, x = make(), inputs()
        model = keras.Sequential([keras.Input((None, DIM)), layer])
        assert_close(
            model.predict(x, verbose=0), reference(x, *layer.layer.get_weights())
        )

        for steps in (1, 4, 2):  # TensorFlow then compiles the model for any number.
            x = (
                np.random.default_rng(0)
                .normal(size=(BATCH, steps, DIM))
                .astype("float32")
            )
            kernel, bias = layer.layer.get_weights()
            assert_close(model.predict_on_batch(x), x @ kernel + bias)

        x = inputs()
        layer, mask = make(layer=keras.layers.Softmax()), x > 0
        two = [keras.Input((None, DIM)), keras.Input((None, DIM), dtype="bool")]
        model = keras.Model(two, layer(two[0], mask=two[1]))
        y = model.predict([x, mask], verbose=0)
        assert_close(y, array(keras.layers.Softmax()(x, mask=mask)))


class TestShapes:
    @pytest.mark.parametrize(
        "shape", [(None, 3, DIM), (None, None, DIM), (2, 3, 4, DIM)]
    )
    def test_static_shape_is_correct(self, shape):
        expected = (*shape[:-1], UNITS)
        assert make().compute_output_shape(shape) == expected
        assert make()(keras.KerasTensor(shape)).shape == expected
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == (*real[:-1], UNITS)

    def test_refuses_fewer_than_3_axes(self):
        for refuses in (make().build, make().compute_output_shape):
            with pytest.raises(ValueError, match="must have at least 3 axes"):
                refuses((BATCH, DIM))


class TestWeights:
    def test_has_the_weights_of_the_layer(self):
        layer = make()
        layer.build(inputs().shape)
        assert layer.layer.built
        assert layer.weights == layer.layer.weights
        assert [weight.shape for weight in layer.weights] == [(DIM, UNITS), (UNITS,)]

    @pytest.mark.parametrize("steps", [STEPS, None])
    def test_losses_of_the_layer_count_once(self, steps):
        dense = keras.layers.Dense(
            UNITS,
            activity_regularizer=keras.regularizers.L2(0.1),
            kernel_regularizer="l2",
        )
        layer, x = make(layer=dense), inputs()
        model = keras.Sequential(
            [
                keras.Input(
                    (
                        steps,
                        DIM,
                    )
                ),
                layer,
            ]
        )
        model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse")
        y = model.predict_on_batch(x)
        expected = 0.1 * (y**2).sum() / BATCH + 0.01 * (array(dense.kernel) ** 2).sum()
        assert_close(
            model.train_on_batch(x, np.zeros_like(y)), (y**2).mean() + expected
        )
        model(x, training=True)
        assert len(model.losses) == 2

    def test_a_built_layer_keeps_its_weights(self):
        dense = keras.layers.Dense(UNITS)
        dense.build((None, DIM))
        kernel = array(dense.kernel).copy()
        layer = make(layer=dense)
        layer(inputs())
        assert (array(dense.kernel) == kernel).all()
        assert layer.layer is dense


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyTimeDistributed).parameters
        ]
        layer = MyTimeDistributed(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "examples>MyTimeDistributed"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyTimeDistributed
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in REFUSED.items() for value in values],
    )
    def test_refuses_bad_arguments(self, name, value):
        with pytest.raises((TypeError, ValueError), match=f"^`{name}` must be"):
            make(**{name: value})


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    @pytest.mark.parametrize("inner", [None, "float32"])
    def test_dtype_policy(self, policy, inner):
        dense = keras.layers.Dense(UNITS, dtype=inner or policy)
        layer, x = make(layer=dense, dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        kernel, bias = (array(ops.cast(weight, "float32")) for weight in dense.weights)
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, kernel, bias), tolerance=0.05)

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
                make(layer=keras.layers.Dense(8, activation="tanh")),
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
            f"import keras, numpy as np, {MyTimeDistributed.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyTimeDistributed.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
