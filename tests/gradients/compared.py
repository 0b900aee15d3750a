"""Which goldens' gradients are compared where; Keras itself is not imported."""

from __future__ import annotations

from goldens import KINDS, backends_of

# `ops.tanh` gives float32 on JAX, which the loop over the steps refuses; as Keras's own layer does.
WITHOUT_FLOAT64 = {("jax", "simple_rnn")}
# A call in training assigns to the kernel, which gradients do not follow but differences do.
MOVES_ITS_KERNEL = {"spectral_normalization"}


def compared(backend: str, every: bool) -> list[tuple[str, bool]]:
    """Each golden outside of a training and in it: by turn, or every one."""
    return [
        (folder.name, training)
        for turn, folders in enumerate(KINDS.values())
        for folder in folders
        for training in (False, True)
        if backend in backends_of(turn, every)
        and (backend, folder.name) not in WITHOUT_FLOAT64
        and not (training and folder.name in MOVES_ITS_KERNEL)
    ]
