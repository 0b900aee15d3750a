"""The catalogue: the templates in some folders, by their names and by what people call them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path

from scaffold.errors import UsageError
from scaffold.generation.choosing import choose
from scaffold.generation.lexicon import NAMES, Lexicon
from scaffold.generation.manifest import MANIFEST, load
from scaffold.generation.near import Near, UndecidedError
from scaffold.generation.template import Meaning, Template
from scaffold.text import folded, nearest, shown

TARGETS = ("layer", "model")


class Catalog:
    """All templates below some folders; the first folder that has a name wins."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)
        self._loaded: dict[Path, Template] = {}
        self._names: dict[str, list[str]] = {}

    @classmethod
    @cache
    def builtin(cls) -> Catalog:
        """The templates that come with scaffold, from the wheel or the source tree."""
        package = Path(__file__).parents[1]
        inside = package / "templates"
        return cls([inside if inside.is_dir() else package.parent / "templates"])

    @cached_property
    def lexicon(self) -> Lexicon:
        """What the folders say of names that no template has."""
        return Lexicon.read(self.folders)

    def names(self, target: str) -> list[str]:
        """The names of all templates of a target, sorted."""
        if target not in self._names:
            manifests = (m for f in self.folders for m in f.glob(f"{target}/*/{MANIFEST}"))
            self._names[target] = sorted({manifest.parent.name for manifest in manifests})
        return self._names[target]

    def words(self, target: str) -> list[str]:
        """What the templates of a target can be called by: their names, words and qualifiers."""
        return [
            word
            for one in self.templates(target)
            for word in (one.name, *one.words, *one.qualifiers)
        ]

    def deriving(self, target: str) -> Template:
        """The template of classes that derive from one of Keras."""
        return next(template for template in self.templates(target) if template.base)

    def composing(self, target: str) -> Template:
        """The template of models that are composed of layers."""
        return next(template for template in self.templates(target) if template.layers)

    def templates(self, target: str) -> list[Template]:
        return [self.get(target, name) for name in self.names(target)]

    def get(self, target: str, name: str) -> Template:
        """The template called `name`.

        Raises:
            UsageError: If there is none, or its manifest is not well-formed.
        """
        if name not in self.names(target):
            raise UsageError(
                f"there is no {target} template `{shown(name)}`{nearest(name, self.words(target))}",
                fix="See `scaffold list`.",
            )
        folders = (folder / target / name for folder in self.folders)
        folder = next(folder for folder in folders if (folder / MANIFEST).is_file())
        if folder not in self._loaded:
            self._loaded[folder] = load(folder)
        return self._loaded[folder]

    def pick(self, target: str, class_name: str) -> tuple[Template, Meaning, str]:
        """The template that a class's name calls for, with what its words mean, and why.

        Raises:
            UndecidedError: If the name calls for several, or for what no template gives.
            UsageError: If it means nothing, and there is no template for such a name.
        """
        return choose(self, target, class_name)

    def near(self, target: str, word: str) -> list[Near]:
        """The templates of `target` that come nearest to what no template of it is called."""
        found = []
        for table in self.lexicon.near(target, word):
            template = self.get(target, table["template"])
            rest = {key: value for key, value in table.items() if key != "template"}
            found.append(Near(template, template.meaning(rest, f"`{word}` of {NAMES}")))
        return found

    def find(self, target: str, word: str) -> tuple[Template, Meaning]:
        """The template called `word`, in any spelling, with what the word means.

        Raises:
            UsageError: If there is none.
        """
        name = re.sub(r"^keras\.(\w+\.)*", "", word)
        if name not in self.names(target):
            for template in self.templates(target):
                for known, meaning in {**template.qualifiers, **template.words}.items():
                    if folded(known) == folded(name):
                        return template, meaning
            if not nearest(name, self.words(target)):
                self._refuse_known(target, name)
        return self.get(target, name), Meaning()

    def _refuse_known(self, target: str, word: str) -> None:
        """Refuse what people know, and no template of this target is called, with the nearest."""
        try:
            choose(self, target, word)
        except UndecidedError as error:
            typed = error.near[0].typed() if error.near else "TEMPLATE"
            raise UsageError(
                error.message, fix=f"Write `--template {typed}`, for example."
            ) from None
