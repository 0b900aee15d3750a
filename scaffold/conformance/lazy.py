"""Modules imported on first use, so that listing the checks doesn't import Keras."""

from __future__ import annotations

import importlib
from typing import Any


class _Lazy:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


keras: Any = _Lazy("keras")
np: Any = _Lazy("numpy")
