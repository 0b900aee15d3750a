"""The imports of a generated file, collected while it renders and written in order."""

from __future__ import annotations

import sys
from typing import Any

from scaffold.text import natural

Key = tuple[Any, ...]


class Imports:
    """Import statements as data, without duplicates."""

    def __init__(self, first_party: str = "") -> None:
        self._first_party = {first_party.partition(".")[0]}
        self._modules: set[tuple[str, str]] = set()
        self._names: dict[str, set[str]] = {}

    def add(self, module: str, *names: str, alias: str = "", own: bool = False) -> str:
        """Collect `import module [as alias]`, or `from module import names`.

        Returns an empty string, so that a template can call it in place. Modules of the project
        itself, marked by `own`, come last.
        """
        if own:
            self._first_party.add(module.partition(".")[0])
        if names:
            self._names.setdefault(module, set()).update(names)
        else:
            self._modules.add((module, alias))
        return ""

    def __str__(self) -> str:
        sections: dict[int, list[str]] = {}
        for module, alias in sorted(self._modules):
            statement = f"import {module} as {alias}" if alias else f"import {module}"
            sections.setdefault(self._rank(module), []).append(statement)
        for module, names in sorted(self._names.items()):
            statement = f"from {module} import {', '.join(sorted(names, key=as_isort))}"
            sections.setdefault(self._rank(module), []).append(statement)
        return "\n\n".join("\n".join(lines) for _, lines in sorted(sections.items()))

    def _rank(self, module: str) -> int:
        root = module.partition(".")[0]
        if root in self._first_party:
            return 2
        return 0 if root in sys.stdlib_module_names else 1


def as_isort(name: str) -> Key:
    """Return the key that isort and ruff sort an imported name by: kind, then name without case."""
    return kind(name), natural(name.lower()), natural(name)


def kind(name: str) -> int:
    """Return the rank of a name: constants come first, then classes, then the rest."""
    return 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
