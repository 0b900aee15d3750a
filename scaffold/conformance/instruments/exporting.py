"""A layer as a program that runs without Keras: SavedModel, StableHLO or an ExportedProgram."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

from scaffold.conformance.lazy import keras, np
from scaffold.conformance.subject import Subject

# From arrays in the order of `Data.tensors` to the flat outputs as arrays.
Program = Callable[[list[Any]], list[Any]]


def exported(subject: Subject, layer: Any, batch: int | None) -> Program:
    """Export the inference of a built layer, and load it again.

    Args:
        subject: The class and the case.
        layer: The layer.
        batch: Batch size; `None` to leave it open.
    """
    of_backend = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    return of_backend[subject.backend](subject, layer, batch)


def _inference(subject: Subject, layer: Any) -> Callable[..., list[Any]]:
    """Return the layer as a function from its flat tensors to its flat outputs."""
    like = subject.data()

    def infer(*leaves: Any) -> list[Any]:
        given = like.filled(leaves)
        outputs = layer(given.inputs, **given.call, training=False)
        return [leaf for leaf in keras.tree.flatten(outputs) if leaf is not None]

    return infer


def _tensorflow(subject: Subject, layer: Any, batch: int | None) -> Program:
    import tensorflow as tf

    specs = [
        tf.TensorSpec(
            (batch, *array.shape[1:]), array.dtype if array.dtype.kind != "U" else "string"
        )
        for array in subject.data().tensors()
    ]
    served = tf.Module()
    served.held = layer
    served.state = [variable.value for variable in layer.variables]  # including seeds
    infer = _inference(subject, layer)
    served.serve = tf.function(infer, input_signature=specs, autograph=False)
    with TemporaryDirectory() as folder:
        tf.saved_model.save(served, folder)
        loaded = tf.saved_model.load(folder)

    def run(leaves: list[Any]) -> list[Any]:
        outputs = loaded.serve(*map(tf.constant, leaves))
        return [one.numpy() for one in outputs]

    return run


def _jax(subject: Subject, layer: Any, batch: int | None) -> Program:
    import jax
    from jax import export

    infer = _inference(subject, layer)
    shaped: Any = jax.ShapeDtypeStruct
    variables = layer.variables

    def pure(state: list[Any], *leaves: Any) -> list[Any]:
        with keras.StatelessScope(list(zip(variables, state, strict=True))):
            return infer(*leaves)

    state = [variable.value for variable in variables]
    (size,) = export.symbolic_shape("batch") if batch is None else (batch,)
    specs = [
        shaped((size, *array.shape[1:]), jax.dtypes.canonicalize_dtype(array.dtype))
        for array in subject.data().tensors()
    ]
    kept = [shaped(value.shape, value.dtype) for value in state]
    program = export.export(jax.jit(pure))(kept, *specs)
    loaded: Any = export.deserialize(program.serialize())
    return lambda leaves: [np.asarray(one) for one in loaded.call(state, *leaves)]


def _torch(subject: Subject, layer: Any, batch: int | None) -> Program:
    import io

    import torch

    infer = _inference(subject, layer)

    class Served(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.held = layer

        def forward(self, *leaves: Any) -> list[Any]:
            return infer(*leaves)

    leaves = tuple(map(torch.as_tensor, subject.data().tensors()))
    axis = {} if batch else {0: torch.export.Dim("batch")}
    shapes = (tuple(axis for _ in leaves),)
    program = torch.export.export(Served(), leaves, dynamic_shapes=shapes, strict=False)
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    buffer.seek(0)
    loaded = torch.export.load(buffer).module()

    def run(arrays: list[Any]) -> list[Any]:
        outputs = loaded(*map(torch.as_tensor, arrays))
        return [one.detach().float().numpy() for one in outputs]

    return run
