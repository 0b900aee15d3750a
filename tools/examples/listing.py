"""The list of examples, `generated_examples/examples.toml`, as values."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaffold.errors import MissingError, UsageError
from scaffold.text import nearest, shown
from scaffold.toml_tables import as_table, as_text, check_keys

FOLDER = Path("generated_examples")
LISTING = "examples.toml"
_KEYS = ("about", "generate", "network", "accuracy")


@dataclass(frozen=True)
class Example:
    """A folder of generated files.

    Args:
        name: The folder.
        commands: What is typed behind `scaffold`, one line behind the other.
        about: What it shows, where the templates do not say it.
        network: For a layer: the body of a function that returns a network with it, from images
            of shape (8, 8, 1) to ten logits. A model has a training script of its own.
        accuracy: What that network has to exceed on images of digits that were held out.
    """

    name: str
    commands: tuple[str, ...]
    about: str = ""
    network: str = ""
    accuracy: float | None = None


def load_examples(folder: Path | None = None) -> dict[str, Example]:
    """All examples by their names, in the order of the list.

    Args:
        folder: Where the list lies; by default `generated_examples` here.

    Raises:
        MissingError: If there is no list.
        UsageError: If it is not well-formed.
    """
    file = (folder or FOLDER) / LISTING
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingError(
            f"there is no {file.as_posix()}",
            fix="Go to a folder that has one, such as a clone of keras-scaffold",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file.as_posix()} is no TOML: {error}", fix="Fix the file") from None
    return {name: _example(name, table, file) for name, table in data.items()}


def choose(examples: Mapping[str, Example], names: Iterable[str]) -> list[Example]:
    """Those that are named, else all.

    Raises:
        UsageError: If there is none of a name.
    """
    wanted = list(dict.fromkeys(names)) or [*examples]
    for name in wanted:
        if name not in examples:
            raise UsageError(
                f"there is no example `{shown(name)}`{nearest(name, examples)}",
                fix=f"They stand in {(FOLDER / LISTING).as_posix()}",
            )
    return [examples[name] for name in wanted]


def _example(name: str, table: Any, file: Path) -> Example:
    where = f"{file.as_posix()}: [{shown(name)}]"
    as_table(table, where, f"Write `[{shown(name)}]` with keys below it.")
    if not name.isidentifier():
        raise UsageError(f"{where} can't name a folder", fix="Use letters, digits and `_`")
    check_keys(table, _KEYS, where)
    commands = table.get("generate")
    if not (isinstance(commands, list) and commands and all(isinstance(c, str) for c in commands)):
        raise UsageError(
            f"{where}: `generate` is no list of commands",
            fix='Write `generate = ["layer MyLayer"]`, for example',
        )
    texts = {
        key: as_text(table.get(key, ""), f"{where}: `{key}`").strip()
        for key in ("about", "network")
    }
    accuracy = table.get("accuracy")
    if (accuracy is not None) != bool(texts["network"]):
        raise UsageError(
            f"{where} has only one of `network` and `accuracy`",
            fix="Give a network the accuracy that it must exceed",
        )
    if accuracy is not None and not (isinstance(accuracy, float) and 0 < accuracy < 1):
        raise UsageError(f"{where}: `accuracy` is no share", fix="Write `accuracy = 0.9`")
    return Example(name, tuple(commands), texts["about"], texts["network"], accuracy)
