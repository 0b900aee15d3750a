"""What `names.toml` says about names: neutral words, and known names without a template."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scaffold.errors import UsageError
from scaffold.text import folded
from scaffold.toml_tables import check_keys

NAMES = "names.toml"
_KEYS = ("neutral", "known", "kind", "near")
_TARGETS = ("layer", "model")
_KNOWN = ("title", "target", "words", *_TARGETS, "base")
_KIND = ("title", "words", "base")


# A template's name, with the options and defaults that a word could set.
Table = Mapping[str, Any]


@dataclass(frozen=True)
class Known:
    """A well-known layer or model without a template.

    Args:
        title: What it is called; empty if the words may mean any of the nearest templates.
        target: `layer` or `model`.
        words: What it is called in a class name.
        near: The nearest templates by target, the best first.
        base: The Keras class that implements it, if there is one.
    """

    title: str
    target: str
    words: tuple[str, ...]
    near: Mapping[str, Sequence[Table]]
    base: str = ""


@dataclass(frozen=True)
class Kind:
    """Something that is neither a layer nor a model, with the Keras class that it derives from."""

    title: str
    words: tuple[str, ...]
    base: str


@dataclass(frozen=True)
class Lexicon:
    """What several folders of templates say about names; the first folder takes precedence.

    `akin` has the nearest templates by the target that is wanted and by the words of templates of
    the other target.
    """

    neutral: frozenset[str] = frozenset()
    known: tuple[Known, ...] = ()
    kinds: tuple[Kind, ...] = ()
    akin: Mapping[str, Mapping[str, Sequence[Table]]] = field(default_factory=dict)

    @classmethod
    def read(cls, folders: Iterable[Path]) -> Lexicon:
        """Read the names in these folders.

        Raises:
            UsageError: If a file is malformed.
        """
        tables = [_read(path) for folder in folders if (path := folder / NAMES).is_file()]
        return cls(
            frozenset(word for table in tables for word in table.get("neutral", [])),
            tuple(_known(entry) for table in tables for entry in table.get("known", [])),
            tuple(
                Kind(entry["title"], tuple(entry["words"]), entry["base"])
                for table in tables
                for entry in table.get("kind", [])
            ),
            {
                target: {
                    folded(word): near
                    for table in reversed(tables)
                    for word, near in table.get("near", {}).get(target, {}).items()
                }
                for target in _TARGETS
            },
        )

    def near(self, target: str, word: str) -> Sequence[Table]:
        """Return the templates of `target` nearest to what is called `word`."""
        called = folded(word)
        entries = (one for one in self.known if called in map(folded, one.words))
        found = next(entries, None)
        return found.near[target] if found else self.akin.get(target, {}).get(called, ())


def _known(entry: Table) -> Known:
    near = {target: entry.get(target, []) for target in _TARGETS}
    words = tuple(entry["words"])
    return Known(entry["title"], entry["target"], words, near, entry.get("base", ""))


def _read(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        check_keys(table, _KEYS, "the file")
        check_keys(table.get("near", {}), _TARGETS, "`near`")
        for entry in table.get("known", []):
            check_keys(entry, _KNOWN, "`known`", _KNOWN[:3])
            if entry["target"] not in _TARGETS:
                raise ValueError(f"`target` of `{entry['title']}` is neither `layer` nor `model`")
        for entry in table.get("kind", []):
            check_keys(entry, _KIND, "`kind`", _KIND)
    except (UsageError, ValueError) as error:
        raise UsageError(f"{path} can't be read: {error}", fix="Fix the file.") from None
    return table
