"""Tests for `CustomDense`: what it shares with its base, and what it adds.

`KERAS_BACKEND=jax pytest` selects another backend than the default.
"""

import doctest
import inspect
import sys

import keras
import numpy as np
import pytest
from keras import ops

from custom_dense import CustomDense

# A value other than the default for every argument that the base does not have.
CHANGED = {
    "gain": 0.5,
    "mode": "mean",
}
DEFAULTS = {
    "gain": 1.0,
    "mode": "sum",
}
REFUSED = {
    "gain": [0.0, "1.0", None],
    "mode": ["sum-mean", None],
}


def make(cls, **more):
    """Create a layer of the class, always from the same seed."""
    keras.utils.set_random_seed(0)
    return cls(units=4, **more)


def inputs():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(2, 8)).astype("float32")]


def called(layer, **more):
    """The outputs of a call, always with the same random draws."""
    keras.utils.set_random_seed(0)
    return arrays(layer(*inputs(), **more))


def arrays(outputs):
    return [ops.convert_to_numpy(one) for one in keras.tree.flatten(outputs)]


def assert_same(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("training", [False, True])
def test_equals_its_base_until_changed(training):
    layer = make(CustomDense)
    base = make(keras.layers.Dense, activation="relu")
    assert_same(called(layer, training=training), called(base, training=training))
    assert [(w.name, w.trainable) for w in layer.weights] == [
        (w.name, w.trainable) for w in base.weights
    ]
    assert_same(layer.get_weights(), base.get_weights())


def test_passes_on_the_arguments_of_call(monkeypatch):
    layer, got = make(CustomDense), {}
    signature = inspect.signature(keras.layers.Dense.call)

    def record(self, *args, **kwargs):
        got.update(signature.bind(self, *args, **kwargs).arguments)

    monkeypatch.setattr(keras.layers.Dense, "call", record)
    given = {name: object() for name in ["training"]}
    CustomDense.call(layer, *inputs(), **given)
    assert given.items() <= got.items()


def test_defaults():
    layer = CustomDense()
    for name, value in DEFAULTS.items():
        assert described(getattr(layer, name)) == described(value)
        assert described(CHANGED[name]) != described(value)
    base = keras.layers.Dense(units=64, activation="relu")
    for name in ["units", "activation"]:
        assert layer.get_config()[name] == base.get_config()[name]


def test_is_restored_from_a_file(tmp_path):
    layer = make(CustomDense, **CHANGED)
    symbols = keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype.name), inputs()
    )
    model = keras.Model(symbols, layer(*symbols))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    twin = loaded.get_layer(layer.name)
    assert type(twin) is CustomDense
    assert keras.saving.get_registered_name(CustomDense) == "golden>CustomDense"
    assert twin.get_config().keys() == layer.get_config().keys()
    for name, value in CHANGED.items():
        assert getattr(layer, name) == value
        assert described(getattr(twin, name)) == described(value)
    assert_same(
        arrays(loaded(inputs(), training=False)),
        arrays(model(inputs(), training=False)),
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in REFUSED.items() for value in values],
)
def test_refuses_bad_arguments(name, value):
    with pytest.raises(ValueError, match=f"^`{name}` must be"):
        make(CustomDense, **{name: value})


def test_docstring_example():
    examples = doctest.testmod(sys.modules[CustomDense.__module__])
    assert examples.attempted > 0
    assert examples.failed == 0


def described(value):
    """Return `value` in a comparable form: a Keras object as its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value
