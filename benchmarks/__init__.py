"""Measurements: `make bench`, `make mutation`, `make keras-tests`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Where the goldens, the proofs and the zoo are imported from.
sys.path += [str(ROOT / "tests/support"), str(ROOT / "tests")]
