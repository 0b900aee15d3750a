"""Models: what a `keras.Model` subclass must do beyond what a layer must."""

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
    """`model.build(input_shape)` creates every weight.

    This is how a model is built before its weights are loaded, counted or distributed, and how an
    outer model builds it. A subclass without its own `build` is marked as built but has no weights;
    inside another model, its weights don't come back when that model is loaded.

    Fix: define `build(self, input_shape)`, and build each sub-layer in it with its own shape.

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
        yield Finding(f"a weight of shape {one} after `build`, as after a call", f"{other}", where)


def _of_any_batch(subject: Subject) -> Subject:
    """Return the same case with an unknown batch size, unless the model is for a fixed one."""
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

    A row that says `0 (unbuilt)` after a call is a sub-layer that nothing uses: it was forgotten,
    or another one was called twice in its place.

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
            yield Finding(f"`{part.name}` to be built by a call", "an unbuilt layer", where)
    counted = sum(int(np.prod(shape)) for shape in _shapes(model))
    if (total := model.count_params()) != counted:
        where = subject.source.where("count_params", "__init__")
        yield Finding(f"{counted} parameters, as the weights have", f"{total}", where)
    if not lines:
        where = subject.source.where("summary")
        yield Finding("a summary passed to `print_fn`", "none", where)


@register(needs=("inside-functional",), target="model")
def model_nested(subject: Subject) -> Iterator[Finding]:
    """Inside another model, it computes the same and trains the same weights.

    The outer model gets variables from the layers inside, never from the inner model itself. A
    custom `trainable_weights` that leaves out a backbone is ignored: the outer model trains the
    backbone as well.

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
        names = ", ".join(f"`{one.path}`" for one in more[:3])
        where = subject.source.where("trainable_variables", "trainable_weights")
        what = f"{len(own)} trainable variables inside another model, as alone"
        got = f"{len(outer.trainable_variables)}" + (f", also {names}" if names else "")
        yield Finding(what, got, where)
    given = subject.tensors(subject.data()).tensors()
    alone, nested = subject.outputs(inner), arrays(outer(given, training=False))
    if difference := changed(subject, inner, alone, nested):
        where = subject.source.where("call")
        yield Finding("the outputs of the model alone", difference, where)


@register(needs=("weights-come-back", "fit-lowers-loss"), target="model")
def model_compile_round_trip(subject: Subject) -> Iterator[Finding]:
    """A compiled model loads with its optimizer, loss and metrics, and can resume training.

    Interrupted training resumes from a saved file. Keras loads a model with its own `compile`
    uncompiled: the optimizer state is lost with only a warning.

    Fix: leave `compile` to Keras, or define `get_compile_config` and `compile_from_config`, too.

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
    if getattr(loaded, "optimizer", None) is None:  # Keras calls it compiled anyway
        yield Finding("a compiled model after loading", "an uncompiled one", where)
        return
    before, after = _state(model), _state(loaded)
    if difference := differ(before, after):
        yield Finding("the optimizer state to be restored", difference, where)
    yield from _differing("optimizer", _optimizer, model, loaded, where)
    yield from _differing("loss", _losses, model, loaded, where)
    again = replace(fitted, model=loaded)
    if not all(map(np.isfinite, again.fit(1))):
        yield Finding("a finite loss when training resumes", "NaN or infinity", where)
    # Metrics of the losses of several outputs are created in training.
    yield from _differing("metrics", _names_of_metrics, model, loaded, where)


def _of_model(subject: Subject, model: Any, fitted: Any) -> Any:
    if fitted.model is not model:
        raise NotApplicable("`fit` can't directly feed a model that takes several tensors")
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
        yield Finding(f"the {what} {of(model)} to be restored", of(loaded), where)


def _optimizer(model: Any) -> str:
    return type(model.optimizer).__name__


def _losses(model: Any) -> str:
    """Return all losses as one list: a file turns tuples into lists."""
    return str([str(loss) for loss in keras.tree.flatten(model.loss)])


def _names_of_metrics(model: Any) -> str:
    return str([metric.name for metric in model.metrics])


@register(needs=("fit-lowers-loss",), target="model")
def model_train_step(subject: Subject) -> Iterator[Finding]:
    """A custom `train_step` or `compute_loss` includes regularizers and added losses.

    Keras adds the losses of the layers in `Model.compute_loss`. A step that computes its own loss
    trains as if no layer had a regularizer or an `add_loss`.

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
        raise NotApplicable("it has Keras's `train_step` and `compute_loss`")
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
    """Return a weight's path and its values before and after a step with a strong pull on it."""
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
