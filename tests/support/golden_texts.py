"""The exact text of the goldens, as committed: examples, and what differs from them.

A golden has the text of the example with its name, or a `NAME.diff` next to its proof. That has a
section for each file, with the diff from a file of an example or of an earlier golden:

    === gated_dense.py from dense/my_dense.py with GatedDense for MyDense
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diffs import MisfitError, difference, patched
from proofs import TARGETS, folder_of, proofs
from scaffold.generation.naming import module_name

EXAMPLES = Path(__file__).parents[2] / "generated_examples"
PACKAGE = "golden"
# What a golden has in place of files that can't be known.
OUTDATED = "OUTDATED"
# Of the most similar files, this many are compared line by line.
_COMPARED = 6
# By this many lines must a file of another template be nearer.
_UNRELATED = 10
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)
_REGISTERED = re.compile(r'(?<=package=")examples(?=")|(?<=")examples(?=>)')
_SECTION = re.compile(r"^=== (\S+) from (\w+)/(\S+) with (\w+) for (\w+)\n", re.MULTILINE)
Files = Mapping[str, str]


@dataclass(frozen=True)
class Source:
    """A file that others can be described by.

    Args:
        golden: The example or golden that it belongs to.
        file: Its name there.
        name: The class that it is about.
        text: Its text.
    """

    golden: str
    file: str
    name: str
    text: str

    @property
    def role(self) -> str:
        """The part of its name before the module: `test_`, `train_` or nothing."""
        return next((role for role in ("test_", "train_") if self.file.startswith(role)), "")

    @property
    def module(self) -> str:
        """The module of the class."""
        return self.file.removeprefix(self.role).removesuffix(".py")

    def about(self, file: str, name: str) -> list[str]:
        """Return its lines with the names of another file and class in place of its own."""
        module = replace(self, file=file).module
        named = rf"(?<![A-Za-z0-9])(test_|train_)?{self.module}(?![A-Za-z0-9])"
        return re.sub(named, rf"\g<1>{module}", self.text).replace(self.name, name).split("\n")


def examples() -> dict[str, Files]:
    """Return the files of each example, registered under the package of goldens."""
    return {
        folder.name: {
            path.name: _REGISTERED.sub(PACKAGE, path.read_text("utf-8"))
            for path in sorted(folder.glob("*.py"))
        }
        for folder in sorted(EXAMPLES.iterdir())
    }


def committed() -> dict[str, Files]:
    """Return the files of each golden; where they can't be known, only `OUTDATED`."""
    known, found = examples(), {}
    for target in TARGETS:
        for template, proof in proofs(target).items():
            for golden in proof.goldens:
                diff = folder_of(target, template) / f"{golden}.diff"
                try:
                    files = _read(diff, known) if diff.exists() else _own(target, known[golden])
                except (KeyError, MisfitError) as error:
                    reason = f"{diff.name} doesn't fit ({error}): `make goldens` renews it"
                    files = {OUTDATED: reason}
                found[golden] = files
                known.setdefault(golden, files)
    return found


def _own(target: str, files: Files) -> Files:
    """Return the files of an example except the training script of a layer."""
    own = (file for file in files if target == "model" or not file.startswith("train_"))
    return {file: files[file] for file in own}


def _read(diff: Path, known: Mapping[str, Files]) -> Files:
    """Return the files that a diff describes."""
    files = {}
    _, *parts = _SECTION.split(diff.read_text("utf-8"))
    for file, golden, other, name, old_name, text in zip(*[iter(parts)] * 6, strict=True):
        old = Source(golden, other, old_name, known[golden][other]).about(file, name)
        files[file] = "\n".join(patched(old, text.split("\n")[:-1]))
    return files


def renew(target: str, template: str, generated: Mapping[str, Files]) -> None:
    """Write the diffs of a template's goldens, from what is generated for them.

    A section keeps its source; a new one gets the most similar file.
    """
    own = examples()
    sources = [source for golden, files in own.items() for source in _sources(golden, files)]
    for golden, files in generated.items():
        diff = folder_of(target, template) / f"{golden}.diff"
        if golden in own and files == _own(target, own[golden]):
            diff.unlink(missing_ok=True)
            continue
        before = _SECTION.findall(diff.read_text("utf-8")) if diff.exists() else []
        kept = {file: (other, its_file) for file, other, its_file, *_ in before}
        mine = [*_sources(golden, files)]
        sections = [
            line
            for new in mine
            for line in _section(new, _chosen(new, sources, kept.get(new.file), generated))
        ]
        diff.write_text("\n".join([*sections, ""]), "utf-8")
        if golden not in own:
            sources += mine


def _sources(golden: str, files: Files) -> Iterator[Source]:
    names = {module_name(name): name for text in files.values() for name in _CLASS.findall(text)}
    for file, text in files.items():
        source = Source(golden, file, "", text)
        yield replace(source, name=names[source.module])


def _chosen(
    new: Source,
    sources: Iterable[Source],
    kept: tuple[str, str] | None,
    related: Container[str],
) -> Source:
    """Return the source of a file: the kept one if it is still there, or the most similar."""
    alike = [source for source in sources if source.role == new.role]
    lines = Counter(new.text.split("\n"))

    def unlike(source: Source) -> int:
        others = Counter(source.about(new.file, new.name))
        return (others - lines).total() + (lines - others).total()

    def cost(source: Source) -> int:
        return len(_section(new, source)) + (0 if source.golden in related else _UNRELATED)

    near = [source for source in alike if (source.golden, source.file) == kept]
    return min(near or sorted(alike, key=unlike)[:_COMPARED], key=cost)


def _section(new: Source, old: Source) -> Sequence[str]:
    heading = f"=== {new.file} from {old.golden}/{old.file} with {new.name} for {old.name}"
    return [heading, *difference(old.about(new.file, new.name), new.text.split("\n"))]
