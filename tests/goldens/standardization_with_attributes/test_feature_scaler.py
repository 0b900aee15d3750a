"""What `FeatureScaler` promises, on each backend.

`KERAS_BACKEND=jax pytest` runs it on another one than Keras's default.
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

from feature_scaler import FeatureScaler

# Keras's Torch backend itself calls NumPy 2 in a deprecated way.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 6, 4, 5
each_axis = pytest.mark.parametrize("axis", [(-1,), (1,), (2, 1), (-1, -2), (0,), ()])

# A value other than the default for every constructor argument.
CHANGED = {
    "axis": (-1, 1),
    "invert": False,
    "gain": 0.5,
    "label": "mine_changed",
}
DEFAULTS = {
    "axis": (1, 2),
    "invert": True,
    "gain": 1.0,
    "label": "mine",
}
ACCEPTED = {
    "gain": [1],
}
REFUSED = {
    "axis": [(2, 2.5), (2, None), 2.5, "22", None],
    "gain": [0.0, "1.0", None],
    "label": [2, None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    plain = {"axis": (-1,), "invert": False}
    return FeatureScaler(**{**plain, **arguments})


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    scale = 1 + np.arange(STEPS * DIM).reshape(STEPS, DIM)
    return rng.normal(3, scale, size=(batch, STEPS, DIM)).astype("float32")


def adapted(data, **arguments):
    layer = make(**arguments)
    layer.adapt(data)
    return layer


def statistics(x, axis=(-1,)):
    """Mean and variance over all other axes."""
    others = tuple({0, 1, 2} - {i % 3 for i in axis})
    return x.mean(others, "float64", keepdims=True), x.var(
        others, "float64", keepdims=True
    )


def reference(x, mean, variance, invert=False):
    """The formula."""
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    return x * deviation + mean if invert else (x - mean) / deviation


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """What can be compared of an attribute: a Keras object by its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_axis
    @pytest.mark.parametrize("invert", [False, True])
    def test_equals_the_formula(self, axis, invert):
        data, x = inputs(), inputs() + 1
        layer = adapted(data, axis=axis, invert=invert)
        expected = reference(x, *statistics(data, axis), invert)
        assert_close(array(layer(x)), expected, tolerance=1e-4)

    def test_inverse_takes_it_back(self):
        x = inputs()
        back = adapted(x, axis=(1, 2), invert=True)
        assert_close(array(back(adapted(x, axis=(1, 2))(x))), x, tolerance=1e-4)

    def test_constant_values_are_shifted_alone(self):
        x = np.full((BATCH, STEPS, DIM), 7.0, "float32")
        assert (array(adapted(x)(x)) == 0).all()

    @pytest.mark.parametrize("invert", [False, True])
    def test_changes_nothing_before_it_is_adapted(self, invert):
        x = inputs()
        assert (array(make(invert=invert)(x)) == x).all()

    @pytest.mark.parametrize("of", ["list", "generator", "pairs", "tensors", "tf.data"])
    @pytest.mark.parametrize("axis", [(-1,), (1, 2), ()])
    def test_adapts_to_batches(self, axis, of):
        x = inputs(batch=9)
        batches = [x[:1], x[1:4], x[4:]]
        if of == "generator":
            batches = iter(batches)
        elif of == "pairs":
            batches = [(batch, batch + 100) for batch in batches]
        elif of == "tensors":
            batches = [ops.convert_to_tensor(batch) for batch in batches]
        elif of == "tf.data":
            tf = pytest.importorskip("tensorflow")
            batches = tf.data.Dataset.from_tensor_slices(x).batch(4)
        layer = adapted(batches, axis=axis)
        for weight, expected in zip(layer.weights, statistics(x, axis), strict=True):
            assert_close(array(weight), expected.reshape(weight.shape))

    def test_adapts_to_a_tensor_and_anew_each_time(self):
        layer = adapted(ops.convert_to_tensor(inputs() + 50))
        layer.adapt(inputs())
        assert_close(array(layer.mean), statistics(inputs())[0].ravel())
        assert_close(
            array(layer.variance), statistics(inputs())[1].ravel(), tolerance=1e-4
        )

    def test_values_far_from_zero_are_counted_precisely(self):
        x = inputs() + 10_000
        layer = adapted([x[:2], x[2:]])
        assert_close(array(layer.variance), statistics(x)[1].ravel(), tolerance=1e-4)

    def test_refuses_no_data(self):
        with pytest.raises(ValueError, match="`data` must hold a batch"):
            make().adapt([])


class TestShapes:
    @pytest.mark.parametrize("shape", [(None, DIM), (None, None, DIM), (2, 3, 4, DIM)])
    def test_static_shape_is_the_real_one(self, shape):
        assert make().compute_output_shape(shape) == shape
        assert make()(keras.KerasTensor(shape)).shape == shape
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == real

    @pytest.mark.parametrize("axis", [(3,), (-1, -4)])
    def test_refuses_an_axis_that_is_not_there(self, axis):
        layer = make(axis=axis)
        for refuses in (layer.compute_output_shape, layer.build):
            with pytest.raises(ValueError, match="must name axes of the input"):
                refuses((BATCH, STEPS, DIM))

    def test_refuses_sizes_that_are_unknown_or_others(self):
        with pytest.raises(ValueError, match="must be known"):
            make(axis=(1, 2)).build((BATCH, None, DIM))
        layer = make(axis=(1,))
        layer.build((None, STEPS, None))
        for shape in [(BATCH, STEPS), (BATCH, STEPS + 1, DIM)]:
            with pytest.raises(ValueError, match="incompatible with the layer"):
                layer(np.zeros(shape, "float32"))


class TestWeights:
    @pytest.mark.parametrize(
        ("axis", "shape"), [((-1,), (DIM,)), ((2, 1), (STEPS, DIM)), ((), ())]
    )
    def test_names_shapes_and_start(self, axis, shape):
        layer = make(axis=axis)
        layer.build((None, STEPS, DIM))
        assert [weight.name for weight in layer.weights] == ["mean", "variance"]
        assert [weight.shape for weight in layer.weights] == [shape, shape]
        assert layer.trainable_weights == []
        mean, variance = layer.get_weights()
        assert (mean == 0).all()
        assert (variance == 1).all()


class TestConfig:
    def test_every_argument_arrives_and_survives(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(FeatureScaler).parameters]
        layer = FeatureScaler(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data, nothing that only Keras can write.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>FeatureScaler"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is FeatureScaler
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = FeatureScaler()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in ACCEPTED.items() for value in values],
    )
    def test_takes_values_at_the_edge(self, name, value):
        assert getattr(make(**{name: value}), name) == value

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in REFUSED.items() for value in values],
    )
    def test_refuses_bad_arguments(self, name, value):
        with pytest.raises((TypeError, ValueError), match=f"^`{name}` must be"):
            make(**{name: value})


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = adapted(inputs(), dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights} == {layer.variable_dtype}
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, *statistics(x)), tolerance=0.05)

    def test_mixed_precision_rounds_inputs_and_outputs_only(self):
        layer, x = adapted(inputs() + 1000, dtype="mixed_bfloat16"), inputs() + 1000
        y = array(ops.cast(layer(x), "float32"))
        rounded = array(ops.cast(ops.cast(x, "bfloat16"), "float32"))
        assert_close(y, reference(rounded, *statistics(x)), tolerance=0.02)

    def test_takes_whole_numbers(self):
        x = np.arange(BATCH * STEPS * DIM, dtype="int32").reshape(BATCH, STEPS, DIM)
        assert_close(array(adapted(x)(x)), reference(x, *statistics(x)))

    def test_training_leaves_the_statistics_and_the_file_keeps_them(self, tmp_path):
        x, layer = inputs(), adapted(inputs())
        model = keras.Sequential(
            [keras.Input(x.shape[1:]), layer, keras.layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        model.fit(x, x[..., :1], verbose=0)
        assert_close(layer.get_weights()[0], statistics(x)[0].ravel())
        model.save(tmp_path / "model.keras")
        twin = keras.saving.load_model(tmp_path / "model.keras")
        assert_close(
            array(twin.layers[0](x)), reference(x, *statistics(x)), tolerance=1e-4
        )

    def test_adapting_reaches_a_compiled_model(self):
        x, layer = inputs(), make()
        model = keras.Sequential([keras.Input(x.shape[1:]), layer])
        assert_close(model.predict(x, verbose=0), x)
        layer.adapt(x)
        expected = reference(x, *statistics(x))
        assert_close(model.predict(x, verbose=0), expected, tolerance=1e-4)

    def test_passes_masks_on(self):
        model, x = keras.Sequential([keras.layers.Masking(), make()]), inputs()
        x[:, -1] = 0
        mask = array(model(x)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_learns_and_comes_back_in_a_fresh_process(self, tmp_path):
        raw = inputs(batch=64)
        x = array(adapted(raw)(raw))
        y = np.sin(x.sum(axis=(1, 2)))
        model = keras.Sequential(
            [
                keras.layers.Flatten(),
                keras.layers.Dense(64, activation="tanh"),
                keras.layers.Dense(1),
            ]
        )
        model.build(x.shape)
        model.compile(keras.optimizers.Adam(0.05), "mse")
        before = model.get_weights()
        losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
        assert losses[-1] < 0.5 * losses[0]
        for old, new in zip(before, model.get_weights(), strict=True):
            assert (old != new).any()

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {FeatureScaler.__module__}\n"
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

    def test_the_example_of_the_docstring(self):
        examples = doctest.testmod(sys.modules[FeatureScaler.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
