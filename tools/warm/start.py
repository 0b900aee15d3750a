"""Starts the servers of some backends, and writes the command that uses them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from scaffold.errors import ScaffoldError
from tools.warm import command

# Hash values differ between processes, and a fork has those of its server.
SEEDS = ("", "4321")
# On macOS, forking after these imports may crash.
FORKS = hasattr(os, "fork") and sys.platform != "darwin"
_PATIENCE = 300.0  # seconds


@contextlib.contextmanager
def warm_python(backends: Iterable[str], variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the path of a warm interpreter, which exists inside the context.

    Args:
        backends: Values of KERAS_BACKEND for which Keras is imported in advance; any other starts
            the real interpreter.
        variables: Environment variables that the libraries read when they are imported, which is
            too late in a fork.

    Raises:
        ScaffoldError: If a server does not start.
    """
    if not FORKS:
        yield sys.executable
        return
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="warm-")))
        sockets = [
            _serve(stack, folder, name, seed, variables) for name in backends for seed in SEEDS
        ]
        _wait_for(sockets)
        python = folder / "python"
        body = Path(command.__file__).read_text(encoding="utf-8")
        # Isolated and without `site`, it starts five times as fast.
        python.write_text(f"#!{sys.executable} -ISE\n{body}", encoding="utf-8")
        python.chmod(0o700)
        yield str(python)


def _serve(
    stack: contextlib.ExitStack, folder: Path, backend: str, seed: str, given: Mapping[str, str]
) -> tuple[Path, subprocess.Popen[bytes]]:
    """Start a server, which ends with `stack` or with this process."""
    address = folder / f"{backend}-{seed}"
    log = stack.enter_context((folder / f"{address.name}.log").open("wb"))
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
    variables |= {**given, "KERAS_BACKEND": backend, **({"PYTHONHASHSEED": seed} if seed else {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.warm.server", str(address)],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    stack.enter_context(process)
    stack.callback(process.kill)
    return address, process


def _wait_for(servers: Iterable[tuple[Path, subprocess.Popen[bytes]]]) -> None:
    end = time.monotonic() + _PATIENCE
    for address, process in servers:
        while not address.exists():
            if process.poll() is not None or time.monotonic() > end:
                log = address.with_name(f"{address.name}.log").read_text("utf-8", "replace")
                raise ScaffoldError(
                    f"Keras could not be imported for {address.name.rstrip('-')}: "
                    f"{[log, *log.splitlines()][-1]}",
                    fix='Try `python -c "import keras"` with that KERAS_BACKEND',
                )
            time.sleep(0.02)
