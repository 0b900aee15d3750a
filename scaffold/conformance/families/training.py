"""Training: the layer and its sub-layers know whether they are in training."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.spying import Seen, files_of, spelled, spied, sublayers, takes
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject

_OTHER_NAMES = ("is_training", "is_train", "in_training", "train", "train_mode", "training_mode")


@register(needs=("runs",))
def training_argument(subject: Subject) -> Iterator[Finding]:
    """`call` gets the training flag in an argument named `training`.

    Keras looks for this name only in the signature of `call`. It never fills `is_training` or
    `train`, removes `training` from `**kwargs` before `call` sees them, and finds nothing behind a
    decorator that hides the signature. The layer then never trains: its noise is silently off in
    `fit`. In a model without the argument, all dropout is off and the statistics of batch
    normalization don't change.

    Fix: write `def call(self, inputs, training=None)`, and use `functools.wraps` in decorators.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Jitter(keras.layers.Layer):
              def __init__(self, stddev=0.1, **kwargs):
                  super().__init__(**kwargs)
                  self.stddev = stddev
                  self.seed_generator = keras.random.SeedGenerator()
                  self.supports_masking = True

        -     def call(self, inputs, is_training=False):
        -         if not is_training:
        +     def call(self, inputs, training=None):
        +         if not training:
                      return inputs
                  noise = keras.random.normal(
                      ops.shape(inputs),
                      stddev=self.stddev,
                      dtype=self.compute_dtype,
                      seed=self.seed_generator,
                  )
                  return inputs + noise

              def compute_output_shape(self, input_shape):
                  return input_shape

              def get_config(self):
                  return {**super().get_config(), "stddev": self.stddev}
    """
    if "training" in subject.call_parameters:
        return
    expected, where = "`training` among the arguments of `call`", subject.source.where("call")
    if other := [name for name in _OTHER_NAMES if name in subject.call_parameters]:
        yield Finding(expected, f"`{other[0]}`, which Keras never fills", where)
    elif node := _read_from_kwargs(subject):
        got = "a lookup in `**kwargs`, from which Keras removes it"
        yield Finding(expected, got, subject.source.at(node))
    elif _is_hidden(subject):
        shown = inspect.signature(subject.cls.call)
        yield Finding(expected, f"a decorator that shows Keras only `{shown}`", where)
    elif subject.is_model and (inner := _changed_by_training(subject.shared)):
        names = ", ".join(sorted({f"`{spelled(subject.shared, layer)}`" for layer in inner}))
        yield Finding(expected, f"none, so `fit` runs {names} in inference mode", where)


def _read_from_kwargs(subject: Subject) -> ast.AST | None:
    """Return where `call` reads `training` from its `**kwargs`."""
    method = subject.source.method("call")
    if method is None or method.args.kwarg is None:
        return None
    kwargs = method.args.kwarg.arg
    for node in ast.walk(method):
        match node:
            case (
                ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="get" | "pop"),
                    args=[ast.Constant(value="training"), *_],
                )
                | ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value="training"))
                | (
                    ast.Compare(
                        left=ast.Constant(value="training"), comparators=[ast.Name(id=name)]
                    )
                )
            ):
                if name == kwargs:
                    return node
    return None


def _is_hidden(subject: Subject) -> bool:
    """Return whether `call` has the argument in the source but not at run time."""
    method = subject.source.method("call")
    named = [*method.args.args, *method.args.kwonlyargs] if method else []
    return any(argument.arg == "training" for argument in named)


@register(
    needs=(
        "sublayers-tracked",
        "no-state-in-call",
        "training-argument",
    ),
    tag="fixed-training",
)
def training_reaches_sublayers(subject: Subject) -> Iterator[Finding]:
    """Each sub-layer is in training mode if, and only if, the layer is.

    If a sub-layer is called with a constant, or through its `call`, dropout does nothing in `fit`,
    or drops units in `predict`. Keras keeps one value of `training` for a whole call, so the
    constant also applies to every sub-layer called after it. A model has to pass `training` on
    itself: on JAX, `fit` calls its `call` without the context in which sub-layers would find it.

    Fix: pass it on, `self.drop(x, training=training)`. If a sub-layer is meant to stay in one
    mode, give the layer the tag `fixed-training`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Projection(keras.layers.Layer):
              def __init__(self, units=4, rate=0.5, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.rate = rate
                  self.supports_masking = True

              def build(self, input_shape):
                  self.drop = keras.layers.Dropout(self.rate, dtype=self.dtype_policy)
                  self.dense = keras.layers.Dense(self.units, dtype=self.dtype_policy)
                  self.drop.build(input_shape)
                  self.dense.build(input_shape)

              def call(self, inputs, training=None):
        -         return self.dense(self.drop.call(inputs))
        +         return self.dense(self.drop(inputs, training=training))

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)

              def get_config(self):
                  return {**super().get_config(), "units": self.units, "rate": self.rate}
    """
    layer = subject.build()
    if not _changed_by_training(layer):
        raise NotApplicable("it has no sub-layer that training affects")
    reported = set()
    for training, seen, context in _runs(subject, layer):
        for finding, inner in _wrong(layer, seen, training, context):
            if id(inner) not in reported:
                reported.add(id(inner))
                yield finding


def _runs(subject: Subject, layer: Any) -> Iterator[tuple[bool, list[Seen], str]]:
    """Yield, for each way to call the layer, if it trained, its sub-layers' calls, and the way."""
    files = files_of(subject.cls)
    takers = [inner for inner in sublayers(layer) if takes(inner, "training")]
    for training in (True, False):
        with spied(takers, files) as seen:
            subject.call(layer, training=training)
        yield training, seen, f"when the layer is called with training={training}"
    if _default(layer) is not True:
        with spied(takers, files) as seen:
            subject.call(layer)
        yield False, seen, "when the layer is called without `training`"
    if subject.is_model and takes(layer, "training"):
        with spied(takers, files) as seen:
            subject.call(layer.call, training=True)
        yield True, seen, "in `fit` on JAX, which doesn't pass it on by itself"


def _wrong(
    outer: Any, seen: Iterable[Seen], training: bool, context: str
) -> Iterator[tuple[Finding, Any]]:
    """Yield a finding for each call with the wrong value, and the sub-layer."""
    constant: Seen | None = None
    calls = [call for call in seen if bool(call.bound.arguments["training"]) != training]
    wrong = {id(call.layer) for call in calls}
    for call in calls:
        if call.spot is None or id(call.inside) in wrong or _is_own_default(call, context):
            continue
        value = call.bound.arguments["training"]
        explicit = "training" in call.spot.keywords
        if _reacts(call.layer):
            expected = f"`{spelled(outer, call.layer)}` to get training={training} {context}"
            got = f"training={value}" + _cause(outer, call, explicit, constant)
            yield Finding(expected, got, call.spot.where), call.layer
        constant = call if explicit and constant is None else constant


def _cause(outer: Any, call: Seen, explicit: bool, constant: Seen | None) -> str:
    if call.bypassed:
        return ": its `call` is called instead of the layer"
    if explicit or constant is None or constant.spot is None:
        return ""
    return f", as passed to `{spelled(outer, constant.layer)}` in line {constant.spot.lines[0]}"


def _is_own_default(call: Seen, context: str) -> bool:
    return context.endswith("without `training`") and _default(call.layer) is True


def _default(layer: Any) -> Any:
    parameter = inspect.signature(layer.call).parameters.get("training")
    return parameter.default if parameter else None


def _changed_by_training(layer: Any) -> list[Any]:
    """Return the sub-layers whose outputs or state differ in training."""
    return [inner for inner in sublayers(layer) if takes(inner, "training") and _reacts(inner)]


def _reacts(layer: Any) -> bool:
    """Return whether training affects a layer, as far as variables and classes tell."""
    return any(_reacts_itself(inner) for inner in [layer, *sublayers(layer)])


def _reacts_itself(layer: Any) -> bool:
    if not (takes(layer, "training") and layer.trainable):
        return False
    inside = sublayers(layer)
    inner_variables = {id(variable) for inner in inside for variable in inner.variables}
    own = [v for v in layer.non_trainable_variables if id(v) not in inner_variables]
    is_kerass = type(layer).__module__.partition(".")[0] == "keras"
    return bool(own) or not (inside or is_kerass)
