"""In a fork: become the requested process, parsing its arguments like `python`."""

from __future__ import annotations

import builtins
import faulthandler
import os
import runpy
import sys
import types
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# The import path of the server, without its `PYTHONPATH`.
_OWN_PATH = os.environ.get("PYTHONPATH", "").split(os.pathsep)
_LIBRARIES = [entry for entry in sys.path[1:] if entry not in _OWN_PATH]


def run(asked: Mapping[str, Any], streams: Sequence[int]) -> None:
    """Run `-c code`, `-m module` or a script, and end as it does.

    Args:
        asked: `words`, `folder`, `environment`, and `python`, the command that was called.
        streams: File descriptors of standard input, output and error.
    """
    _be_alone(asked, streams)
    words, safe = _options([*asked["words"]])
    how, *rest = words if words[:1] in (["-c"], ["-m"]) else ["script", *words]
    if not rest:
        raise SystemExit("a warm python runs `-c code`, `-m module` or a script")
    what, arguments = rest[0], rest[1:]
    first = {"-c": "", "-m": str(Path.cwd()), "script": str(Path(what).parent.absolute())}[how]
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [*([] if safe else [first]), *paths, *_LIBRARIES]
    sys.path_importer_cache.clear()
    sys.argv[:] = ["-c" if how == "-c" else what, *arguments]
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    elif how == "script":
        runpy.run_path(what, run_name="__main__")
    else:
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        exec(what, vars(module))  # noqa: S102 - like `python -c`


def _be_alone(asked: Mapping[str, Any], streams: Sequence[int]) -> None:
    os.setpgid(0, 0)
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", 1, "utf-8", "backslashreplace", closefd=False)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.executable = asked["python"]
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    if os.environ.get("PYTHONFAULTHANDLER"):
        faulthandler.enable()


def _options(words: list[str]) -> tuple[list[str], bool]:
    """Return `words` without the options of `python`, and whether `-P` is one of them."""
    safe = bool(os.environ.get("PYTHONSAFEPATH"))
    while words and words[0].startswith("-") and words[0] not in ("-c", "-m"):
        option = words.pop(0)
        if option == "-W":
            _filter_warnings(words.pop(0))
        elif option == "-X":
            words.pop(0)
        elif option == "-P":
            safe = True
        elif option != "-q":
            raise SystemExit(f"a warm python does not support {option}")
    return words, safe


def _filter_warnings(text: str) -> None:
    """Apply `action:message:category`, the argument of `-W`."""
    action, message, category, *_ = [*text.split(":"), "", ""]
    kind = getattr(builtins, category or "Warning")
    warnings.filterwarnings(action, message, kind)  # type: ignore[arg-type] # it checks the action
