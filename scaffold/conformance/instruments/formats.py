"""Compares data formats: the same image must give the same outputs, transposed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from scaffold.cases import Input, inputs_of
from scaffold.conformance.instruments.sizes import accepted
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.subject import Data, Subject, differ
from scaffold.conformance.unsupported import is_beyond_this_cpu, is_unsupported

LAST, FIRST = "channels_last", "channels_first"
# Factors by which the spatial axes are enlarged until no two axes are equal.
_GROWTHS = (
    *((1, 1, 1), (1, 2, 3), (2, 3, 4), (3, 2, 5)),
    *itertools.product(range(1, 6), repeat=4),
)


class Formats:
    """A class that takes `data_format`, in both formats.

    Args:
        subject: The class in a case.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def not_applicable(self) -> str:
        """Return why the formats of this class can't be compared; empty if they can."""
        case = self._subject.case
        if "data_format" not in self._subject.parameters:
            return "the constructor takes no `data_format`"
        if not isinstance(case.inputs, Input) or inputs_of(dict(case.call)):
            return "it takes more than one tensor"
        if len(case.inputs.shape) < 3 or not case.inputs.is_float:
            return "the input is not an image"
        if case.args.get("data_format", LAST) not in (LAST, FIRST):
            return "the case's `data_format` is neither of the two"
        if not accepted(self._make(LAST), self._wide[0]):
            return "it accepts only one image size"
        try:
            self._called(FIRST, self._wide[0])
        except Exception as error:
            if not is_unsupported(error) or is_beyond_this_cpu(error):
                raise
            return f"{self._subject.backend} lacks the operation here: {type(error).__name__}"
        return ""

    def problem(self) -> str:
        """Return how the outputs differ for images of two widths; empty if they agree for one.

        On TensorFlow, a bias is added along the width of a `channels_first` image that has as many
        columns as the bias has elements. That is a defect of Keras, at one width only: no layer is
        blamed for it.
        """
        narrow, wide = self._wide
        found = next(self._gaps(narrow), "")
        if found and accepted(self._make(LAST), wide):
            return next(self._gaps(wide), "")
        return ""

    def _make(self, data_format: str) -> Any:
        return self._subject.make(data_format=data_format)

    @cached_property
    def _wide(self) -> tuple[Subject, Subject]:
        """The class with `channels_last` images of two widths, each with all axes different."""
        grown = map(self._grown, _GROWTHS)
        uneven = (s for s in grown if len(set(_shape(s)[1:])) == len(_shape(s)) - 1)
        one = next(uneven)
        return one, next(s for s in uneven if _shape(s)[-2] != _shape(one)[-2])

    def _grown(self, by: tuple[int, ...]) -> Subject:
        described = self._subject.case.inputs
        shape = list(described.shape)
        if getattr(self._subject.shared, "data_format", LAST) == FIRST:
            shape.append(shape.pop(self._channels))
        sizes = [size * by[i % len(by)] for i, size in enumerate(shape[1:-1])]
        return self._subject.like(inputs=replace(described, shape=(shape[0], *sizes, shape[-1])))

    @cached_property
    def _channels(self) -> int:
        """The channel axis in `channels_first`: it comes after the steps of a video."""
        over_time = (keras.layers.RNN, keras.layers.TimeDistributed)
        layers = self._subject.shared._flatten_layers()
        return 2 if any(isinstance(layer, over_time) for layer in layers) else 1

    def _called(self, data_format: str, grown: Subject) -> Any:
        layer = self._make(data_format)
        grown.call(layer, self._data(data_format, grown))
        return layer

    def _data(self, data_format: str, grown: Subject) -> Data:
        data = grown.data()
        if data_format == LAST:
            return data
        return data.map(lambda array: np.moveaxis(array, -1, self._channels))

    def _gaps(self, grown: Subject) -> Iterator[str]:
        last, first = self._called(LAST, grown), self._called(FIRST, grown)
        wanted, got = _shapes(last), _shapes(first)
        if wanted != got:
            if sorted(map(sorted, wanted)) != sorted(map(sorted, got)):
                yield f"weights of shapes {got} instead of {wanted}"
            return
        _scatter(last)
        first.set_weights(last.get_weights())
        outputs = grown.outputs(last)
        others = grown.outputs(first, self._data(FIRST, grown))
        for output, other in zip(outputs, others, strict=True):
            gaps = [differ([output], [way]) for way in self._transposed(other)]
            if all(gaps):
                yield gaps[0]

    def _transposed(self, output: Any) -> list[Any]:
        """Return an output of `channels_first` in each layout that it may have."""
        if output.ndim < 3:
            return [output]
        if output.ndim == len(self._subject.case.inputs.shape):
            return [np.moveaxis(output, self._channels, -1)]
        return [np.moveaxis(output, 1, -1), np.moveaxis(output, 2, -1), output]


def _shape(subject: Subject) -> tuple[int, ...]:
    shape: tuple[int, ...] = subject.case.inputs.shape
    return shape


def _shapes(layer: Any) -> list[list[int]]:
    return [list(weight.shape) for weight in layer.weights]


def _scatter(layer: Any) -> None:
    """Give each weight distinct values, so that a bias of zeros hides nothing."""
    random = np.random.default_rng(0)
    for weight in layer.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            values = keras.ops.convert_to_numpy(keras.ops.cast(weight.value, "float32"))
            weight.assign(values + random.uniform(0.1, 0.5, values.shape).astype("float32"))
