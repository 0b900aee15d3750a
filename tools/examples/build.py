"""Builds examples: the files that their commands generate, and what is in them."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from scaffold.cli.generation import read
from scaffold.errors import ScaffoldError, UsageError
from scaffold.generation.catalog import Catalog
from scaffold.generation.render import render_file
from scaffold.generation.template import Options, Template, Training
from scaffold.planning import Plan, Project
from tools.examples.listing import FOLDER, Example

PACKAGE = "examples"
_SCRIPT = "example/train_layer.py.jinja"


@dataclass(frozen=True)
class Generated:
    """A class of an example, with the command that generated it."""

    target: str
    name: str
    module: str
    template: str
    options: Options
    command: str


@dataclass(frozen=True)
class Built:
    """An example as it should be.

    Args:
        example: Its entry in the list.
        files: The bytes of each file, by its name in the folder.
        classes: The generated classes, in order.
        task: The task of its training script, if there is one.
    """

    example: Example
    files: Mapping[str, bytes]
    classes: Sequence[Generated]
    task: Training | None

    @property
    def script(self) -> str:
        """The name of the training script."""
        (name,) = (name for name in self.files if name.startswith("train_"))
        return name

    def paths(self, folder: Path = FOLDER) -> dict[PurePosixPath, bytes]:
        """Return the bytes of each file by its path, including the folder of all examples."""
        root = PurePosixPath(folder.as_posix()) / self.example.name
        return {root / name: content for name, content in self.files.items()}


def build(example: Example, catalog: Catalog | None = None) -> Built:
    """Generate an example, without changing existing files.

    Raises:
        ScaffoldError: As its commands do.
    """
    catalog = catalog or Catalog.builtin()
    with tempfile.TemporaryDirectory(prefix="example-") as scratch:
        folder = Path(scratch).resolve()
        classes = [_generated(command, folder) for command in example.commands]
        files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    last = classes[-1]
    task = _task(example, last, catalog.get(last.target, last.template))
    if example.network and task:
        files[f"train_{last.module}.py"] = _script(catalog, example, last, task)
    return Built(example, dict(sorted(files.items())), classes, task)


def left_over(built: Sequence[Built], folder: Path = FOLDER) -> Iterator[Path]:
    """Yield files in the folders of the examples that don't belong to them."""
    for one in built:
        for path in sorted((folder / one.example.name).glob("**/*.*")):
            inside = path.relative_to(folder / one.example.name)
            if "__pycache__" not in inside.parts and inside.as_posix() not in one.files:
                yield path


def _generated(command: str, folder: Path) -> Generated:
    words = shlex.split(command)
    plan = written(words, folder, PACKAGE)
    spec = plan.spec
    return Generated(
        words[0], spec.name, plan.module, spec.template, spec.options, f"scaffold {command}"
    )


def written(words: Sequence[str], folder: Path, package: str | None = None) -> Plan:
    """Write what a command line generates in `folder`.

    Args:
        words: The command line.
        folder: The current folder of the command.
        package: The package to register classes under; by default, that of the folder's project.

    Raises:
        UsageError: If the command fails.
    """
    try:
        with contextlib.chdir(folder):
            request, wish = read(words)
            asked = replace(request, package=request.package or package)
            return Project().generate(asked, wish.folders)
    except ScaffoldError as error:
        raise UsageError(f"`{shlex.join(words)}`: {error.message}", fix=error.fix) from None


def _script(catalog: Catalog, example: Example, last: Generated, task: Training) -> bytes:
    facts = {
        "name": last.name,
        "module": last.module,
        "network": example.network,
        "options": {},
        "arguments": (),
        "training": task,
        "compiled": {"loss": "", "metrics": ()},
    }
    return render_file(catalog, _SCRIPT, last.module, facts).encode("utf-8")


def _task(example: Example, last: Generated, template: Template) -> Training | None:
    if example.accuracy is not None:
        return Training("digits", "accuracy", example.accuracy, lower=False, when={})
    return template.training_for(last.options)
