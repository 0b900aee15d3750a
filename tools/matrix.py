"""`make matrix`: every pair of options of every template gives well-formed, correct code.

    python -m tools.matrix --shard 1/4

Each variant of a covering array is generated, checked with black and ruff, imported, and must pass
its own tests on one of the backends, in turn.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from allpairspy import AllPairs

from scaffold.conformance.backends import BACKENDS
from scaffold.generation.catalog import TARGETS, Catalog
from scaffold.generation.template import Options, Template
from tools.examples.build import Built, build
from tools.examples.listing import Example
from tools.examples.progress import Display
from tools.examples.shard import Shard
from tools.examples.verify.result import SOURCE, Result
from tools.examples.verify.run import Asked, run_all
from tools.examples.verify.source import well_formed
from tools.examples.verify.steps import imports, tests


def variants(template: Template) -> Iterator[Options]:
    """Yield options that cover each pair of values, or each value of a single option."""
    values = [[*option.values] for option in template.options]
    names = [option.name for option in template.options]
    # `AllPairs` needs two or more.
    chosen = AllPairs(values) if len(values) > 1 else itertools.product(*values)
    for one in chosen:
        yield dict(zip(names, one, strict=True))


def pairs(catalog: Catalog) -> list[Example]:
    """Return an example for each variant of each template."""
    return [
        _example(template, options)
        for target in TARGETS
        for template in catalog.templates(target)
        for options in variants(template)
    ]


def _example(template: Template, options: Options) -> Example:
    spelled = {name: str(value).lower() for name, value in options.items()}
    words = [f"--option={name}={value}" for name, value in spelled.items()]
    name = "_".join([template.target, template.name, *spelled.values()])
    return Example(
        name, (" ".join([template.target, "MyOwn", f"--template={template.name}", *words]),)
    )


@click.command(help="Generate and test every pair of options of every template.")
@click.option("--shard", default="1/1", metavar="I/N", help="The I-th of N shares of the variants.")
def main(shard: str) -> None:
    """Run the shard; the exit code is 1 if something failed."""
    catalog = Catalog.builtin()
    built = [build(example, catalog) for example in Shard.parse(shard).of(pairs(catalog))]
    asked = Asked(BACKENDS, jobs=os.cpu_count() or 1, by_turn=True)
    display = Display(2 * len(built), quiet=False)
    found = [display.show(result) for result in _sources(built)]
    found += map(display.show, run_all(asked.units(built), asked, (imports, tests)))
    failed = [result for result in found if result and not result.proved]
    click.echo(f"{len(built)} variants, {len(failed)} failures")
    raise SystemExit(bool(failed))


def _sources(built: list[Built]) -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="matrix-") as scratch:
        folder = Path(scratch)
        for one in built:
            (folder / one.example.name).mkdir()
            for name, content in one.files.items():
                (folder / one.example.name / name).write_bytes(content)
        for name, steps in well_formed(built, folder).items():
            yield Result(name, SOURCE, "cpu", "", steps)


if __name__ == "__main__":
    main()
