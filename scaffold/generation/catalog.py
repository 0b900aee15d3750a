"""The catalog: the templates in some folders, by name and by alias."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path

from scaffold.errors import UsageError
from scaffold.generation.choosing import choose
from scaffold.generation.index import INDEX, Entry, read_index
from scaffold.generation.lexicon import NAMES, Lexicon
from scaffold.generation.manifest import MANIFEST, load
from scaffold.generation.near import Near, UndecidedError
from scaffold.generation.template import Meaning, Template
from scaffold.text import folded, nearest, shown

TARGETS = ("layer", "model")


class Catalog:
    """All templates below some folders; the first folder with a name wins.

    Args:
        folders: The folders.
        compiled: What the wheel's build made of the only folder, if anything.
    """

    def __init__(self, folders: Iterable[Path], compiled: Path | None = None) -> None:
        self.folders = tuple(folders)
        self.compiled = compiled
        self._loaded: dict[Path, Template] = {}
        self._names: dict[str, list[str]] = {}
        self._entries: dict[str, list[Entry]] = {}

    @classmethod
    @cache
    def builtin(cls) -> Catalog:
        """Return the templates that come with scaffold, from the wheel or the source tree."""
        package = Path(__file__).parents[1]
        inside = package / "templates"
        if inside.is_dir():
            return cls([inside], package / "compiled")
        return cls([package.parent / "templates"])

    @cached_property
    def lexicon(self) -> Lexicon:
        """What the folders say about names that no template has."""
        return Lexicon.read(self.folders)

    @cached_property
    def _index(self) -> Mapping[tuple[str, str], Entry]:
        return read_index(self.compiled / INDEX, self.folders[0]) if self.compiled else {}

    def names(self, target: str) -> list[str]:
        """Return the names of all templates of a target, sorted."""
        if target not in self._names:
            manifests = (m for f in self.folders for m in f.glob(f"{target}/*/{MANIFEST}"))
            self._names[target] = sorted({manifest.parent.name for manifest in manifests})
        return self._names[target]

    def words(self, target: str) -> list[str]:
        """Return the names, aliases and qualifiers of the templates of a target."""
        return [
            word for one in self.entries(target) for word in (one.name, *one.words, *one.qualifiers)
        ]

    def deriving(self, target: str) -> Template:
        """Return the template of classes that derive from a Keras class."""
        return self._first(one for one in self.entries(target) if one.derives)

    def composing(self, target: str) -> Template:
        """Return the template of models that are composed of layers."""
        return self._first(one for one in self.entries(target) if one.composes)

    def _first(self, entries: Iterator[Entry]) -> Template:
        entry = next(entries)
        return self.get(entry.target, entry.name)

    def entries(self, target: str) -> list[Entry]:
        """Return what the templates of a target are chosen by, from the index if it has them."""
        if target not in self._entries:
            self._entries[target] = [
                self._index.get((target, name)) or Entry.of(self.get(target, name))
                for name in self.names(target)
            ]
        return self._entries[target]

    def templates(self, target: str) -> list[Template]:
        return [self.get(target, name) for name in self.names(target)]

    def get(self, target: str, name: str) -> Template:
        """Return the template called `name`.

        Raises:
            UsageError: If there is none, or its manifest is malformed.
        """
        if name not in self.names(target):
            raise UsageError(
                f"{target} template `{shown(name)}` not found{nearest(name, self.words(target))}",
                fix="See `scaffold list`.",
            )
        folders = (folder / target / name for folder in self.folders)
        folder = next(folder for folder in folders if (folder / MANIFEST).is_file())
        if folder not in self._loaded:
            self._loaded[folder] = load(folder)
        return self._loaded[folder]

    def pick(self, target: str, class_name: str) -> tuple[Template, Meaning, str]:
        """Return the template that a class name calls for, with the meaning of its words, and why.

        Raises:
            UndecidedError: If the name calls for several, or for something without a template.
            UsageError: If it calls for none, and there is no fallback.
        """
        return choose(self, target, class_name)

    def near(self, target: str, word: str) -> list[Near]:
        """Return the templates of `target` nearest to a word that none of them is called."""
        found = []
        for table in self.lexicon.near(target, word):
            template = self.get(target, table["template"])
            rest = {key: value for key, value in table.items() if key != "template"}
            found.append(Near(template, template.meaning(rest, f"`{word}` in {NAMES}")))
        return found

    def find(self, target: str, word: str) -> tuple[Template, Meaning]:
        """Return the template called `word`, in any spelling, with what the word means.

        Raises:
            UsageError: If there is none.
        """
        name = re.sub(r"^keras\.(\w+\.)*", "", word)
        if name not in self.names(target):
            for entry in self.entries(target):
                for known, meaning in {**entry.qualifiers, **entry.words}.items():
                    if folded(known) == folded(name):
                        return self.get(target, entry.name), meaning
            if not nearest(name, self.words(target)):
                self._refuse_known(target, name)
        return self.get(target, name), Meaning()

    def _refuse_known(self, target: str, word: str) -> None:
        """Refuse a well-known name without a template of this target, suggesting the nearest."""
        try:
            choose(self, target, word)
        except UndecidedError as error:
            typed = [one.typed() for one in error.near]
            raise UsageError(
                error.message,
                fix=f"Use `--template {[*typed, 'TEMPLATE'][0]}`, for example.",
                suggestions=[one.word or one.template.name for one in error.near],
            ) from None
