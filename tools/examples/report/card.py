"""The content of a card: an example, the template of its last class, and its results."""

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
    """The status on a backend and a device: `proved`, `failed` or `not run`."""

    where: str
    status: str


@dataclass(frozen=True)
class Measured:
    """Measured values on a backend and a device, as text; a dash for missing ones."""

    where: str
    score: str
    parameters: str
    ms_per_step: str
    tests: str
    checks: str


@dataclass(frozen=True)
class Task:
    """The task: its metric on held-out data, the threshold, and a baseline with its score."""

    metric: str
    threshold: str
    baseline: str
    baseline_score: str


@dataclass(frozen=True)
class Row:
    """An option or an attribute."""

    name: str
    values: str
    default: str
    doc: Markup


@dataclass(frozen=True)
class Card:
    """Everything that is shown of an example.

    Args:
        name: The name of the example.
        kind: A key of `KINDS`.
        title: The title of the template.
        class_name: The name of the last class.
        template: The name of the template.
        said: A description, in one sentence.
        formula: The formula as MathML, if the template has one.
        commands: The commands that generate it.
        like: The corresponding Keras class, if there is one.
        papers: Links to papers, by name.
        sources: The highlighted files of the classes, by name.
        options: The options of the template, with the chosen values.
        attributes: The attributes of the template.
        badges: The status on each backend and device.
        problems: What failed, and where.
        measured: Measured values of the current files.
        task: The task of the training, if there is one.
        trained: The backend and device of the plots and the graph.
        plots: The training curves.
        graph: The trained model, in Graphviz's language.
        words: The words for the search.
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
    """Return the card of an example, with the results of its current files."""
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
    """Return text as HTML, with the parts in backticks as code."""
    parts = str(escape(text)).split("`")
    return Markup(  # noqa: S704 - escaped
        "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))
    )


def highlighted(source: str) -> Markup:
    """Return Python as HTML with the classes of Pygments, without those that have no style."""
    from pygments import highlight  # type: ignore[import-untyped] # its stubs are another package
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    text = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return Markup(_PLAIN.sub(r"\1", text))  # noqa: S704 - Pygments escapes


def _sources(built: Built) -> dict[str, str]:
    """Return the files of the classes."""
    return {
        name: content.decode("utf-8")
        for name, content in built.files.items()
        if not name.startswith(("test_", "train_"))
    }


def _papers(source: str, text: str) -> dict[str, str]:
    """Return the papers that docstrings refer to, and that of the template."""
    papers = {" ".join(name.split()): link for name, link in _REFERENCE.findall(text)}
    if source.startswith(("https://", "http://")) and source not in papers.values():
        papers[source.partition("://")[2]] = source
    return papers


def _current(built: Built, results: Iterable[Result]) -> dict[Where, Result]:
    """Return the results of the current files, by backend and device."""
    mine = {(one.backend, one.device): one for one in results if one.example == built.example.name}
    order = [(backend, device) for backend in (SOURCE, *_BACKENDS) for device in _DEVICES]
    return {
        at: mine[at] for at in order if at in mine and mine[at].digest == kept.digest(built, *at)
    }


def _badges(found: Mapping[Where, Result]) -> list[Badge]:
    everywhere = [(backend, device) for device in _DEVICES for backend in _BACKENDS]
    files = next((one for at, one in found.items() if at[0] == SOURCE), None)
    return [
        Badge("Files", _status(files)),
        *(Badge(_label(at), _status(found.get(at))) for at in everywhere),
    ]


def _status(result: Result | None) -> str:
    if result is None:
        return "not run"
    return "proved" if result.proved else "failed"


def _label(at: Where) -> str:
    backend, device = at
    return "Files" if backend == SOURCE else f"{_BACKENDS[backend]} {_DEVICES[device]}"


def _problems(found: Mapping[Where, Result]) -> Iterator[str]:
    for at, result in found.items():
        if step := result.problem:
            first = [*step.message.strip().splitlines(), step.status][0]
            yield f"{_label(at)}, {step.name}: {printable(first)[:_LONGEST]}"


def _measured(at: Where, facts: Mapping[str, Any]) -> Measured:
    return Measured(
        _label(at),
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
            threshold = f"{'under' if facts['lower'] else 'over'} {facts['bound']:g}"
            return Task(facts["metric"], threshold, facts["baseline"], f"{facts['trivial']:.3f}")
    return None


def _trained(found: Mapping[Where, Result]) -> tuple[str, Mapping[str, Sequence[float]], str]:
    """Return where the first training ran, with its curves and its model."""
    for at, result in found.items():
        facts = result.facts()
        if facts.get("curves"):
            return _label(at), facts["curves"], facts.get("graph", "")
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
