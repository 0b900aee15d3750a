"""Which goldens' gradients are compared where; Keras itself is not imported."""

from __future__ import annotations

from goldens import KINDS, backends_of
from proofs import proofs

# `ops.tanh` gives float32 on JAX, which the loop over the steps refuses; as Keras's own layer does.
WITHOUT_FLOAT64 = {("jax", "simple_rnn")}
# It takes the singular vectors for constants where it is differentiated; differences move them.
WITH_CONSTANTS = {"spectral_normalization"}


def compared(backend: str, every: bool) -> list[tuple[str, bool]]:
    """Each golden outside of a training and in it: by turn, or every one."""
    return [
        (folder.name, training)
        for turn, (name, folders) in enumerate(KINDS.items())
        for folder in folders
        for training in (False, True)
        if backend in (*backends_of(turn, every), *proofs("layer")[name].always_on)
        and (backend, folder.name) not in WITHOUT_FLOAT64
        and folder.name not in WITH_CONSTANTS
    ]
