"""What a card shows: an example, the template of its last class, and what has been found of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from scaffold.conformance.report.view import printable
from scaffold.generation.attributes import REQUIRED
from scaffold.generation.template import Options, Template, fill
from tools.examples.build import Built
from tools.examples.report.curves import Plot, plots
from tools.examples.report.formula import mathml
from tools.examples.verify import results as kept
from tools.examples.verify.result import SOURCE, Result

KINDS = {"tutorial": "Tutorials", "layer": "Layers", "model": "Models"}
_BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "Torch"}
_DEVICES = {"cpu": "CPU", "gpu": "GPU"}
_PLAIN = re.compile(r'<span class="(?:n|o|p|w|nn)">([^<]*)</span>')
_REFERENCE = re.compile(r"\[([^]]+\d{4})\]\((https?://[^)\s]+)\)")
_LONGEST = 300

Where = tuple[str, str]


@dataclass(frozen=True)
class Badge:
    """What is proved somewhere: `proved`, `failed` or `not run`."""

    where: str
    status: str


@dataclass(frozen=True)
class Measured:
    """What was found on a backend and a device, as text; a dash for what was not."""

    where: str
    score: str
    parameters: str
    ms_per_step: str
    tests: str
    checks: str


@dataclass(frozen=True)
class Task:
    """What was learnt: the metric on data held out, what was asked, and a guess to compare with."""

    metric: str
    asked: str
    guess: str
    guessed: str


@dataclass(frozen=True)
class Row:
    """An option or an attribute."""

    name: str
    values: str
    default: str
    doc: Markup


@dataclass(frozen=True)
class Card:
    """All that is shown of an example.

    Args:
        name: The example's.
        kind: A key of `KINDS`.
        title: The template's.
        class_name: The last class's.
        template: The template's name.
        said: What it is, in a sentence.
        formula: As MathML, if the template has one.
        commands: What to type.
        like: What Keras itself has for it, if anything.
        papers: What it is after: links, by what they are called.
        sources: The highlighted files of the classes, by their names.
        options: The template's, with what was chosen.
        attributes: The template's.
        badges: What is proved, and where.
        problems: What went wrong, and where.
        measured: What was found of what stands there now.
        task: What was learnt, if something was.
        trained: Where the plots and the graph come from.
        plots: The curves.
        graph: The trained model, in Graphviz's language.
        words: What it can be found by.
    """

    name: str
    kind: str
    title: str
    class_name: str
    template: str
    said: Markup
    formula: Markup
    commands: Sequence[str]
    like: str
    papers: Mapping[str, str]
    sources: Mapping[str, Markup]
    options: Sequence[Row]
    attributes: Sequence[Row]
    badges: Sequence[Badge]
    problems: Sequence[str]
    measured: Sequence[Measured]
    task: Task | None
    trained: str
    plots: Sequence[Plot]
    graph: str
    words: str


def make_card(built: Built, template: Template, results: Iterable[Result]) -> Card:
    """The card of an example, with those of its results that are of what stands there now."""
    last = built.classes[-1]
    found = _current(built, results)
    where, curves, graph = _trained(found)
    said = built.example.about or template.summary
    options = template.options_with(last.options)
    source = fill(template.source, options)
    attributes = [*_attributes(template, options)]
    classes = [generated.name for generated in built.classes]
    sources = _sources(built)
    papers = _papers(source, "".join(sources.values()))
    called = (
        word
        for word, meaning in template.words.items()
        if meaning.options.items() <= options.items()
    )
    names = (built.example.name, *classes, *called)
    words = (*names, template.title, said, source, *papers, *(row.name for row in attributes))
    return Card(
        name=built.example.name,
        kind="tutorial" if len(classes) > 1 else last.target,
        title=template.title,
        class_name=last.name,
        template=template.name,
        said=prose(said),
        formula=Markup(mathml(template.formula) if template.formula else ""),  # noqa: S704 - ours
        commands=[generated.command for generated in built.classes],
        like=source if source.startswith("keras") else "",
        papers=papers,
        sources={name: highlighted(text) for name, text in sources.items()},
        options=[*_options(template, options)],
        attributes=attributes,
        badges=_badges(found),
        problems=[*_problems(found)],
        measured=[_measured(at, one.facts()) for at, one in found.items() if at[0] != SOURCE],
        task=_task(found),
        trained=where,
        plots=plots(curves),
        graph=graph,
        words=" ".join(words).lower(),
    )


def prose(text: str) -> Markup:
    """Text in which what stands in backticks is code."""
    parts = str(escape(text)).split("`")
    return Markup(  # noqa: S704 - escaped
        "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
    )


def highlighted(source: str) -> Markup:
    """Python in `span` elements with the classes of Pygments, where they make a difference."""
    from pygments import highlight  # type: ignore[import-untyped] # its stubs are another package
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    text = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return Markup(_PLAIN.sub(r"\1", text))  # noqa: S704 - Pygments escapes


def _sources(built: Built) -> dict[str, str]:
    """The files of the classes."""
    return {
        name: content.decode("utf-8")
        for name, content in built.files.items()
        if not name.startswith(("test_", "train_"))
    }


def _papers(source: str, text: str) -> dict[str, str]:
    """The papers that docstrings refer to, and the template's, where it is none of them."""
    papers = {" ".join(name.split()): link for name, link in _REFERENCE.findall(text)}
    if source.startswith(("https://", "http://")) and source not in papers.values():
        papers[source.partition("://")[2]] = source
    return papers


def _current(built: Built, results: Iterable[Result]) -> dict[Where, Result]:
    """The results that still hold, by where they were found."""
    mine = {(one.backend, one.device): one for one in results if one.example == built.example.name}
    order = [(backend, device) for backend in (SOURCE, *_BACKENDS) for device in _DEVICES]
    return {
        at: mine[at] for at in order if at in mine and mine[at].digest == kept.digest(built, *at)
    }


def _badges(found: Mapping[Where, Result]) -> list[Badge]:
    places = [(backend, device) for device in _DEVICES for backend in _BACKENDS]
    files = next((one for at, one in found.items() if at[0] == SOURCE), None)
    return [
        Badge("Files", _status(files)),
        *(Badge(_place(at), _status(found.get(at))) for at in places),
    ]


def _status(result: Result | None) -> str:
    if result is None:
        return "not run"
    return "proved" if result.proved else "failed"


def _place(at: Where) -> str:
    backend, device = at
    return "Files" if backend == SOURCE else f"{_BACKENDS[backend]} {_DEVICES[device]}"


def _problems(found: Mapping[Where, Result]) -> Iterator[str]:
    for at, result in found.items():
        if step := result.problem:
            first = [*step.message.strip().splitlines(), step.status][0]
            yield f"{_place(at)}, {step.name}: {printable(first)[:_LONGEST]}"


def _measured(at: Where, facts: Mapping[str, Any]) -> Measured:
    return Measured(
        _place(at),
        _number(facts.get("score"), ".3f"),
        _number(facts.get("parameters"), ",d"),
        _number(facts.get("ms_per_step"), ".2f"),
        _number(facts.get("tests"), "d"),
        _number(facts.get("checks"), "d"),
    )


def _number(value: Any, form: str) -> str:
    return "-" if value is None else format(value, form)


def _task(found: Mapping[Where, Result]) -> Task | None:
    for facts in (result.facts() for result in found.values()):
        if "trivial" in facts:
            asked = f"{'under' if facts['lower'] else 'over'} {facts['bound']:g}"
            return Task(facts["metric"], asked, facts["baseline"], f"{facts['trivial']:.3f}")
    return None


def _trained(found: Mapping[Where, Result]) -> tuple[str, Mapping[str, Sequence[float]], str]:
    """Where the first training was, with its curves and its model."""
    for at, result in found.items():
        facts = result.facts()
        if facts.get("curves"):
            return _place(at), facts["curves"], facts.get("graph", "")
    return "", {}, ""


def _options(template: Template, chosen: Options) -> Iterator[Row]:
    for option in template.options:
        values = ", ".join(str(value).lower() for value in option.values)
        yield Row(option.name, values, str(chosen[option.name]).lower(), prose(option.doc))


def _attributes(template: Template, chosen: Options) -> Iterator[Row]:
    for rule in template.attributes_for(chosen):
        attribute = rule.resolve(chosen)
        kind, default = attribute.type, attribute.default
        bounds = f" {{{kind.bounds}}}" if kind.bounds else ""
        given = "required" if default is REQUIRED else kind.text(default)
        yield Row(rule.name, f"{kind.declaration()}{bounds}", given, prose(attribute.doc))
