"""Tests for `MyConcatenate`, on any Keras backend.

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

from my_concatenate import MyConcatenate

# Keras's Torch backend triggers this deprecation warning of NumPy 2.
pytestmark = pytest.mark.filterwarnings(
    "error", "ignore:__array__ implementation:DeprecationWarning:keras"
)

BATCH, STEPS, DIM = 4, 3, 5

# Compatible input shapes with their output shapes, and incompatible ones.
SHAPES = [
    ([(None, 3, 5), (None, 3, 2)], (None, 3, 7)),
    ([(3, None, 5), (None, 3, 2)], (3, 3, 7)),
    ([(None, None), (None, 5)], (None, None)),
    ([(2, 5), (2, 5), (2, 1)], (2, 11)),
]
MISMATCHES = [
    [(2, 3, 5), (2, 4, 5)],
    [(2, 3, 5), (3, 3, 5)],
    [(2, 5), (2, 5, 5)],
    [],
    (2, 3, 5),
]

# A value other than the default for every constructor argument.
CHANGED = {
    "axis": 1,
}
DEFAULTS = {
    "axis": -1,
}
REFUSED = {
    "axis": [2.5, True, "2", None],
}


@pytest.fixture(autouse=True)
def same_start():
    """Start every test from the same seed."""
    keras.utils.set_random_seed(0)


def make(**arguments):
    return MyConcatenate(**arguments)


def as_dict(parts):
    """The parts as a dict in reverse order, whose sorted keys restore the order."""
    return {"abc"[i]: parts[i] for i in reversed(range(len(parts)))}


each_structure = pytest.mark.parametrize("structure", [list, as_dict])


def inputs(batch=BATCH):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(batch, STEPS, DIM)).astype("float32") for _ in range(3)]


def masks():
    """Masks of three inputs, with every combination at some step."""
    return [
        np.arange(BATCH * STEPS).reshape(BATCH, STEPS) // 2**i % 2 == 1
        for i in range(3)
    ]


def reference(parts, axis=-1):
    """The formula, one input at a time."""
    axis %= parts[0].ndim
    shape = [*parts[0].shape]
    shape[axis] = sum(part.shape[axis] for part in parts)
    outputs, first = np.full(shape, np.nan), 0
    for part in parts:
        index = [slice(None)] * part.ndim
        index[axis] = slice(first, first + part.shape[axis])
        outputs[*index] = part
        first += part.shape[axis]
    return outputs


def array(tensor):
    return ops.convert_to_numpy(tensor)


def assert_close(actual, expected, tolerance=1e-5):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value


class TestValues:
    @each_structure
    def test_equals_the_formula(self, structure):
        layer, parts = make(), inputs()
        y = array(layer(structure(parts)))
        assert_close(y, reference(parts))
        assert_close(array(layer(structure(parts))), y)

    @pytest.mark.parametrize("axis", [-1, 1, 2, -2])
    def test_along_any_axis(self, axis):
        a, b, _ = inputs()
        b = b[:, :, :2] if axis in (-1, 2) else b[:, :2]
        y = make(axis=axis)([a, b, b])
        assert_close(array(y), reference([a, b, b], axis))

    @pytest.mark.parametrize("axis", [3, -4])
    def test_refuses_an_axis_out_of_range(self, axis):
        layer, shapes = make(axis=axis), [part.shape for part in inputs()]
        for refuses in (layer.compute_output_shape, layer.build):
            with pytest.raises(
                ValueError, match="`axis` must be an axis of the inputs"
            ):
                refuses(shapes)

    def test_one_input_is_enough(self):
        layer, (x, *_) = make(), inputs()
        y = array(layer([x]))
        assert_close(y, reference([x]))


class TestShapes:
    @each_structure
    @pytest.mark.parametrize(("shapes", "expected"), SHAPES)
    def test_static_shape_is_correct(self, shapes, expected, structure):
        tensors = structure([keras.KerasTensor(shape) for shape in shapes])
        assert make().compute_output_shape(structure(shapes)) == expected
        assert make()(tensors).shape == expected
        known = [tuple(size or 3 for size in shape) for shape in shapes]
        real = make()(structure([np.zeros(shape, "float32") for shape in known])).shape
        assert all(
            size in (None, actual) for size, actual in zip(expected, real, strict=True)
        )

    @pytest.mark.parametrize("shapes", MISMATCHES)
    def test_refuses_incompatible_shapes(self, shapes):
        for refuses in (make().compute_output_shape, make().build):
            with pytest.raises(ValueError, match=r"^The inputs .* Received: "):
                refuses(shapes)

    def test_refuses_a_single_tensor(self):
        layer, parts = make(), inputs()
        layer(parts)
        for one in (layer, make()):
            with pytest.raises(ValueError, match="must be a non-empty list or dict"):
                one(parts[0])


class TestWeights:
    def test_has_no_weights(self):
        layer = make()
        layer(inputs())
        assert layer.weights == []


class TestConfig:
    def test_every_argument_is_stored_and_saved(self):
        assert [*CHANGED, "kwargs"] == [*inspect.signature(MyConcatenate).parameters]
        layer = MyConcatenate(**CHANGED, name="mine", dtype="bfloat16", trainable=False)
        json.dumps(layer.get_config())  # Plain data only.
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
        assert config["registered_name"] == "golden>MyConcatenate"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is MyConcatenate
        assert twin.get_config() == layer.get_config()
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)
        assert (twin.name, twin.dtype, twin.trainable) == ("mine", "bfloat16", False)

    def test_defaults(self):
        layer = MyConcatenate()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    def test_converts_numpy_numbers_to_plain_ones(self):
        numbers = {
            "axis": np.int64(CHANGED["axis"]),
        }
        layer = MyConcatenate(**{**CHANGED, **numbers})
        json.dumps(layer.get_config())
        for name, value in numbers.items():
            assert np.array_equal(getattr(layer, name), value)

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
        layer, parts = make(dtype=policy), inputs()
        y = layer(parts)
        assert keras.backend.standardize_dtype(y.dtype) == layer.compute_dtype
        assert_close(array(ops.cast(y, "float32")), reference(parts), tolerance=0.05)

    @each_structure
    def test_masks(self, structure):
        layer, parts, (a, b, c) = make(), inputs(), masks()
        mask = layer.compute_mask(structure(parts), structure([a, b, c]))
        assert (array(mask) == a | b | c).all()
        assert layer.compute_mask(structure(parts)) is None
        assert layer.compute_mask(structure(parts), structure([None] * 3)) is None
        mask = layer.compute_mask(structure(parts), structure([a, None, c]))
        assert array(mask).all()
        mask = make(axis=1).compute_mask(structure(parts), structure([a, None, c]))
        assert (array(mask) == np.concatenate([a, a | True, c], axis=1)).all()

    def test_each_input_needs_a_mask_or_none(self):
        layer, parts, (a, b, _) = make(), inputs(), masks()
        with pytest.raises(ValueError, match="a mask or None for each"):
            layer.compute_mask(parts, [a, b])
        for given, mask in ((parts[0], [a, None]), (parts, a)):
            with pytest.raises(ValueError, match="must be a non-empty list or dict"):
                layer.compute_mask(given, mask)

    def test_propagates_masks(self):
        parts = inputs()
        parts[0][:, -1] = parts[1][:, -1] = parts[2][:, -1] = 0
        masked = [keras.layers.Masking()(part) for part in parts]
        mask = array(make()(masked)._keras_mask)
        assert mask[:, :-1].all()
        assert not mask[:, -1].any()

    def test_trains_and_reloads_in_a_fresh_process(self, tmp_path):
        x = inputs(batch=64)[0]
        y = np.sin(x.sum(axis=(1, 2)))
        first = keras.Input((STEPS, DIM))
        parts = {name: keras.layers.Dense(8, activation="tanh")(first) for name in "ab"}
        outputs = keras.layers.Dense(1)(keras.layers.Flatten()(make()(parts)))
        model = keras.Model(first, outputs)
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
            f"import keras, numpy as np, {MyConcatenate.__module__}\n"
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
        examples = doctest.testmod(sys.modules[MyConcatenate.__module__])
        assert examples.attempted > 0
        assert examples.failed == 0
