"""What `CustomConv2D` shares with its base, and what it adds.

`KERAS_BACKEND=jax pytest` runs it on another one than Keras's default.
"""

import doctest
import inspect
import sys

import keras
import numpy as np
import pytest
from keras import ops

from custom_conv2d import CustomConv2D

# A value other than the default for every argument that the base has not.
CHANGED = {
    "gain": 0.5,
}
DEFAULTS = {
    "gain": 1.0,
}
REFUSED = {
    "gain": [0.0, "1.0", None],
}


def arguments():
    return {
        "filters": 4,
        "kernel_size": 3,
    }


def make(**changed):
    return CustomConv2D(**{**arguments(), **changed})


def inputs():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(2, 8, 10, 3)).astype("float32")]


def called(layer, **more):
    """The outputs of a call with the same draws each time, as a list of arrays."""
    keras.utils.set_random_seed(0)
    outputs = layer(*inputs(), **more)
    return [ops.convert_to_numpy(one) for one in keras.tree.flatten(outputs)]


def pair():
    """The layer and its base from the same seed."""
    keras.utils.set_random_seed(0)
    layer = make()
    keras.utils.set_random_seed(0)
    return layer, keras.layers.Conv2D(**arguments())


def assert_same(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other)


class ArgumentsError(Exception):
    """Ends a method of the base; it carries what that got, by name."""


def stop_at(method, monkeypatch):
    """End a method of the base at once; an object for each argument with a default."""
    signature = inspect.signature(getattr(keras.layers.Conv2D, method))

    def stop(self, *args, **kwargs):
        raise ArgumentsError(signature.bind(self, *args, **kwargs).arguments)

    monkeypatch.setattr(keras.layers.Conv2D, method, stop)
    parameters = signature.parameters.values()
    return {one.name: object() for one in parameters if one.default is not one.empty}


class TestBase:
    """Until its own attributes do something, it equals the base."""

    def test_gives_the_same(self):
        layer, base = pair()
        assert_same(called(layer), called(base))

    def test_has_the_same_weights(self):
        layer, base = pair()
        called(layer)
        called(base)
        assert [w.name for w in layer.weights] == [w.name for w in base.weights]
        assert [w.trainable for w in layer.weights] == [
            w.trainable for w in base.weights
        ]
        assert_same(layer.get_weights(), base.get_weights())

    def test_static_shapes_are_the_same(self):
        layer, base = pair()
        shapes = [keras.tree.map_structure(np.shape, x) for x in inputs()]
        called(layer)
        called(base)
        assert layer.compute_output_shape(*shapes) == base.compute_output_shape(*shapes)

    def test_takes_the_same_arguments(self):
        mine = inspect.signature(CustomConv2D).parameters
        theirs = inspect.signature(keras.layers.Conv2D).parameters
        *names, kwargs = theirs
        assert [*mine] == [*names, *CHANGED, kwargs]
        for name in theirs:
            assert mine[name].default == theirs[name].default

    def test_hands_on_what_its_constructor_gets(self, monkeypatch):
        given = stop_at("__init__", monkeypatch)
        with pytest.raises(ArgumentsError) as got:
            make(**given)
        assert given.items() <= got.value.args[0].items()


class TestConfig:
    def test_every_argument_survives(self):
        layer = make(**CHANGED, name="mine")
        config = keras.saving.serialize_keras_object(layer)
        assert config["registered_name"] == "examples>CustomConv2D"
        twin = keras.saving.deserialize_keras_object(config)
        assert type(twin) is CustomConv2D
        assert twin.name == "mine"
        for name, value in CHANGED.items():
            assert getattr(layer, name) == value
            assert described(getattr(twin, name)) == described(value)

    def test_the_twin_gives_the_same(self):
        layer = make()
        twin = keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(layer)
        )
        called(layer)
        called(twin)
        twin.set_weights(layer.get_weights())
        for one, other in zip(layer.variables, twin.variables, strict=True):
            other.assign(one)
        assert_same(called(twin), called(layer))

    def test_defaults(self):
        layer = make()
        for name, value in DEFAULTS.items():
            assert described(getattr(layer, name)) == described(value)
            assert described(CHANGED[name]) != described(value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [(name, value) for name, values in REFUSED.items() for value in values],
    )
    def test_refuses_bad_arguments(self, name, value):
        with pytest.raises(ValueError, match=f"^`{name}` must be"):
            make(**{name: value})


def test_the_example_of_the_docstring():
    examples = doctest.testmod(sys.modules[CustomConv2D.__module__])
    assert examples.attempted > 0
    assert examples.failed == 0


def described(value):
    """What can be compared of an attribute: a Keras object by its type and config."""
    return (type(value), value.get_config()) if hasattr(value, "get_config") else value
