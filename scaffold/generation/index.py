"""What a catalog says about its templates without reading each manifest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from scaffold.generation.manifest import manifests
from scaffold.generation.template import Meaning, Template

INDEX = "index.json"


@dataclass(frozen=True)
class Entry:
    """What a template is chosen by.

    Args:
        target: `layer` or `model`.
        name: The template's name.
        words: As in `Template`.
        qualifiers: As in `Template`.
        fallback: As in `Template`.
        derives: Whether its class derives from a Keras class.
        composes: Whether it is composed of layers.
    """

    target: str
    name: str
    words: Mapping[str, Meaning]
    qualifiers: Mapping[str, Meaning]
    fallback: bool
    derives: bool
    composes: bool

    @classmethod
    def of(cls, template: Template) -> Entry:
        """Return the entry of a template."""
        return cls(
            template.target,
            template.name,
            template.words,
            template.qualifiers,
            template.fallback,
            bool(template.base),
            bool(template.layers),
        )


def write_index(path: Path, folder: Path, templates: Iterable[Template]) -> None:
    """Write the entries of a folder's templates."""
    entries = [asdict(Entry.of(template)) for template in templates]
    index = {"manifests": _digest(folder), "entries": entries}
    path.write_text(json.dumps(index), encoding="utf-8")


def read_index(path: Path, folder: Path) -> dict[tuple[str, str], Entry]:
    """Return the entries of a folder by target and name; none if a manifest has changed."""
    if not path.is_file():
        return {}
    index = json.loads(path.read_text(encoding="utf-8"))
    if index["manifests"] != _digest(folder):
        return {}
    entries = (
        Entry(**{**entry, **{key: _meanings(entry[key]) for key in ("words", "qualifiers")}})
        for entry in index["entries"]
    )
    return {(entry.target, entry.name): entry for entry in entries}


def _meanings(table: Mapping[str, Any]) -> dict[str, Meaning]:
    return {word: Meaning.read(**meaning) for word, meaning in table.items()}


def _digest(folder: Path) -> str:
    """Return a hash of the manifests in a folder, and of where they are."""
    digest = sha256()
    for path in manifests(folder):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()
