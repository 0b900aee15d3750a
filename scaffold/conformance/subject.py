"""What a check gets: a factory of new layers, the data to call them with, the source."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from scaffold.cases import Case, Input, inputs_of, map_inputs
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.signature import constructor_parameters
from scaffold.conformance.source import Source


class Fresh(Protocol):
    """Another process, which shares no state with this one."""

    folder: Path

    def predict(self, subject: Subject, model: Path) -> list[Any]:
        """Return the outputs of a saved model there for the subject's inputs."""
        ...


class Subject:
    """One class in one case.

    Args:
        cls: The class, for its signature and its source.
        case: What it is checked with.
        fresh: The other process, in which saved models must load. `exchange` is the folder in
            which backends store what they computed, if more than one is checked.
        factory: Makes an instance from keyword arguments; the class itself if omitted.
    """

    def __init__(
        self,
        cls: Any,
        case: Case,
        fresh: Fresh | None = None,
        factory: Callable[..., Any] | None = None,
    ) -> None:
        self.cls = cls
        self.case = case
        self.fresh = fresh
        self.exchange: Path | None = None
        self.source = Source(cls)
        self._factory = factory or cls

    @property
    def name(self) -> str:
        """The class as it is imported, `module:Class`."""
        return f"{self.cls.__module__}:{self.cls.__qualname__}"

    @property
    def is_model(self) -> bool:
        return issubclass(self.cls, keras.Model)

    @property
    def is_built_in(self) -> bool:
        """Whether the class belongs to Keras or KerasHub, and needs no registration."""
        return self.cls.__module__.partition(".")[0] in ("keras", "keras_hub")

    @property
    def backend(self) -> str:
        return str(keras.backend.backend())

    @cached_property
    def parameters(self) -> dict[str, inspect.Parameter]:
        """The named parameters of the constructor, without `self`.

        `*args` and `**kwargs` are replaced by the base's parameters.
        """
        return constructor_parameters(self.cls)

    @cached_property
    def call_parameters(self) -> dict[str, inspect.Parameter]:
        """The parameters of `call`, without `self`."""
        return dict(list(inspect.signature(self.cls.call).parameters.items())[1:])

    def like(self, **changes: Any) -> Subject:
        """Return the same class in a case with these changes."""
        return Subject(self.cls, replace(self.case, **changes), self.fresh, self._factory)

    def make(self, **overrides: Any) -> Any:
        """Return a new instance with the case's arguments, except for `overrides`."""
        return self._factory(**{**fresh_arguments(self.case.args), **overrides})

    def build(self, **overrides: Any) -> Any:
        """Return a new instance that was called once on the case's inputs."""
        layer = self.make(**overrides)
        self.call(layer)
        return layer

    @cached_property
    def shared(self) -> Any:
        """A built instance that checks only read or call at inference: don't change it."""
        return self.build()

    def data(self, batch: int | None = None, seed: int = 0) -> Data:
        """Return values for the inputs: seeded, signed, with zeros and some large values.

        Args:
            batch: Batch size, if different from the case's.
            seed: Random seed.
        """
        random = np.random.default_rng(seed)

        def values(described: Input) -> Any:
            return _values(described, batch, random)

        return Data(map_inputs(values, self.case.inputs), map_inputs(values, dict(self.case.call)))

    def call(self, layer: Any, data: Data | None = None, training: bool | None = None) -> Any:
        """Call `layer` on `data`; return tensors in the structure it returns."""
        given = self.tensors(data or self.data())
        context = {} if training is None else {"training": training}
        return layer(given.inputs, **given.call, **context)

    def tensors(self, data: Data) -> Data:
        """Return `data` as tensors, with the masks that the case asks for."""
        further = {
            name: self._tensors(value, self.case.call[name]) for name, value in data.call.items()
        }
        return Data(self._tensors(data.inputs, self.case.inputs), further)

    def outputs(self, layer: Any, data: Data | None = None, training: bool | None = False) -> Any:
        """Call `layer`; return a flat list of NumPy arrays, 16-bit floats widened to float32."""
        return arrays(self.call(layer, data, training))

    def symbolic(self, batch: int | None = None, free: bool = False) -> Data:
        """Return symbolic inputs.

        Args:
            batch: Batch size; unknown if `None`.
            free: Whether to leave every axis between the batch and the last one unknown, too.
        """

        def tensor(described: Input) -> Any:
            axes: tuple[int | None, ...] = described.shape[1:]
            if free and len(axes) > 1:
                axes = (*[None] * (len(axes) - 1), axes[-1])
            return keras.Input(batch_shape=(batch, *axes), dtype=described.dtype)

        return Data(map_inputs(tensor, self.case.inputs), map_inputs(tensor, dict(self.case.call)))

    def functional(self, layer: Any, batch: int | None = None) -> Any:
        """Return a Functional model that consists of `layer` alone."""
        symbols = self.symbolic(batch)
        outputs = self.call_symbolic(layer, symbols)
        return keras.Model(symbols.tensors(), outputs)

    def call_symbolic(self, layer: Any, symbols: Data) -> Any:
        """Return the symbolic outputs of `layer` for symbolic inputs."""
        return layer(symbols.inputs, **symbols.call)

    @property
    def shapes(self) -> dict[str, Any]:
        """The arguments of `build`: the shape of the inputs, or of each argument of `call`."""
        if not inputs_of(self.case.call):
            return {"input_shape": map_inputs(lambda i: i.shape, self.case.inputs)}
        first = next(iter(self.call_parameters))
        named = {first: self.case.inputs, **self.case.call}
        return {
            f"{name}_shape": map_inputs(lambda i: i.shape, value)
            for name, value in named.items()
            if inputs_of(value)
        }

    def build_alone(self, layer: Any) -> None:
        """Build a layer as another layer builds it: from shapes, without a call."""
        shapes = self.shapes
        names = list(inspect.signature(layer.build).parameters)
        if 1 in (len(names), len(shapes)):
            layer.build(next(iter(shapes.values())))
        else:
            layer.build(**{name: shape for name, shape in shapes.items() if name in names})

    @property
    def has_float_inputs(self) -> bool:
        return all(described.is_float for described in self.all_inputs)

    @property
    def batch(self) -> int | None:
        """The batch size; `None` if the inputs don't share one."""
        sizes = {described.shape[0] for described in self.all_inputs}
        return sizes.pop() if len(sizes) == 1 else None

    @property
    def all_inputs(self) -> list[Input]:
        """The inputs of all arguments of `call`."""
        return inputs_of([self.case.inputs, dict(self.case.call)])

    def _tensors(self, values: Any, described: Any) -> Any:
        """Return `values` as tensors, with masks attached as Keras propagates them."""
        if isinstance(described, Input):
            if described.dtype == "string" and self.backend != "tensorflow":
                return values  # The other backends have no string tensors
            tensor = keras.ops.convert_to_tensor(values)
            return _masked(tensor) if described.mask else tensor
        if isinstance(described, Mapping):
            return {name: self._tensors(values[name], described[name]) for name in described}
        if isinstance(described, list | tuple):
            pairs = zip(values, described, strict=True)
            return type(described)(self._tensors(value, part) for value, part in pairs)
        return values


class Data:
    """Values, or symbolic tensors, for a call.

    Args:
        inputs: First argument of `call`.
        call: Its other arguments.
    """

    def __init__(self, inputs: Any, call: Mapping[str, Any]) -> None:
        self.inputs = inputs
        self.call = dict(call)

    def tensors(self) -> list[Any]:
        """Return all tensors or arrays, flat, without other values."""
        return [leaf for leaf in keras.tree.flatten([self.inputs, self.call]) if _is_tensor(leaf)]

    def map(self, use: Callable[[Any], Any]) -> Data:
        """Return a copy with `use` applied to each array or tensor."""

        def replaced(leaf: Any) -> Any:
            return use(leaf) if _is_tensor(leaf) else leaf

        return Data(
            keras.tree.map_structure(replaced, self.inputs),
            keras.tree.map_structure(replaced, self.call),
        )

    def filled(self, tensors: Iterable[Any]) -> Data:
        """Return a copy with these in place of its own `tensors()`, in the same order."""
        rest, both = iter(tensors), [self.inputs, self.call]
        leaves = [next(rest) if _is_tensor(leaf) else leaf for leaf in keras.tree.flatten(both)]
        return Data(*keras.tree.pack_sequence_as(both, leaves))


def _is_tensor(leaf: Any) -> bool:
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype")


def arrays(structure: Any) -> list[Any]:
    """Return the tensors of a structure as NumPy arrays, 16-bit floats widened to float32."""
    return [_array(leaf) for leaf in keras.tree.flatten(structure) if leaf is not None]


def _array(tensor: Any) -> Any:
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    if dtype in ("bfloat16", "float16"):
        tensor = keras.ops.cast(tensor, "float32")
    return keras.ops.convert_to_numpy(tensor)


def differ(first: list[Any], second: list[Any], tolerance: float = 1e-4) -> str:
    """Return how two lists of arrays differ, as a phrase; empty if equal up to rounding."""
    if len(first) != len(second):
        return f"{len(second)} tensors instead of {len(first)}"
    for one, other in zip(first, second, strict=True):
        if one.shape != other.shape:
            return f"shape {other.shape} instead of {one.shape}"
        if one.dtype.kind not in "fiub":
            if not np.array_equal(one, other):
                return "different values"
            continue
        wide, far = one.astype("float64"), other.astype("float64")
        if not np.array_equal(np.isfinite(wide), np.isfinite(far)):
            return "NaN or infinity in different positions"
        finite = np.isfinite(wide)
        gap = np.abs(wide - far)[finite].max(initial=0.0)
        if gap > tolerance * (1 + np.abs(wide)[finite].max(initial=0.0)):
            return f"values that differ by up to {gap:.2g}"
    return ""


def same_state(layer: Any, other: Any) -> None:
    """Copy the values of all variables of `layer` to `other`, including random generators."""
    for variable, theirs in zip(layer.variables, other.variables, strict=True):
        theirs.assign(variable)


def fresh_arguments(value: Any) -> Any:
    """Return the arguments of a case, with a new object for each Keras object."""
    match value:
        case str() if value.startswith("keras."):
            return eval(value, {"keras": keras})  # noqa: S307 - the user's own command line
        case Mapping():
            return {name: fresh_arguments(part) for name, part in value.items()}
        case list() | tuple():
            return type(value)(fresh_arguments(part) for part in value)
    if isinstance(value, keras.layers.Layer):
        return type(value).from_config(value.get_config())
    return value


def _values(described: Input, batch: int | None, random: Any) -> Any:
    shape = (batch or described.shape[0], *described.shape[1:])
    if described.dtype == "bool":
        return random.random(shape) < 0.5
    if described.dtype == "string":
        return random.choice(["red", "green", "blue"], shape)
    if not described.is_float:
        low = int(described.low or 0)
        return random.integers(low, int(described.high or low + 2), shape).astype(described.dtype)
    if described.high is not None:
        return random.uniform(described.low or 0.0, described.high, shape).astype(described.dtype)
    values = random.normal(size=shape)
    values[random.random(shape) < 0.1] = 0.0
    values[random.random(shape) < 0.05] *= 10.0
    dtype = "float32" if described.dtype == "bfloat16" else described.dtype
    return values.astype(dtype)


def _masked(tensor: Any) -> Any:
    """Return `tensor` with a mask: the last third of every second sequence is padding."""

    class _Mark(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, mask: Any) -> None:
            super().__init__(dtype=tensor.dtype, name="mark")
            self.mask = mask

        def call(self, inputs: Any) -> Any:
            return keras.ops.copy(inputs)

        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            return self.mask

    return _Mark(keras.ops.convert_to_tensor(padding_mask(tensor.shape)))(tensor)


def padding_mask(shape: tuple[int, ...]) -> Any:
    """Return the mask of valid steps: all but the last third of every second sequence."""
    mask = np.ones(tuple(shape[:2]), dtype=bool)
    mask[1::2, -(max(1, shape[1] // 3)) :] = False
    return mask
