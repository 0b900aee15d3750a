"""Models: what a `keras.Model` subclass owes beyond what a layer does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scaffold.cases import Input, map_inputs
from scaffold.conformance.finding import Finding, Where
from scaffold.conformance.instruments.state import changed, randomise
from scaffold.conformance.instruments.walk import layers_of
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, arrays, differ


@register(
    needs=(
        "build-makes-all-weights",
        "weights-come-back",
    ),
    target="model",
)
def model_builds_without_data(subject: Subject) -> Iterator[Finding]:
    """`model.build(input_shape)` makes every weight.

    It is how a model is built before its weights are loaded, counted or distributed, and how a
    model around it builds it. A subclass without a `build` of its own is marked as built and has
    no weights; inside another model its weights don't come back when that is loaded.

    Fix: write `build(self, input_shape)`, and build each sub-layer in it with its own shape.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Perceptron(keras.Model):
              def __init__(self, units=4, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.hidden = keras.layers.Dense(16, "relu", dtype=self.dtype_policy)
                  self.head = keras.layers.Dense(units, dtype=self.dtype_policy)
        +
        +     def build(self, input_shape):
        +         self.hidden.build(input_shape)
        +         self.head.build((*input_shape[:-1], 16))

              def call(self, inputs):
                  return self.head(self.hidden(inputs))

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)

              def get_config(self):
                  return {**super().get_config(), "units": self.units}
    """
    model = subject.make()
    if not model.built:
        _of_any_batch(subject).build_alone(model)
    wanted, got = _shapes(subject.shared), _shapes(model)
    if len(got) != len(wanted):
        where = subject.source.where("build")
        yield Finding(f"{len(wanted)} weights after `build`", f"{len(got)}", where)
    elif got != wanted:
        pairs = zip(wanted, got, strict=True)
        one, other = next(pair for pair in pairs if pair[0] != pair[1])
        where = subject.source.where("build")
        yield Finding(f"the shapes that a call makes, here {one}", f"{other}", where)


def _of_any_batch(subject: Subject) -> Subject:
    """The same case with an unknown batch in its shapes, unless the model is for one size."""
    if "fixed-batch" in subject.case.tags:
        return subject

    def free(described: Input) -> Input:
        return replace(described, shape=(None, *described.shape[1:]))  # type: ignore[arg-type]

    case = subject.case
    return subject.like(inputs=map_inputs(free, case.inputs), call=map_inputs(free, case.call))


def _shapes(model: Any) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in model.weights]


@register(needs=("model-builds-without-data",), target="model")
def model_summary(subject: Subject) -> Iterator[Finding]:
    """`model.summary()` shows every sub-layer as built, with all of its weights.

    A row that says `0 (unbuilt)` in a model that was called is a sub-layer that nothing uses: one
    that was forgotten, or in whose place another was called twice.

    Fix: call the sub-layer, or remove it.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Perceptron(keras.Model):
              def __init__(self, units=4, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.first = keras.layers.Dense(units, dtype=self.dtype_policy)
                  self.second = keras.layers.Dense(units, dtype=self.dtype_policy)

              def build(self, input_shape):
                  self.first.build(input_shape)
        +         self.second.build((*input_shape[:-1], self.units))

              def call(self, inputs):
        -         return self.first(inputs)
        +         return self.second(self.first(inputs))

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)

              def get_config(self):
                  return {**super().get_config(), "units": self.units}
    """
    model = subject.build()
    lines: list[str] = []
    model.summary(print_fn=lines.append, line_length=200)
    for part in layers_of(model)[1:]:
        if not part.built:
            where = subject.source.where("call", "__init__")
            yield Finding(f"`{part.name}` to be built by a call", "a layer that is unbuilt", where)
    counted = sum(int(np.prod(shape)) for shape in _shapes(model))
    if (total := model.count_params()) != counted:
        where = subject.source.where("count_params", "__init__")
        yield Finding(f"{counted} parameters in all, as the weights have", f"{total}", where)
    if not lines:
        where = subject.source.where("summary")
        yield Finding("a summary that goes to `print_fn`", "none", where)


@register(needs=("inside-functional",), target="model")
def model_nested(subject: Subject) -> Iterator[Finding]:
    """Inside another model it computes the same, and trains the same weights.

    The outer model asks the layers inside for their variables, and never the model itself. A
    `trainable_weights` of one's own that leaves out a backbone is passed over: the outer model
    trains the backbone as well.

    Fix: freeze with `self.backbone.trainable = False`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Tuned(keras.Model):
              def __init__(self, units=4, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.backbone = keras.layers.Dense(16, "relu", dtype=self.dtype_policy)
                  self.head = keras.layers.Dense(units, dtype=self.dtype_policy)
        -
        -     @property
        -     def trainable_variables(self):
        -         return self.head.trainable_variables

              def build(self, input_shape):
                  self.backbone.build(input_shape)
                  self.head.build((*input_shape[:-1], 16))

              def call(self, inputs):
                  return self.head(self.backbone(inputs))

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)

              def get_config(self):
                  return {**super().get_config(), "units": self.units}
    """
    inner = subject.build()
    randomise(inner)
    outer = subject.functional(inner)
    own = {id(variable) for variable in inner.trainable_variables}
    more = [one for one in outer.trainable_variables if id(one) not in own]
    fewer = own - {id(one) for one in outer.trainable_variables}
    if more or fewer:
        names = ", ".join(f"`{one.path}`" for one in more[:3]) or "fewer"
        where = subject.source.where("trainable_variables", "trainable_weights")
        what = f"{len(own)} trainable variables inside another model, as alone"
        yield Finding(what, f"{len(outer.trainable_variables)}: also {names}", where)
    given = subject.tensors(subject.data()).tensors()
    alone, nested = subject.outputs(inner), arrays(outer(given, training=False))
    if difference := changed(subject, inner, alone, nested):
        where = subject.source.where("call")
        yield Finding("the outputs of the model alone", difference, where)


@register(needs=("weights-come-back", "fit-lowers-loss"), target="model")
def model_compile_round_trip(subject: Subject) -> Iterator[Finding]:
    """A compiled model loads with its optimizer, loss and metrics, and trains on.

    Training that is broken off goes on from a saved file. Keras leaves a model with a `compile`
    of its own uncompiled when it loads it: the state of the optimizer is lost with no more than a
    warning.

    Fix: leave `compile` to Keras, or write `get_compile_config` and `compile_from_config` too.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Weighted(keras.Model):
              def __init__(self, units=4, weight=1.0, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.weight = weight
                  self.head = keras.layers.Dense(units, dtype=self.dtype_policy)

              def build(self, input_shape):
                  self.head.build(input_shape)

              def call(self, inputs):
                  return self.weight * self.head(inputs)

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)
        -
        -     def compile(self, *args, weight=1.0, **kwargs):
        -         super().compile(*args, **kwargs)
        -         self.weight = weight

              def get_config(self):
                  return {**super().get_config(), "units": self.units, "weight": self.weight}
    """
    from scaffold.conformance.instruments.fitting import task

    model = subject.build()
    fitted = _of_model(subject, model, task(subject, model, keras.optimizers.SGD(1e-3, 0.9)))
    model.compile(
        optimizer=keras.optimizers.SGD(1e-3, 0.9), loss=model.loss, metrics=_metrics(fitted)
    )
    fitted.fit(2)
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        loaded = keras.saving.load_model(path)
    where = subject.source.where("compile", "get_compile_config")
    if getattr(loaded, "optimizer", None) is None:  # Keras calls it compiled all the same
        yield Finding("a model that is compiled once it is loaded", "one that isn't", where)
        return
    before, after = _state(model), _state(loaded)
    if difference := differ(before, after):
        yield Finding("the state of the optimizer to come back", difference, where)
    yield from _differing("optimizer", _optimizer, model, loaded, where)
    yield from _differing("loss", _losses, model, loaded, where)
    again = replace(fitted, model=loaded)
    if not all(map(np.isfinite, again.fit(1))):
        yield Finding("training that goes on", "a loss that is not finite", where)
    # Those of the losses of several outputs are made in training.
    yield from _differing("metrics", _names_of_metrics, model, loaded, where)


def _of_model(subject: Subject, model: Any, fitted: Any) -> Any:
    if fitted.model is not model:
        raise NotApplicable("`fit` can't feed a model of several tensors as it is")
    return fitted


def _metrics(fitted: Any) -> Any:
    metrics = keras.tree.map_structure(lambda _: "mean_absolute_error", fitted.targets)
    return [metrics] if isinstance(metrics, str) else metrics


def _state(model: Any) -> list[Any]:
    return arrays([variable.value for variable in model.optimizer.variables])


def _differing(
    what: str, of: Callable[[Any], str], model: Any, loaded: Any, where: Where | None
) -> Iterator[Finding]:
    if of(model) != of(loaded):
        yield Finding(f"the {what} {of(model)} to come back", of(loaded), where)


def _optimizer(model: Any) -> str:
    return type(model.optimizer).__name__


def _losses(model: Any) -> str:
    """All in a list: as a file keeps them, tuples are lists."""
    return str([str(loss) for loss in keras.tree.flatten(model.loss)])


def _names_of_metrics(model: Any) -> str:
    return str([metric.name for metric in model.metrics])


@register(needs=("fit-lowers-loss",), target="model")
def model_train_step(subject: Subject) -> Iterator[Finding]:
    """A `train_step` or `compute_loss` of one's own includes the regularizers and added losses.

    Keras adds the losses of the layers in `Model.compute_loss`. A step that computes its loss by
    hand trains as if there was no regularizer, and no `add_loss`, in any layer inside.

    Fix: call `self.compute_loss(...)` in `train_step`, and add `sum(self.losses)` in a
    `compute_loss` that doesn't call `super().compute_loss(...)`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Absolute(keras.Model):
              def __init__(self, units=4, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.head = keras.layers.Dense(units, dtype=self.dtype_policy)

              def build(self, input_shape):
                  self.head.build(input_shape)

              def call(self, inputs):
                  return self.head(inputs)

              def compute_loss(
                  self, x=None, y=None, y_pred=None, sample_weight=None, training=True
              ):
        -         return ops.mean(ops.abs(y - y_pred))
        +         return ops.mean(ops.abs(y - y_pred)) + sum(self.losses)

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)

              def get_config(self):
                  return {**super().get_config(), "units": self.units}
    """
    steps = [name for name in ("train_step", "compute_loss") if _is_own(subject, name)]
    if not steps:
        raise NotApplicable("it has the `train_step` and the `compute_loss` of Keras")
    weight, before, after = _pushed(subject)
    moved = float(np.mean(before - after))
    if moved < _PUSH / 2:
        what = f"a regularizer on `{weight}` to move it by {_PUSH:g} in one step"
        yield Finding(what, f"a move of {moved:.2g}", subject.source.where(*steps))


_RATE, _PUSH = 1e-6, 10.0  # next to no step for the loss itself, a large one for the regularizer


def _is_own(subject: Subject, name: str) -> bool:
    method = getattr(subject.cls, name)
    return not method.__module__.startswith("keras.")


def _pushed(subject: Subject) -> tuple[str, Any, Any]:
    """A weight's path and its values before and after a step with a strong pull on it."""
    from scaffold.conformance.instruments.fitting import task

    model = subject.build()
    if not model.trainable_variables:
        raise NotApplicable("the model has no trainable weights")
    weight = model.trainable_variables[0]
    strength = _PUSH / _RATE
    weight.regularizer = lambda value: strength * keras.ops.sum(value)
    fitted = _of_model(subject, model, task(subject, model, keras.optimizers.SGD(_RATE)))
    before = arrays(weight.value)[0].copy()
    fitted.fit(1)
    return weight.path, before, arrays(weight.value)[0]
