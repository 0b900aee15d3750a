"""Tests for `MyStandardization`, on any Keras backend.

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

from my_standardization import MyStandardization

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 6, 4, 5
each_axis = pytest.mark.parametrize(
    "axis", [-1, (1,), [2, 1], (-1, -2), 0, -3, (), None]
)

# A value other than the default for every constructor argument.
CHANGED = {
    "axis": (1, 2),
    "mean": 0.5,
    "variance": 2.0,
    "invert": True,
}
DEFAULTS = {
    "axis": (-1,),
    "mean": None,
    "variance": None,
    "invert": False,
}
# Arguments stored under another name, since Keras uses theirs for something else.
KEPT_AS = {"mean": "input_mean", "variance": "input_variance"}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    return MyStandardization(**arguments)


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    scale = 1 + np.arange(STEPS * DIM).reshape(STEPS, DIM)
    return rng.normal(3, scale, size=(batch, STEPS, DIM)).astype("float32")


def adapted(data, **arguments):
    layer = make(**arguments)
    layer.adapt(data)
    return layer


def statistics(x, axis=-1):
    """The mean and variance over all other axes."""
    axes = {i % x.ndim for i in np.atleast_1d(() if axis is None else axis)}
    others = tuple({*range(x.ndim)} - axes)
    return [f(x, others, "float64", keepdims=True) for f in (np.mean, np.var)]


def reference(x, mean, variance, invert=False):
    """The formula."""
    stddev = np.maximum(np.sqrt(variance), 1e-7)
    return x * stddev + mean if invert else (x - mean) / stddev


def assert_adapted(layer, expected):
    for weight, value in zip(layer.weights, [*expected, np.zeros(())], strict=True):
        assert_close(array(weight), value.reshape(weight.shape), tolerance=1e-4)


class Batches(keras.utils.PyDataset):
    """Pairs of inputs and targets."""

    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 3

    def __getitem__(self, index):
        batch = self.x[index * 3 : index * 3 + 3]
        return batch, batch + 100


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_axis
    @pytest.mark.parametrize("invert", [False, True])
    def test_equals_the_formula(self, axis, invert):
        data, x = inputs(), inputs() + 1
        mean, variance = statistics(data, axis)
        given = {"mean": np.squeeze(mean), "variance": np.squeeze(variance).tolist()}
        adapted_layer = adapted(data, axis=axis, invert=invert)
        for layer in (adapted_layer, make(axis=axis, invert=invert, **given)):
            expected = reference(x, mean, variance, invert)
            assert_close(array(layer(x)), expected, tolerance=1e-4)
            assert_close(array(layer.mean), mean)
            assert_close(array(layer.variance), variance)

    @pytest.mark.parametrize("shape", [(), (1,), (DIM,), (1, DIM), (STEPS, 1)])
    def test_a_given_mean_broadcasts_along_the_axes(self, shape):
        rng, x = np.random.default_rng(1), inputs()
        given = {
            "mean": rng.normal(size=shape),
            "variance": rng.uniform(1, 2, size=shape),
        }
        layer = make(axis=(2, 1), **given)
        assert_close(array(layer(x)), reference(x, **given))
        assert layer.mean.shape == layer.variance.shape == (1, STEPS, DIM)
        assert layer.weights == []

    def test_inverse_restores_the_inputs(self):
        x = inputs()
        back = adapted(x, axis=(1, 2), invert=True)
        assert_close(array(back(adapted(x, axis=(1, 2))(x))), x, tolerance=1e-4)

    def test_constant_values_are_only_shifted(self):
        x = np.full((BATCH, STEPS, DIM), 7.0, "float32")
        assert (array(adapted(x)(x)) == 0).all()

    @pytest.mark.parametrize("invert", [False, True])
    def test_changes_nothing_before_it_is_adapted(self, invert):
        x = inputs()
        assert (array(make(invert=invert)(x)) == x).all()

    @pytest.mark.parametrize(
        "of", ["array", "tensor", "list", "generator", "pairs", "tensors", "sequence"]
    )
    @pytest.mark.parametrize("axis", [-1, (1, 2), None])
    def test_adapts_to_data(self, axis, of):
        x = inputs(batch=9)
        batches = [x[:1], x[1:4], x[4:]]
        data = {
            "array": x,
            "tensor": ops.convert_to_tensor(x),
            "list": batches,
            "generator": iter(batches),
            "pairs": [(batch, batch + 100) for batch in batches],
            "tensors": [ops.convert_to_tensor(batch) for batch in batches],
            "sequence": Batches(x),
        }
        assert_adapted(adapted(data[of], axis=axis), statistics(x, axis))

    @pytest.mark.parametrize("pairs", [False, True])
    def test_adapts_to_a_tf_dataset(self, pairs):
        tf, x = pytest.importorskip("tensorflow"), inputs()
        data = tf.data.Dataset.from_tensor_slices((x, x + 100) if pairs else x)
        assert_adapted(adapted(data.batch(4)), statistics(x))
        assert_adapted(adapted(data.unbatch(), axis=1), statistics(x.reshape(-1, DIM)))

    def test_adapt_replaces_previous_statistics(self):
        layer = adapted(inputs() + 50)
        layer.adapt(inputs())
        assert_adapted(layer, statistics(inputs()))

    def test_values_far_from_zero_are_precise(self):
        x = inputs() + 10_000
        assert_adapted(adapted([x[:2], x[2:]]), statistics(x))

    @pytest.mark.parametrize(
        ("data", "error", "message"),
        [
            ([], ValueError, "must not be empty"),
            ([np.ones((2, DIM)), np.ones((2, 1))], ValueError, "must have the sizes"),
            (5, TypeError, "must be an array"),
            ([[1.0, 2.0]], TypeError, "must contain arrays"),
        ],
    )
    def test_refuses_other_data(self, data, error, message):
        with pytest.raises(error, match=f"^`data` {message}"):
            make().adapt(data)

    def test_adapt_fails_with_a_given_mean(self):
        with pytest.raises(AttributeError, match="adapt_mean"):
            make(mean=0.0, variance=1.0).adapt(inputs())


class TestShapes:
    @pytest.mark.parametrize("shape", [(None, DIM), (None, None, DIM), (2, 3, 4, DIM)])
    def test_static_shape_is_correct(self, shape):
        assert make().compute_output_shape(shape) == shape
        assert make()(keras.KerasTensor(shape)).shape == shape
        real = tuple(2 if size is None else size for size in shape)
        assert make()(np.zeros(real, "float32")).shape == real

    def test_accepts_more_axes_than_it_was_adapted_to(self):
        x = inputs()
        expected = reference(x, *statistics(x[:, 0]))
        assert_close(array(adapted(x[:, 0])(x)), expected, tolerance=1e-4)

    @pytest.mark.parametrize("axis", [3, (-1, -4)])
    def test_refuses_an_axis_out_of_range(self, axis):
        with pytest.raises(ValueError, match=r"^`axis` must be axes of the input"):
            make(axis=axis).build((BATCH, STEPS, DIM))

    def test_refuses_unknown_sizes(self):
        make(axis=2).build((BATCH, None, DIM))
        with pytest.raises(ValueError, match=r"^The sizes along `axis` must be known"):
            make(axis=(1, 2)).build((BATCH, None, DIM))

    @pytest.mark.parametrize("size", [1, DIM + 1])
    def test_refuses_a_mean_of_incompatible_shape(self, size):
        layer = make(mean=np.zeros(DIM), variance=np.ones(DIM))
        with pytest.raises(ValueError, match="broadcast"):
            layer.build((BATCH, STEPS, size))


class TestWeights:
    @pytest.mark.parametrize(
        ("axis", "shape"), [(-1, (DIM,)), ((2, 1), (STEPS, DIM)), (None, ())]
    )
    def test_names_shapes_and_initial_values(self, axis, shape):
        layer = make(axis=axis)
        layer.build((None, STEPS, DIM))
        assert [(weight.name, weight.shape) for weight in layer.weights] == [
            ("mean", shape),
            ("variance", shape),
            ("count", ()),
        ]
        assert layer.trainable_weights == []
        mean, variance, count = layer.get_weights()
        assert (mean == 0).all()
        assert (variance == 1).all()
        assert (count, count.dtype.kind) == (0, "i")


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [
            *inspect.signature(MyStandardization).parameters
        ]
        layer = MyStandardization(
            **CHANGED, name="mine", dtype="bfloat16", trainable=False
        )
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyStandardization"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyStandardization
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            name = KEPT_AS.get(name, name)
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyStandardization()
        for name, value in DEFAULTS.items():
            assert described(CHANGED[name]) != described(value)
            name = KEPT_AS.get(name, name)
            assert described(getattr(layer, name)) == described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "mean": np.float32(CHANGED["mean"]),
            "variance": np.float32(CHANGED["variance"]),
        }
        layer = MyStandardization(**{**CHANGED, **numbers})
        json.dumps(layer.get_config())
        for name, value in numbers.items():
            name = KEPT_AS.get(name, name)
            assert np.array_equal(getattr(layer, name), value)

    @pytest.mark.parametrize(
        ("axis", "kept"), [(None, ()), (1, (1,)), ([2, 1], (2, 1))]
    )
    def test_axis_is_stored_as_a_tuple(self, axis, kept):
        assert make(axis=axis).axis == kept

    @pytest.mark.parametrize("axis", [1.5, "1", [1, 2.0], {1}])
    def test_refuses_other_axes(self, axis):
        with pytest.raises(TypeError, match=r"^`axis` must be an int, a list or tuple"):
            make(axis=axis)

    def test_arrays_are_saved_as_plain_data(self):
        mean = np.arange(DIM, dtype="float32")
        config = make(mean=mean, variance=ops.convert_to_tensor(mean + 1)).get_config()
        assert config["mean"] == [0, 1, 2, 3, 4]
        assert config["variance"] == [1, 2, 3, 4, 5]
        twin = MyStandardization.from_config(json.loads(json.dumps(config)))
        assert_close(array(twin(inputs())), reference(inputs(), mean, mean + 1))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"mean": 1.0}, "`mean` and `variance` must be given together"),
            ({"variance": 1.0}, "`mean` and `variance` must be given together"),
            (
                {"mean": [1.0], "variance": [1.0, 2.0]},
                "`mean` and `variance` must have the same shape",
            ),
            ({"mean": [[1.0]], "variance": [[1.0]]}, "`mean` must not have more axes"),
        ],
    )
    def test_refuses_inconsistent_mean_and_variance(self, arguments, message):
        with pytest.raises(ValueError, match=f"^{message}"):
            make(**arguments)


class TestKeras:
    @pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "bfloat16"])
    def test_dtype_policy(self, policy):
        layer, x = adapted(inputs(), dtype=policy), inputs()
        y = layer(x)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert {weight.dtype for weight in layer.weights[:2]} == {layer.variable_dtype}
        y = array(ops.cast(y, "float32"))
        assert_close(y, reference(x, *statistics(x)), tolerance=0.05)

    def test_mixed_precision_rounds_inputs_and_outputs_only(self):
        layer, x = adapted(inputs() + 1000, dtype="mixed_bfloat16"), inputs() + 1000
        y = array(ops.cast(layer(x), "float32"))
        rounded = array(ops.cast(ops.cast(x, "bfloat16"), "float32"))
        assert_close(y, reference(rounded, *statistics(x)), tolerance=0.02)

    def test_variance_may_exceed_float16(self):
        x = 1000 * inputs()
        y = array(ops.cast(adapted(x, dtype="mixed_float16")(x), "float32"))
        assert_close(y, reference(x, *statistics(x)), tolerance=0.02)

    def test_accepts_integers(self):
        x = np.arange(BATCH * STEPS * DIM, dtype="int32").reshape(BATCH, STEPS, DIM)
        y = adapted(x)(x)
        assert keras.backend.standardize_dtype(y.dtype) == "float32"
        assert_close(array(y), reference(x, *statistics(x)))

    def test_adapt_affects_a_compiled_model(self):
        x, layer = inputs(), make()
        model = keras.Sequential([keras.Input(x.shape[1:]), layer])
        assert_close(model.predict(x, verbose=0), x)
        layer.adapt(x)
        expected = reference(x, *statistics(x))
        assert_close(model.predict(x, verbose=0), expected, tolerance=1e-4)

    def test_propagates_masks(self):
        model, x = keras.Sequential([keras.layers.Masking(), make()]), inputs()
        x[:, -1] = 0
        mask = array(model(x)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)
        mean, variance = statistics(x, axis=(1, 2))
        y = np.sin(reference(x, mean, variance).sum(axis=(1, 2)))
        model = keras.Sequential(
            [
                adapted(x, axis=(1, 2)),
                make(mean=0.5, variance=2.0),
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
        if keras.backend.backend() == "tensorflow":
            model.jit_compile = True  # As "auto" would on a GPU.
            model.make_train_function(force=True)
            assert np.isfinite(model.train_on_batch(x, y)).all()
        after = model.get_weights()
        learned = [(old != new).any() for old, new in zip(before, after, strict=True)]
        assert (
            learned == [False] * 3 + [True] * 4
        )  # Training does not change the statistics.

        model.save(tmp_path / "model.keras")
        np.save(tmp_path / "x.npy", x)
        script = (
            f"import keras, numpy as np, {MyStandardization.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyStandardization.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
