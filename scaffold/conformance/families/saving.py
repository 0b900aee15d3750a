"""Saving: the weights that were saved are the ones that come back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scaffold.conformance.finding import Finding
from scaffold.conformance.instruments.state import changed, kept, randomise, refuse_texts, values
from scaffold.conformance.instruments.walk import layers_of
from scaffold.conformance.lazy import keras, np
from scaffold.conformance.registry import NotApplicable, register
from scaffold.conformance.subject import Subject, arrays, differ


@register(
    needs=(
        "registered",
        "sublayers-tracked",
        "weights-tracked",
        "no-state-in-call",
    )
)
def weights_file_complete(subject: Subject) -> Iterator[Finding]:
    """A `.weights.h5` file contains every weight and nothing else.

    Keras saves what it finds in attributes, lists, dicts and tuples. A layer in a set is trained
    but is not in the file: its weights are silently lost. Anything extra in the file is ignored on
    loading.

    Fix: keep sub-layers in attributes, lists or dicts; a class that overrides `save_own_variables`
    must write each weight there and read it in `load_own_variables`.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Branches(keras.layers.Layer):
              def __init__(self, units=4, **kwargs):
                  super().__init__(**kwargs)
                  self.units = units
                  self.supports_masking = True

              def build(self, input_shape):
                  wide = keras.layers.Dense(self.units, dtype=self.dtype_policy)
                  deep = keras.layers.Dense(self.units, "tanh", dtype=self.dtype_policy)
        -         self.branches = {wide, deep}
        +         self.branches = [wide, deep]
                  for branch in self.branches:
                      branch.build(input_shape)

              def call(self, inputs):
                  return ops.add(*(branch(inputs) for branch in self.branches))

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], self.units)

              def get_config(self):
                  return {**super().get_config(), "units": self.units}
    """
    from scaffold.conformance.instruments.host_models import held

    refuse_texts(subject)
    if not subject.shared.weights:
        raise NotApplicable("the layer has no weights")
    saved, loaded = held(subject, subject.make()), held(subject, subject.make())
    randomise(saved.layer)
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.weights.h5")
        saved.save_weights(path)
        wrong = list(_not_in_file(subject, saved.layer, _stored(path)))
        if not wrong:
            loaded.load_weights(path)
    yield from wrong or _not_loaded(subject, saved.layer, loaded.layer, "load_weights")


def _stored(path: Path) -> dict[str, Any]:
    """Return the arrays of a weights file by path."""
    import h5py

    found = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = np.asarray(item)

    with h5py.File(path) as file:
        file.visititems(visit)
    return found


def _not_in_file(subject: Subject, layer: Any, stored: dict[str, Any]) -> Iterator[Finding]:
    if any(_writes_its_own(part) for part in layers_of(layer)):
        return
    where = subject.source.where("build", "__init__")
    for weight in layer.weights:
        array = arrays(weight.value)
        if not any(_same(array, other) for other in stored.values()):
            yield Finding(f"`{weight.path}` in the saved file", "a file without it", where)
    known = [arrays(variable.value) for variable in layer.variables]
    for name, array in stored.items():
        if not any(_same(one, array) for one in known):
            what = f"`{name}` of shape {array.shape}, which is not a weight of the layer"
            yield Finding("a saved file with only the layer's weights", what, where)


def _writes_its_own(layer: Any) -> bool:
    base = keras.layers.Layer.save_own_variables
    own = type(layer).save_own_variables
    return own is not base and not own.__module__.startswith("keras.")


def _same(array: list[Any], stored: Any) -> bool:
    if stored.dtype.kind not in "fiub":  # how Keras writes a bfloat16
        return True
    return not differ(array, [stored], 1e-6)


def _not_loaded(subject: Subject, saved: Any, loaded: Any, loader: str) -> Iterator[Finding]:
    """Yield a finding if the weights of `loaded` are not those of `saved`."""
    before, after = values(saved), values(loaded)
    where = subject.source.where("build", "__init__")
    if len(before) != len(after):
        got = f"{len(after)} of {len(before)} after `{loader}`: the rest are random"
        yield Finding(f"all {len(before)} weights to come back", got, where)
    elif (number := kept(before, after)) < len(before):
        lost = len(before) - number
        got = f"{lost} of {len(before)} with different values after `{loader}`"
        yield Finding("the values of all weights to come back", got, where)


@register(
    needs=(
        "config-round-trip",
        "compute-output-shape",
        "instances-independent",
        "weights-file-complete",
    )
)
def weights_come_back(subject: Subject) -> Iterator[Finding]:
    """A `.keras` file loads with the weights that were saved.

    A layer whose sub-layers are built only by the first call has no weights yet when `load_model`
    fills them. Inside a subclassed model with its own `build`, Keras treats that as success: the
    model comes back with random weights, without an error or a warning, and only its predictions
    show it.

    Fix: build every sub-layer in `build`, with the shape it will see.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Residual(keras.layers.Layer):
              def __init__(self, **kwargs):
                  super().__init__(**kwargs)
                  self.supports_masking = True

              def build(self, input_shape):
                  self.inner = keras.layers.Dense(input_shape[-1], dtype=self.dtype_policy)
        +         self.inner.build(input_shape)

              def call(self, inputs):
                  return inputs + self.inner(inputs)

              def compute_output_shape(self, input_shape):
                  return input_shape
    """
    from scaffold.conformance.instruments.host_models import held

    refuse_texts(subject)
    layer = subject.make()
    holder = held(subject, layer)
    if not layer.weights:
        raise NotApplicable("the layer has no weights")
    randomise(layer)
    if subject.is_model:
        yield from _comes_back(subject, layer, layer)
    if not subject.is_model or _builds_itself(layer):
        yield from _comes_back(subject, holder, layer)


def _builds_itself(model: Any) -> bool:
    """Return whether a model has its own `build`; `model-builds-without-data` covers the others."""
    return type(model).build is not keras.Model.build


def _comes_back(subject: Subject, model: Any, layer: Any) -> Iterator[Finding]:
    before = subject.outputs(layer)
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        model.save(path)
        loaded = keras.saving.load_model(path, compile=False)
    again = loaded if model is layer else loaded.layer
    lost = list(_not_loaded(subject, layer, again, "load_model"))
    if not lost and (difference := changed(subject, layer, before, subject.outputs(again))):
        where = subject.source.where("call")
        lost = [Finding("the same outputs as before saving", difference, where)]
    yield from lost


@register(needs=("weights-come-back",))
def loads_in_fresh_process(subject: Subject) -> Iterator[Finding]:
    """A saved model loads in another process and gives the same outputs there.

    A model is rarely used in the process that trained it. Elsewhere, a set of strings has a
    different order, and what this process has registered, cached or drawn is missing.

    Fix: create state in a fixed order (sort sets), and register every class and function when its
    module is imported.

    Example:
          @keras.saving.register_keras_serializable(package="my_project")
          class Heads(keras.layers.Layer):
              def __init__(self, names="abcdefgh", **kwargs):
                  super().__init__(**kwargs)
                  self.names = names
                  self.supports_masking = True

              def build(self, input_shape):
                  self.heads = {}
                  heads = {}
        -         for name in set(self.names):
        +         for name in sorted(set(self.names)):
                      heads[name] = keras.layers.Dense(1, dtype=self.dtype_policy)
                      heads[name].build(input_shape)
                  self.heads = heads

              def call(self, inputs):
                  return ops.concatenate([self.heads[name](inputs) for name in self.names], axis=-1)

              def compute_output_shape(self, input_shape):
                  return (*input_shape[:-1], len(self.names))

              def get_config(self):
                  return {**super().get_config(), "names": self.names}
    """
    from scaffold.conformance.process.fresh import FreshProcessError

    if subject.fresh is None:
        raise NotApplicable("no other process is available")
    if subject.cls.__module__ == "__main__" or "<locals>" in subject.cls.__qualname__:
        raise NotApplicable("the class can't be imported from another process")
    refuse_texts(subject)
    layer = subject.build()
    randomise(layer)
    model = layer if subject.is_model else subject.functional(layer, subject.batch)
    path = subject.fresh.folder / "model.keras"
    model.save(path)
    before = subject.outputs(layer)
    where = subject.source.at(None)
    try:
        after = subject.fresh.predict(subject, path)
    except FreshProcessError as problem:
        yield Finding("the saved model to load in another process", str(problem), where)
        return
    if difference := changed(subject, layer, before, after):
        yield Finding("the same outputs in another process", difference, where)
