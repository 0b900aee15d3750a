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
        commands: The arguments of `scaffold`, one line for each class.
        about: What it shows, if the templates don't say it.
        network: For a layer: the body of a function that returns a network with it, from images
            of shape (8, 8, 1) to ten logits. A model has its own training script.
        accuracy: The accuracy that the network must exceed on held-out digit images.
    """

    name: str
    commands: tuple[str, ...]
    about: str = ""
    network: str = ""
    accuracy: float | None = None


def load_examples(folder: Path | None = None) -> dict[str, Example]:
    """Load all examples by name, in the order of the list.

    Args:
        folder: The folder of the list; by default `generated_examples` here.

    Raises:
        MissingError: If there is no list.
        UsageError: If it is invalid.
    """
    file = (folder or FOLDER) / LISTING
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingError(
            f"{file.as_posix()} not found",
            fix="Run it in a folder that has one, such as a clone of keras-scaffold",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file.as_posix()} is not valid TOML: {error}", fix="Fix the file"
        ) from None
    return {name: _example(name, table, file) for name, table in data.items()}


def choose(examples: Mapping[str, Example], names: Iterable[str]) -> list[Example]:
    """Return the named examples, by default all.

    Raises:
        UsageError: If there is no example of a name.
    """
    wanted = list(dict.fromkeys(names)) or [*examples]
    for name in wanted:
        if name not in examples:
            raise UsageError(
                f"example `{shown(name)}` not found{nearest(name, examples)}",
                fix=f"{(FOLDER / LISTING).as_posix()} lists them",
            )
    return [examples[name] for name in wanted]


def _example(name: str, table: Any, file: Path) -> Example:
    where = f"{file.as_posix()}: [{shown(name)}]"
    as_table(table, where, f"Write `[{shown(name)}]` with keys below it.")
    if not name.isidentifier():
        raise UsageError(f"{where} is not a valid folder name", fix="Use letters, digits and `_`")
    check_keys(table, _KEYS, where)
    commands = table.get("generate")
    if not (isinstance(commands, list) and commands and all(isinstance(c, str) for c in commands)):
        raise UsageError(
            f"{where}: `generate` must be a list of commands",
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
            fix="Give the network an accuracy that it must exceed",
        )
    if accuracy is not None and not (isinstance(accuracy, float) and 0 < accuracy < 1):
        raise UsageError(
            f"{where}: `accuracy` must be a float between 0 and 1", fix="Write `accuracy = 0.9`"
        )
    return Example(name, tuple(commands), texts["about"], texts["network"], accuracy)
