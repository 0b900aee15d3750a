"""The catalogue: the templates in some folders, by their names and by what people call them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from scaffold.errors import UsageError
from scaffold.manifest import MANIFEST, load
from scaffold.template import Options, Template
from scaffold.text import nearest, shown, snake_case

TARGETS = ("layer", "model")


class Catalog:
    """All templates below some folders; the first folder that has a name wins."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)
        self._loaded: dict[Path, Template] = {}

    @classmethod
    @cache
    def builtin(cls) -> Catalog:
        """The templates that come with scaffold, from the wheel or the source tree."""
        package = Path(__file__).parent
        inside = package / "templates"
        return cls([inside if inside.is_dir() else package.parent / "templates"])

    def names(self, target: str) -> list[str]:
        """The names of all templates of a target, sorted."""
        manifests = (m for folder in self.folders for m in folder.glob(f"{target}/*/{MANIFEST}"))
        return sorted({manifest.parent.name for manifest in manifests})

    def words(self, target: str) -> list[str]:
        """What the templates of a target can be called by: their names and words."""
        return [word for one in self.templates(target) for word in (one.name, *one.words)]

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
                mend="See `scaffold list`.",
            )
        folders = (folder / target / name for folder in self.folders)
        folder = next(folder for folder in folders if (folder / MANIFEST).is_file())
        if folder not in self._loaded:
            self._loaded[folder] = load(folder)
        return self._loaded[folder]

    def pick(self, target: str, class_name: str) -> tuple[Template, Options, str]:
        """The template for a class by the words that its name ends in, with why."""
        templates = self.templates(target)
        parts = snake_case(class_name).split("_")
        for first in range(len(parts)):
            word = "_".join(parts[first:])
            for template in templates:
                if word in template.words:
                    return template, template.words[word], f"{class_name} ends in {word}"
        for template in templates:
            if template.fallback:
                return template, {}, f"no template is called {parts[-1]}"
        raise UsageError(
            f"no {target} template is called {shown(parts[-1])}", mend="Choose one with --template."
        )

    def find(self, target: str, word: str) -> tuple[Template, Options]:
        """The template called `word`, or one of whose words it is, with the options it implies.

        Raises:
            UsageError: If there is none.
        """
        if word not in self.names(target):
            for template in self.templates(target):
                if word in template.words:
                    return template, template.words[word]
        return self.get(target, word), {}
