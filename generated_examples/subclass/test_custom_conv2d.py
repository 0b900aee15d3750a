"""Tests for `CustomConv2D`: what it shares with its base, and what it adds.

`KERAS_BACKEND=jax pytest` selects another backend than the default.
"""

import doctest
import sys

import keras
import numpy as np
from keras import ops

from custom_conv2d import CustomConv2D


def make(cls, **more):
    """Create a layer of the class, always from the same seed."""
    keras.utils.set_random_seed(0)
    return cls(4, 3, **more)


def inputs():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(2, 8, 10, 3)).astype("float32")]


def called(layer, **more):
    """The outputs of a call, always with the same random draws."""
    keras.utils.set_random_seed(0)
    return arrays(layer(*inputs(), **more))


def arrays(outputs):
    return [ops.convert_to_numpy(one) for one in keras.tree.flatten(outputs)]


def assert_same(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_equals_its_base_until_changed():
    layer = make(CustomConv2D)
    base = make(keras.layers.Conv2D)
    assert_same(called(layer), called(base))
    assert [(w.name, w.trainable) for w in layer.weights] == [
        (w.name, w.trainable) for w in base.weights
    ]
    assert_same(layer.get_weights(), base.get_weights())


def test_is_restored_from_a_file(tmp_path):
    layer = make(CustomConv2D)
    symbols = keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype.name), inputs()
    )
    model = keras.Model(symbols, layer(*symbols))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    twin = loaded.get_layer(layer.name)
    assert type(twin) is CustomConv2D
    assert keras.saving.get_registered_name(CustomConv2D) == "examples>CustomConv2D"
    assert twin.get_config().keys() == layer.get_config().keys()
    assert_same(
        arrays(loaded(inputs(), training=False)),
        arrays(model(inputs(), training=False)),
    )


def test_docstring_example():
    examples = doctest.testmod(sys.modules[CustomConv2D.__module__])
    assert examples.attempted > 0
    assert examples.failed == 0
