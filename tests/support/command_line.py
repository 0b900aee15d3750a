"""The command line in a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import scaffold as package

ROOT = Path(package.__file__).parent.parent
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
# The reason for the template of a name that matches none.
SAYS_NOTHING = "the name matches no template: choose one from `scaffold list` with --template"
ENVIRONMENT |= {"PYTHONPATH": str(ROOT), "TERM": "xterm"}


def process(*words: str, folder: Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scaffold", *words]
    settings = {"capture_output": True, "env": ENVIRONMENT, "timeout": 60, **settings}
    return subprocess.run(command, cwd=folder, text=True, encoding="utf-8", check=False, **settings)
