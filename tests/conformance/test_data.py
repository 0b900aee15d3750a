"""The arguments of a call keep their structure, on each backend."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from scaffold.conformance.backends import BACKENDS

SCRIPT = """
import json
import numpy as np
from scaffold.conformance.subject import Data
first, *others = (np.full(2, number) for number in range(4))
data = Data({"wide": first, "deep": (others[0], None)}, {"right": others[1], "left": others[2]})
same, more = data.filled(data.tensors()), data.filled([tensor + 10 for tensor in data.tensors()])
print(json.dumps({name: int(value[0]) for name, value in same.call.items()}))
print(int(same.inputs["wide"][0]), int(same.inputs["deep"][0][0]), same.inputs["deep"][1])
print(int(more.inputs["wide"][0]), int(more.call["left"][0]))
"""


@pytest.mark.parametrize("backend", BACKENDS)
def test_tensors_go_back_into_their_structure(backend: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=True,
    )
    call, inputs, more = done.stdout.splitlines()[-3:]
    assert json.loads(call) == {"right": 2, "left": 3}
    assert inputs == "0 1 None"
    assert more == "10 13"
