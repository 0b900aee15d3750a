"""Tests for `GatedLSTM`: what it shares with its base, and what it adds.

`KERAS_BACKEND=jax pytest` selects another backend than the default.
"""

import doctest
import inspect
import sys

import keras
import numpy as np
import pytest
from keras import ops

from gated_lstm import GatedLSTM


def make(cls, **more):
    """Create a layer of the class, always from the same seed."""
    keras.utils.set_random_seed(0)
    return cls(4, **more)


def inputs():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(2, 6, 5)).astype("float32")]


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
    layer = make(GatedLSTM)
    base = make(keras.layers.LSTM)
    assert_same(called(layer, training=training), called(base, training=training))
    assert [(w.name, w.trainable) for w in layer.weights] == [
        (w.name, w.trainable) for w in base.weights
    ]
    assert_same(layer.get_weights(), base.get_weights())


def test_passes_on_the_arguments_of_call(monkeypatch):
    layer, got = make(GatedLSTM), {}
    signature = inspect.signature(keras.layers.LSTM.call)

    def record(self, *args, **kwargs):
        got.update(signature.bind(self, *args, **kwargs).arguments)

    monkeypatch.setattr(keras.layers.LSTM, "call", record)
    given = {name: object() for name in ["initial_state", "mask", "training"]}
    GatedLSTM.call(layer, *inputs(), **given)
    assert given.items() <= got.items()


def test_is_restored_from_a_file(tmp_path):
    layer = make(GatedLSTM)
    symbols = keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype.name), inputs()
    )
    model = keras.Model(symbols, layer(*symbols))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    twin = loaded.get_layer(layer.name)
    assert type(twin) is GatedLSTM
    assert keras.saving.get_registered_name(GatedLSTM) == "golden>GatedLSTM"
    assert twin.get_config().keys() == layer.get_config().keys()
    assert_same(
        arrays(loaded(inputs(), training=False)),
        arrays(model(inputs(), training=False)),
    )


def test_docstring_example():
    examples = doctest.testmod(sys.modules[GatedLSTM.__module__])
    assert examples.attempted > 0
    assert examples.failed == 0
