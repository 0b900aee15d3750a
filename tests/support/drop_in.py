"""Our layers beside Keras's own, on the backend of this process: the same in all that is public.

Run for each backend by tests/templates/layer/test_drop_in.py.
"""

from __future__ import annotations

import importlib
import inspect
import random
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops, tree

from goldens import GOLDENS
from proofs import Call, DropIn, proofs

DROP_INS = {one.name: one for proof in proofs("layer").values() for one in proof.drop_ins}
CASES = [(name, seed) for name, one in DROP_INS.items() for seed in range(one.cases)]
each_drop_in = pytest.mark.parametrize("name", DROP_INS)


def pair(one: DropIn) -> tuple[Any, Any]:
    """Our class and Keras's."""
    folder = str(GOLDENS / one.golden)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    modules = [path.stem for path in (GOLDENS / one.golden).glob("*.py")]
    module = next(module for module in modules if not module.startswith("test_"))
    return getattr(importlib.import_module(module), one.name), getattr(keras.layers, one.builtin)


def outcome(act: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What comes of the call: its value, or the type of the error."""
    try:
        return act(*arguments, **keywords)
    except Exception as error:  # Backends have errors of their own, and those count too.
        return type(error)


def outcomes(layers: list[Any], act: Callable[[Any], Any]) -> tuple[Any, Any]:
    """What comes of the same with ours and with theirs; errors are of one type."""
    mine, theirs = (outcome(act, layer) for layer in layers)
    if isinstance(theirs, type) or isinstance(mine, type):
        assert mine is theirs
    return mine, theirs


@each_drop_in
def test_has_the_signature(name: str) -> None:
    one = DROP_INS[name]
    mine, theirs = pair(one)
    expected = inspect.signature(theirs).parameters
    found = inspect.signature(mine).parameters
    assert [str(parameter) for name, parameter in found.items() if name not in one.added] == [
        str(parameter) for name, parameter in expected.items() if name not in one.left_out
    ]


@pytest.mark.parametrize(("name", "seed"), CASES)
def test_does_the_same(name: str, seed: int) -> None:
    one = DROP_INS[name]
    drawn = one.draw(random.Random(seed))
    made = outcomes([*pair(one)], lambda cls: cls(**drawn.arguments))
    if isinstance(made[1], type):
        return
    layer, builtin = layers = [*made]
    config = layer.get_config()
    for key in builtin.get_config().keys() - {"name", *one.left_out}:
        assert config[key] == builtin.get_config()[key]
    assert_same_shapes(layers, drawn)
    if isinstance(outcomes(layers, lambda it: called(it, drawn))[1], type):
        return
    described = [[(w.path.split("/", 1)[-1], w.shape, w.dtype, w.trainable) for w in it.weights]
                 for it in layers]  # fmt: skip
    assert described[0] == described[1]
    assert len(layer.variables) == len(builtin.variables)
    layer.set_weights(builtin.get_weights())
    outputs, expected = (called(it, drawn) for it in layers)
    for y, z in zip(tree.flatten(outputs), tree.flatten(expected), strict=True):
        assert y.dtype == z.dtype
        assert_same_mask(y, z)
        assert_close(y, z, one, builtin)
    for mine, theirs in zip(layer.weights, builtin.weights, strict=True):
        if mine.name not in one.overwritten:
            np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)


@each_drop_in
def test_comes_from_a_config_of_the_built_in(name: str) -> None:
    one = DROP_INS[name]
    ours, theirs = pair(one)
    draws = map(one.draw, map(random.Random, range(one.cases)))
    drawn, builtin = next(
        (drawn, layer)
        for drawn in draws
        if not isinstance(layer := outcome(theirs, **drawn.arguments), type)
        and not isinstance(outcome(called, layer, drawn), type)
    )
    mine, his = (cls(**drawn.arguments, name="same").get_config() for cls in (ours, theirs))
    assert {**ours.from_config(his).get_config(), "dtype": None} == {**mine, "dtype": None}
    layer = ours.from_config(builtin.get_config())  # Once built, some hold other values.
    assert layer.name == builtin.name
    assert layer.dtype_policy == builtin.dtype_policy
    called(layer, drawn)
    layer.set_weights(builtin.get_weights())
    outputs, expected = (called(it, drawn) for it in (layer, builtin))
    for y, z in zip(tree.flatten(outputs), tree.flatten(expected), strict=True):
        assert_close(y, z, one, builtin)


def called(layer: Any, drawn: Call) -> Any:
    """The outputs of a call from the same seed."""
    keras.utils.set_random_seed(0)
    return layer(drawn.inputs, **drawn.call)


def assert_same_shapes(layers: list[Any], drawn: Call) -> None:
    """The static shapes are the same, with each axis unknown too that both can do without."""
    shapes = tree.map_structure(lambda array: array.shape, drawn.inputs)
    for axis in (None, *range(max(len(array.shape) for array in tree.flatten(drawn.inputs)))):
        known = tree.map_shape_structure(
            lambda shape, axis=axis: tuple(None if i == axis else n for i, n in enumerate(shape)),
            shapes,
        )
        mine, theirs = (outcome(layer.compute_output_shape, known) for layer in layers)
        if not isinstance(theirs, type):
            assert as_known(mine, theirs) == as_known(theirs, theirs)


def as_known(shape: Any, theirs: Any) -> Any:
    """A shape, or several, as tuples, without the sizes that the built-in does not know."""
    if isinstance(shape, list | tuple) and isinstance(theirs, list | tuple):
        return tuple(map(as_known, shape, theirs)) if len(shape) == len(theirs) else shape
    return shape if theirs is not None else None


def assert_same_mask(y: Any, z: Any) -> None:
    masks = [getattr(tensor, "_keras_mask", None) for tensor in (y, z)]
    if masks[1] is not None and len(masks[1].shape) == len(z.shape):
        return  # What a softmax inside has left on its scores: docs/keras-defects.md.
    assert (masks[0] is None) == (masks[1] is None)
    if masks[1] is not None:
        assert (ops.convert_to_numpy(masks[0]) == ops.convert_to_numpy(masks[1])).all()


def assert_close(y: Any, z: Any, one: DropIn, builtin: Any) -> None:
    narrow = builtin.compute_dtype in ("float16", "bfloat16")
    y, z = (ops.convert_to_numpy(ops.cast(tensor, "float32")) for tensor in (y, z))
    if not one.spoilt(builtin, z):
        tolerance = 0.03 if narrow else 1e-5
        np.testing.assert_allclose(y, z, rtol=tolerance, atol=tolerance)


@each_drop_in
def test_refuses_the_same(name: str) -> None:
    one = DROP_INS[name]
    for argument, values in one.refused.items():
        for bad in values:
            arguments = {**one.plain, argument: bad}
            mine, theirs = (outcome(cls, **arguments) for cls in pair(one))
            assert mine is theirs, (argument, bad)
            assert isinstance(mine, type), (argument, bad)
