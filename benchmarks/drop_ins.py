"""`make bench`: the speed of each drop-in against its built-in.

A compiled forward pass and a whole training step, on the same inputs, with the same weights. The
two run in turn, in several pairs, and the median of the ratios counts. Torch runs eagerly, as is
the default in Keras.
`python -m benchmarks.drop_ins MyDense` measures only some classes.
"""

from __future__ import annotations

import importlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import ROOT
from goldens import GOLDENS
from proofs import DropIn, proofs

BACKENDS = ("tensorflow", "jax", "torch")
BOUND = 1.05
PAIRS, ROUNDS = 5, 4
SECONDS = 0.04  # per measurement
CHILD = "--in-this-process"


def drop_ins() -> dict[str, DropIn]:
    """Return all drop-ins, by the name of the class."""
    return {one.name: one for proof in proofs("layer").values() for one in proof.drop_ins}


def main() -> int:
    """Print the table, and return 1 if the bound is exceeded."""
    words = sys.argv[1:]
    if CHILD in words:
        for name in words[words.index(CHILD) + 1 :]:
            _measure(drop_ins()[name])
        return 0
    names = words or list(drop_ins())
    print(f"medians of {PAIRS * ROUNDS} ratios; at most {BOUND:g} x")
    over = False
    for backend in BACKENDS:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.drop_ins", CHILD, *names],
            env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
        for line in done.stdout.splitlines():
            name, forward, step = line.split()
            slow = max(float(forward), float(step)) > BOUND
            over |= slow
            verdict = "over" if slow else "ok"
            print(f"{backend:<10} {name:<28} forward {forward} x  train {step} x  {verdict}")
    return int(over)


def _measure(one: DropIn) -> None:
    import keras

    sys.path.insert(0, str(GOLDENS / one.golden))
    (test,) = (GOLDENS / one.golden).glob("test_*.py")
    module = importlib.import_module(test.stem.removeprefix("test_"))
    ours, theirs = getattr(module, one.name), getattr(keras.layers, one.builtin)
    call = one.speed()
    forward: list[float] = []
    step: list[float] = []
    for turn in range(PAIRS):
        # Memory placement affects the speed, so each turn creates new layers.
        layers = {cls: cls(**call.arguments) for cls in ((ours, theirs), (theirs, ours))[turn % 2]}
        for layer in layers.values():
            layer(call.inputs, **call.call)
        layers[ours].set_weights(layers[theirs].get_weights())
        pair = layers[ours], layers[theirs]
        forward += _ratios(*(_forward(layer, call.inputs, dict(call.call)) for layer in pair))
        step += _ratios(*(_step(layer, call.inputs, dict(call.call)) for layer in pair))
    print(f"{one.name} {statistics.median(forward):.2f} {statistics.median(step):.2f}", flush=True)


def _forward(layer: Any, inputs: Any, call: dict[str, Any]) -> Callable[[], Any]:
    """Return a function that runs a compiled call of a layer and waits for its outputs."""
    import keras

    tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
    if keras.backend.backend() == "tensorflow":
        tf = importlib.import_module("tensorflow")
        compiled = tf.function(lambda x: layer(x, **call), jit_compile=True)
        return lambda: tf.nest.map_structure(lambda y: y.numpy(), compiled(tensors))
    if keras.backend.backend() == "jax":
        jax = importlib.import_module("jax")
        state = [[v.value for v in vs] for vs in (layer.trainable_variables,
                                                  layer.non_trainable_variables)]  # fmt: skip
        compiled = jax.jit(lambda state, x: layer.stateless_call(*state, x, **call)[0])
        return lambda: jax.block_until_ready(compiled(state, tensors))
    torch = importlib.import_module("torch")

    def run() -> Any:
        with torch.no_grad():
            return layer(tensors, **call)

    return run


def _step(layer: Any, inputs: Any, call: dict[str, Any]) -> Callable[[], Any]:
    """Return a function that runs a training step of a model with only this layer."""
    import keras
    import numpy as np

    symbols = keras.tree.map_structure(
        lambda array: keras.Input(batch_shape=array.shape, dtype=array.dtype.name), inputs
    )
    known = {name: value for name, value in call.items() if name != "training"}
    known = keras.tree.map_structure(
        lambda value: keras.ops.convert_to_tensor(value) if hasattr(value, "shape") else value,
        known,
    )
    outputs = keras.tree.flatten(layer(symbols, **known))[0]
    model = keras.Model(symbols, outputs)
    model.compile(keras.optimizers.SGD(1e-6), "mse")
    targets = np.zeros((len(keras.tree.flatten(inputs)[0]), *outputs.shape[1:]), "float32")
    return lambda: model.train_on_batch(inputs, targets)


def _ratios(ours: Callable[[], Any], theirs: Callable[[], Any]) -> Iterator[float]:
    """Yield the ratios of the durations of both functions."""
    for act in (ours, theirs):
        _seconds(act, 3)  # compile and warm up
    number = max(1, int(SECONDS / _seconds(theirs, 3)))
    for turn in range(ROUNDS):
        # Alternate, so that neither always runs on a cache warmed by the other.
        pair = (ours, theirs) if turn % 2 else (theirs, ours)
        seconds = {act: _seconds(act, number) for act in pair}
        yield seconds[ours] / seconds[theirs]


def _seconds(act: Callable[[], Any], number: int) -> float:
    start = time.perf_counter()
    for _ in range(number):
        act()
    return (time.perf_counter() - start) / number


if __name__ == "__main__":
    sys.exit(main())
