"""Imported first by each class under test, so that its mutants behave like the class.

mutmut replaces each method with a trampoline; Keras reads the signature of `__init__` in a way that
does not see through it, and a test's fresh process has another working directory.
"""

import inspect
import os
from pathlib import Path
from typing import Any

from mutmut import configuration
from mutmut.mutation import trampoline as _module

_here = Path.cwd()
os.chdir(Path(__file__).parent)
configuration.config()
os.chdir(_here)
_trampoline: Any = _module
_plain = _trampoline.wrap_in_trampoline


def _wrap(mutants: Any, **options: Any) -> Any:
    decorate = _plain(mutants, **options)

    def with_signature(function: Any) -> Any:
        wrapped: Any = decorate(function)
        if function.__name__ == "__init__":
            wrapped.__signature__ = inspect.signature(function)
        return wrapped

    return with_signature


_trampoline.wrap_in_trampoline = _wrap
