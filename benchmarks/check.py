"""`make bench`: a cold `scaffold check` of one layer against Keras's own helper for layer tests.

`run_layer_test` is private to Keras and checks a fraction of this; it represents the minimum cost
of a cold process. The bound applies to each backend.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from benchmarks.timing import compare

RUNS = 3
BOUND = 4.0
BACKENDS = ("tensorflow", "jax", "torch")
OURS = [
    str(Path(sysconfig.get_path("scripts")) / "scaffold"),
    *("check", "keras.layers:Dense", "--args", "units=3", "--input", "2,6,8"),
]
THEIRS = """
import keras
from keras.src.testing import TestCase

TestCase().run_layer_test(keras.layers.Dense, {"units": 3}, input_shape=(2, 6, 8))
"""


def main() -> int:
    """Print the table, and return 1 if the bound is exceeded."""
    print(f"{RUNS} runs each, in turn; medians of whole cold processes")
    over = False
    for backend in BACKENDS:
        variables = {"KERAS_BACKEND": backend}
        ours, theirs = compare(OURS, [sys.executable, "-c", THEIRS], RUNS, variables)
        ratio = ours.seconds / theirs.seconds
        over |= ratio > BOUND
        print(
            f"{backend:<10} scaffold check {ours.seconds:5.1f} s, run_layer_test "
            f"{theirs.seconds:4.1f} s, {ratio:4.2f} x  at most {BOUND:g}  "
            f"{'over' if ratio > BOUND else 'ok'}"
        )
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
