"""Life: what a layer goes through once it is written: training, serving, threads, long runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from scaffold.cases import Input, map_inputs
from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.state import changed, refuse_texts
from scaffold.conformance.instruments.walk import held_in_tree
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, arrays

_STEPS = 8
_CALLS = 10
_LINES = 10


@register(
    needs=(
        "gradient-reaches-weights",
        "no-untracked-randomness",
        "no-side-effects",
        "inside-functional",
    )
)
def fit_lowers_loss(subject: Subject) -> Iterator[Finding]:
    """A few steps of `fit` lower the loss and keep it finite.

    Some layers compute the right thing but can't be trained: their gradient is NaN at a point that
    training passes, or `call` undoes what the optimizer does to a weight. The model then learns
    nothing, or becomes NaN, which no later step fixes.

    Fix: keep square roots, divisions and logarithms away from zero (`keras.config.epsilon()`), and
    leave trainable weights to the optimizer.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Positive(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.scale = self.add_weight(shape=input_shape[-1:], initializer="zeros")

              def call(self, inputs):
        -         return inputs * ops.sqrt(self.scale)
        +         return inputs * ops.softplus(self.scale)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    from scaffold.conformance.instruments.fitting import task

    layer = subject.build()
    if not layer.trainable_variables:
        raise NotApplicable("the layer has no trainable weights")
    fitted = task(subject, layer, keras.optimizers.Lion(1e-3))
    first = _loss(subject, layer, fitted)
    means = fitted.fit(_STEPS)
    if not means:
        raise NotApplicable("its `train_step` reports no `loss`")
    if _is_lower(means, first, _loss(subject, layer, fitted)):
        return
    if all(map(np.isfinite, means)):  # slow or noisy: it gets more steps
        means = fitted.fit(4 * _STEPS)
        if _is_lower(means, first, _loss(subject, layer, fitted)):
            return
    got = ", ".join(f"{mean:.6g}" for mean in means[:4])
    where = subject.source.where("call")
    yield Finding(f"the mean loss to fall within {len(means)} steps", f"{got} ...", where)


def _loss(subject: Subject, layer: Any, fitted: Any) -> float:
    """Return the squared error at inference, where nothing is random."""
    outputs = arrays(fitted.model(fitted.inputs, training=False))
    pairs = zip(outputs, arrays(fitted.targets), strict=True)
    return float(sum(np.mean(np.square(one - other)) for one, other in pairs))


def _is_lower(means: list[float], first: float, last: float) -> bool:
    if not all(map(np.isfinite, [*means, last])):
        return False
    return min(means[1:]) < means[0] or last < first


@register(needs=("training-reaches-sublayers", "fit-lowers-loss"), target="model")
def fit_trains_sublayers(subject: Subject) -> Iterator[Finding]:
    """In `fit`, every call of a sub-layer is in training mode.

    Losses often need a second pass through the model, on another view of the data or for its
    features. If `train_step` or `compute_loss` calls the model without `training`, that pass runs
    without dropout, and batch normalization uses its moving statistics instead of the batch's.

    Fix: call the model with `training=True` in `train_step`, and with the `training` argument in
    `compute_loss`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Consistent(keras.Model):
              def __init__(self, units=4, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.drop = keras.layers.Dropout(0.5, dtype=self.dtype_policy)
                  self.dense = keras.layers.Dense(units, dtype=self.dtype_policy)

              def build(self, input_shape):
                  self.drop.build(input_shape)
                  self.dense.build(input_shape)

              def call(self, inputs, training=None):
                  return self.dense(self.drop(inputs, training=training))

              def compute_loss(
                  self, x=None, y=None, y_pred=None, sample_weight=None, training=True
              ):
                  loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        -         return loss + ops.mean(ops.square(self(x) - y_pred))
        +         return loss + ops.mean(ops.square(self(x, training=training) - y_pred))

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)

              def get_config(self):
                  return {**super().get_config(), "units": self.units}
    """
    from scaffold.conformance.instruments.fitting import takes_one, task
    from scaffold.conformance.instruments.spying import files_of, spelled, spied, sublayers, takes

    model = subject.build()
    watched = [part for part in sublayers(model) if takes(part, "training") and _reacts(part)]
    if not watched or not takes_one(subject):
        raise NotApplicable("training affects no sub-layer, or the model takes several tensors")
    fitted = task(subject, model, keras.optimizers.SGD(1e-3))
    with spied(watched, files_of(subject.cls)) as seen:
        _forget_before(model, seen)
        fitted.fit(1)
    idle = {id(call.layer): call for call in seen if not call.bound.arguments["training"]}
    for call in idle.values():
        where = call.spot.where if call.spot else subject.source.where("train_step", "call")
        got = f"training={call.bound.arguments['training']}"
        yield Finding(f"`{spelled(model, call.layer)}` to get training=True in `fit`", got, where)


def _reacts(layer: Any) -> bool:
    """Return whether training affects the layer itself, as far as can be told."""
    state = layer._seed_generators or layer._non_trainable_variables
    return layer.trainable and bool(state or not type(layer).__module__.startswith("keras."))


def _forget_before(model: Any, seen: list[Any]) -> None:
    """Drop what was seen before a training step begins: Keras tries out the model first."""
    step = model.train_step

    def train_step(*args: Any) -> Any:
        seen.clear()
        return step(*args)

    object.__setattr__(model, "train_step", train_step)


@register(
    needs=(
        "inference-repeats",
        "no-side-effects",
    )
)
def threads_agree(subject: Subject) -> Iterator[Finding]:
    """Calls from several threads don't interfere with each other.

    A server answers several requests at once with one model. A layer that keeps intermediate
    results in a shared place now and then gives one request the numbers of another, under load.

    Fix: pass values from method to method as arguments, and store none on `self`.

    Example:
        - _SCRATCH = {}
        -
        -
          @keras.saving.register_keras_serializable(package="my_project")
          class Centered(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
        -         _SCRATCH["mean"] = ops.mean(inputs, axis=-1, keepdims=True)
        -         return inputs - _SCRATCH["mean"]
        +         mean = ops.mean(inputs, axis=-1, keepdims=True)
        +         return inputs - mean

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    from scaffold.conformance.instruments.interleaving import interleaved, lines_run

    layer = subject.build()
    path = subject.cls.call.__code__.co_filename
    first, second = subject.data(), subject.data(seed=1)
    alone = subject.outputs(layer, first)
    subject.outputs(layer, second)
    number = lines_run(lambda: subject.outputs(layer, first), path)
    for line in sorted({round(i) for i in np.linspace(0, number - 1, min(number, _LINES))}):
        result = interleaved(
            lambda: subject.outputs(layer, first),
            lambda: subject.outputs(layer, second),
            path,
            line,
        )
        if difference := changed(subject, layer, alone, result, first):
            what = "the same outputs while another thread calls the layer"
            yield Finding(what, difference, subject.source.where("call"))
            return


@register(needs=("no-side-effects",))
def no_growth(subject: Subject) -> Iterator[Finding]:
    """Calls leave nothing behind: no input is kept alive, no container grows.

    A few kilobytes per call are gigabytes after a night of training. The list that grows is often
    not an attribute of the layer: it belongs to the class, the module or a cache.

    Fix: don't keep tensors; limit the size of caches.

    Example:
        - _SEEN = []
        -
        -
          @keras.saving.register_keras_serializable(package="my_project")
          class Clipped(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
        -         _SEEN.append(inputs)
                  return ops.clip(inputs, -1.0, 1.0)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    layer, data = subject.build(), subject.data()
    subject.call(layer, data)
    before = _sizes(layer)
    for _ in range(_CALLS):
        subject.call(layer, data)
    for path, size in _sizes(layer).items():
        grown = size - before.get(path, size)
        if grown >= _CALLS:
            got = f"{grown} more entries in `{path}`"
            yield Finding(f"no growth in {_CALLS} calls", got, subject.source.where("call"))


def _sizes(layer: Any) -> dict[str, int]:
    """Return the sizes of containers and caches; `no-side-effects` checks the attributes."""
    sizes = {}
    for held in held_in_tree(layer):
        if hasattr(held.value, "cache_info"):
            sizes[held.path] = held.value.cache_info().currsize
        elif isinstance(held.value, list | dict | set | deque) and not held.attribute:
            sizes[held.path] = len(held.value)
    return sizes


@register(
    needs=(
        "items-independent",
        "inference-repeats",
        "compiled-equals-eager",
        "inside-functional",
    )
)
def export(subject: Subject) -> Iterator[Finding]:
    """Exported for serving, the layer gives the same outputs, for other batch sizes, too.

    An exported program (a SavedModel on TensorFlow, StableHLO on JAX, an ExportedProgram on Torch)
    contains no Python. What Python decided during tracing is fixed for every request: a batch
    size, a branch, a random number.

    Fix: compute on whole batches, and use `-1` for the batch size in `ops.reshape`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Centered(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def call(self, inputs):
        -         items = range(ops.shape(inputs)[0])
        -         return ops.stack([inputs[i] - self.mean(inputs[i]) for i in items])
        +         return inputs - self.mean(inputs)

              def mean(self, item):
                  return ops.mean(item, axis=-1, keepdims=True)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    plain = _without_masks(subject)
    if subject.batch is None:
        raise NotApplicable("the inputs don't share a batch size")
    refuse_texts(subject)
    layer = plain.build()
    program, batch = _exported(plain, layer)
    data = plain.data(batch, seed=1)
    results = program(data.tensors())
    if difference := changed(plain, layer, plain.outputs(layer, data), results, data):
        what = f"the layer's outputs from the exported program, for a batch of {batch}"
        yield Finding(what, difference, subject.source.where("call"))


def _exported(subject: Subject, layer: Any) -> tuple[Any, int]:
    """Return the exported program, and a batch size that it accepts."""
    from scaffold.conformance.instruments.exporting import exported
    from scaffold.conformance.unsupported import is_unsupported

    fixed, other = subject.batch or 1, (subject.batch or 1) + 3
    if "fixed-batch" in subject.case.tags:
        return exported(subject, layer, fixed), fixed
    try:
        return exported(subject, layer, None), other
    except Exception as error:
        if subject.backend != "torch" and not is_unsupported(error):
            raise
    # On Torch, Keras's own operations make the batch size constant, or fail, as `cond` does
    try:
        return exported(subject, layer, fixed), fixed
    except Exception as error:
        if subject.backend != "torch" and not is_unsupported(error):
            raise
        kind = type(error).__name__
        reason = f"{subject.backend} can't export Keras's own operations here: {kind}"
        raise NotApplicable(reason) from None


def _without_masks(subject: Subject) -> Subject:
    """Return the same case without masks, which exported programs don't take."""

    def bare(described: Input) -> Input:
        return replace(described, mask=False)

    case = subject.case
    return subject.like(inputs=map_inputs(bare, case.inputs), call=map_inputs(bare, case.call))
