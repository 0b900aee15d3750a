"""`pytest --scaffold-check`: each check of each layer and model is a separate test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that turns the plugin on."""
    parser.getgroup("scaffold").addoption(
        "--scaffold-check",
        action="store_true",
        help="Check the Keras layers and models in the collected Python files.",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the layers and models that a file defines."""
    if not parent.config.getoption("--scaffold-check"):
        return None
    from scaffold.conformance.process.targets import defines_layers

    if file_path.suffix != ".py" or not defines_layers(file_path):
        return None
    return _File.from_parent(parent, path=file_path, name=f"{file_path.name}[scaffold]")


class _File(pytest.File):
    """A file with layers and models."""

    def collect(self) -> Iterator[pytest.Item]:
        from scaffold.conformance.api import bound_checks
        from scaffold.conformance.process.classes import classes_of
        from scaffold.conformance.process.targets import modules_of
        from scaffold.conformance.registry import checks

        (module,) = modules_of([str(self.path)])
        for cls in classes_of(module):
            for _, bound, name in bound_checks(cls, checks()):
                yield _Item.from_parent(self, name=name, bound=bound)


class _Item(pytest.Item):
    """One check of one case."""

    def __init__(self, *, bound: Any, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._bound = bound

    def runtest(self) -> None:
        self._bound()

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str | TerminalRepr:
        from scaffold.conformance.api import ConformanceError

        if isinstance(excinfo.value, ConformanceError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name
