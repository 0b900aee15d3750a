"""The page of the examples: its content, which is never outdated."""

from __future__ import annotations

import importlib.util
import re
import shutil
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from scaffold.errors import MissingError, UsageError
from scaffold.generation.catalog import TARGETS, Catalog
from tools.examples.build import Built, Generated, build
from tools.examples.listing import Example, load_examples
from tools.examples.report.card import Card, make_card
from tools.examples.report.curves import plots
from tools.examples.report.graph import draw
from tools.examples.report.site import write_site
from tools.examples.verify.result import SOURCE, Result, Status, Step
from tools.examples.verify.results import digest

LISTED = Path(__file__).parents[3] / "generated_examples"
CATALOG = Catalog.builtin()
GRAPH = 'digraph G {\nnode [shape=record];\n1 [label="flatten"];\n2 [label="dense"];\n1 -> 2;\n}\n'
FACTS: Mapping[str, Any] = {
    "tests": 28,
    "checks": 56,
    "metric": "accuracy",
    "score": 0.972,
    "bound": 0.9,
    "lower": False,
    "baseline": "majority class",
    "trivial": 0.081,
    "parameters": 4810,
    "ms_per_step": 0.667,
    "curves": {
        "accuracy": [0.72, 0.93, 0.96],
        "val_accuracy": [0.91, 0.95, 0.95],
        "loss": [1.0, 0.24, 0.15],
        "val_loss": [0.34, 0.18, 0.16],
    },
    "graph": GRAPH,
}
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's `dot`")


def hand_made(
    name: str = "dense", target: str = "layer", template: str = "dense", about: str = ""
) -> Built:
    """Return an example written by hand."""
    files = {
        "my_own.py": b'"""My own."""\n\n\nclass MyOwn:\n    a = {"b": 1 < 2}\n',
        "test_my_own.py": b"def test_it() -> None:\n    assert {}\n",
        "train_my_own.py": b'print(f"{1}")\n',
    }
    command = f"{target} MyOwn"
    generated = Generated(target, "MyOwn", "my_own", template, {}, f"scaffold {command}")
    return Built(Example(name, (command,), about), files, [generated], None)


def found(
    built: Built,
    backend: str,
    device: str = "cpu",
    status: Status = "passed",
    message: str = "",
    facts: Mapping[str, Any] = FACTS,
) -> Result:
    """Return a result of the current example."""
    steps = (Step("tests", "passed"), Step("train", status, 1.0, message, facts))
    return Result(built.example.name, backend, device, digest(built, backend, device), steps)


def card(built: Built, results: Sequence[Result] = ()) -> Card:
    last = built.classes[-1]
    return make_card(built, CATALOG.get(last.target, last.template), results)


class Page(HTMLParser):
    """A parsed page: its elements with their attributes, and its text by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append((self.elements[-1][0] if self.elements else "", data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def with_class(self, name: str) -> list[dict[str, str]]:
        return [one for _, one in self.elements if name in one.get("class", "").split()]


def written(tmp_path: Path, built: Sequence[Built], results: Sequence[Result] = ()) -> Page:
    return Page(write_site(built, results, tmp_path / "site").read_text("utf-8"))


def test_badges_show_the_current_status() -> None:
    built = hand_made()
    results = [
        found(built, SOURCE, facts={}),
        found(built, "tensorflow"),
        found(built, "jax", status="failed", message="it burst"),
        replace(found(built, "torch"), digest="0" * 16),
        found(built, "torch", "gpu"),
    ]
    assert {badge.where: badge.status for badge in card(built, results).badges} == {
        "Files": "proved",
        "TensorFlow CPU": "proved",
        "JAX CPU": "failed",
        "Torch CPU": "not run",
        "TensorFlow GPU": "not run",
        "JAX GPU": "not run",
        "Torch GPU": "proved",
    }


def test_badges_ignore_other_examples() -> None:
    badges = card(hand_made(), [found(hand_made("other"), "jax")]).badges
    assert {badge.status for badge in badges} == {"not run"}


@pytest.mark.parametrize("status", ["failed", "late", "not run"])
def test_what_did_not_pass_is_not_proved(status: Status) -> None:
    built = hand_made()
    badges = card(built, [found(built, "jax", status=status)]).badges
    assert [badge.where for badge in badges if badge.status == "failed"] == ["JAX CPU"]


def test_shows_failures_as_text(tmp_path: Path) -> None:
    built = hand_made()
    burst = found(built, "jax", status="failed", message="<b>burst</b>\x1b[31m\nsecond line")
    page = written(tmp_path, [built], [burst])
    assert len(page.with_class("problem")) == 1
    said = "".join(text for _, text in page.texts)
    assert "JAX CPU, train: <b>burst</b>" in said
    assert "\x1b" not in said
    assert "second line" not in said


def test_shows_no_results_of_other_files(tmp_path: Path) -> None:
    built = hand_made()
    page = written(tmp_path, [built], [replace(found(built, "jax"), digest="0" * 16)])
    assert not page.with_class("plot")
    assert "0.972" not in "".join(text for _, text in page.texts)


def test_shows_numbers_next_to_a_baseline(tmp_path: Path) -> None:
    built = hand_made()
    page = written(tmp_path, [built], [found(built, "tensorflow"), found(built, "jax")])
    cells = [text for tag, text in page.texts if tag in ("td", "th") and text.strip()]
    begin = cells.index("On")
    assert cells[begin : begin + 22] == [
        *("On", "accuracy", "parameters", "ms per step", "tests", "checks"),
        *("TensorFlow CPU", "0.972", "4,810", "0.67", "28", "56"),
        *("JAX CPU", "0.972", "4,810", "0.67", "28", "56"),
        *("baseline: majority class", "0.081", "threshold", "over 0.9"),
    ]


def test_draws_the_curves(tmp_path: Path) -> None:
    built = hand_made()
    page = written(tmp_path, [built], [found(built, "torch")])
    assert [plot["aria-label"] for plot in page.with_class("plot")] == [
        "loss by epoch, ending at 0.15 on training data and 0.16 on held out data",
        "accuracy by epoch, ending at 0.96 on training data and 0.95 on held out data",
    ]
    assert [len(line["points"].split()) for line in page.all("polyline")] == [3, 3, 3, 3]


@needs_dot
def test_draws_the_graph(tmp_path: Path) -> None:
    built = hand_made()
    page = written(tmp_path, [built], [found(built, "torch")])
    (graph,) = [one for one in page.all("svg") if "plot" not in one.get("class", "")]
    assert graph["aria-label"] == "The model as a graph, nodes: 2"
    assert {"flatten", "dense"} <= {text for tag, text in page.texts if tag == "text"}


def test_says_why_no_graph_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    built = hand_made()
    page = written(tmp_path, [built], [found(built, "torch")])
    assert "a program of Graphviz, was not installed" in "".join(text for _, text in page.texts)


@needs_dot
def test_a_graph_is_only_shapes_and_text() -> None:
    assert set(re.findall(r"<(\w+)", draw('digraph { a [URL="javascript:alert(1)"]; }'))) == {
        *("svg", "g", "ellipse", "text")
    }
    assert draw("no graph at all") == ""


def test_curves_leave_out_what_is_not_finite() -> None:
    nan = float("nan")
    (plot,) = plots({"loss": [nan, 2.0, 1.0], "val_loss": [nan, nan, nan]})
    assert [line.label for line in plot.lines] == ["training"]
    assert len(plot.lines[0].points.split()) == 2
    assert plots({"loss": [nan]}) == []


@pytest.mark.parametrize("values", [[0.0], [0.5], [-3.0, -3.0], [1e-9, 1e9], [1.0, 1.0 + 1e-15]])
def test_curves_are_within_their_axes(values: list[float]) -> None:
    (plot,) = plots({"accuracy": values})
    assert 2 <= len(plot.up) <= 8
    ends = sorted((plot.up[0].at, plot.up[-1].at))
    for point in plot.lines[0].points.split():
        assert ends[0] <= float(point.split(",")[1]) <= ends[1]


@pytest.mark.parametrize("target", TARGETS)
def test_each_template_has_a_card(target: str) -> None:
    for template in CATALOG.templates(target):
        made = make_card(hand_made(target=target, template=template.name), template, [])
        assert made.kind == target
        assert bool(made.formula) == bool(template.formula)
        assert all(row.doc for row in (*made.options, *made.attributes))
        assert "$" not in made.like


def test_each_listed_example_has_a_card_and_a_page_of_its_files(tmp_path: Path) -> None:
    examples = load_examples(LISTED)
    built = [hand_made(name, about=one.about) for name, one in examples.items()]
    page = written(tmp_path, built)
    assert [one["id"] for one in page.with_class("card")] == [*examples]
    links = {one["href"] for one in page.all("a")}
    for name in examples:
        assert f"{name}.html" in links
        own = Page((tmp_path / "site" / f"{name}.html").read_text("utf-8"))
        files = [one["aria-label"] for one in own.with_class("code")]
        assert files == ["my_own.py", "test_my_own.py", "train_my_own.py"]


def test_a_real_example(tmp_path: Path) -> None:
    built = build(load_examples(LISTED)["custom_layer"], CATALOG)
    made = card(built, [found(built, backend) for backend in ("tensorflow", "jax")])
    assert made.kind == "tutorial"
    assert made.said == built.example.about.replace("'", "&#39;")
    assert [*made.sources] == ["custom_layer.py", "custom_model.py"]
    assert made.commands[0] == "scaffold layer CustomLayer --template=projection"
    page = written(tmp_path, [built], [found(built, "jax")])
    text = "".join(text for _, text in page.texts)
    assert "class CustomLayer(keras.layers.Layer):" in text
    ids = [one["id"] for _, one in page.elements if "id" in one]
    assert sorted(ids) == sorted({*ids})
    for file in (tmp_path / "site").iterdir():
        assert not re.search(r"\{\{|\{%|\}\}\}|%\}", file.read_text("utf-8"))


def test_links_the_papers_that_the_class_refers_to() -> None:
    built = hand_made()
    text = b'"""[Ada et al.,\n    1843](https://example.org/notes)"""\n'
    assert card(replace(built, files={"my_own.py": text})).papers == {
        "Ada et al., 1843": "https://example.org/notes"
    }


def test_is_the_same_whenever_it_is_written(tmp_path: Path) -> None:
    built = [hand_made("one"), hand_made("two", "model", "mlp", "Another.")]
    results = [found(one, backend) for one in built for backend in ("jax", "torch")]
    pages = []
    for name, order in (("a", 1), ("b", -1), ("a", -1)):
        index = write_site(built, results[::order], tmp_path / name / "site")
        pages.append({file.name: file.read_bytes() for file in index.parent.iterdir()})
    assert pages[0] == pages[1] == pages[2]
    assert sorted(pages[0]) == ["index.html", "one.html", "two.html"]


def test_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = written(tmp_path, [hand_made()])
    (policy,) = [one["content"] for one in page.all("meta") if "http-equiv" in one]
    for tag, kind in (("script", "script-src"), ("style", "style-src")):
        (text,) = ["".join(text for at, text in page.texts if at == tag and text.strip())]
        assert f"{kind} 'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert not [one for _, one in page.elements if "src" in one or "style" in one]
    assert [one["href"] for one in page.all("link")] == ["data:,"]


def test_says_which_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pygments" else find(name)
    )
    with pytest.raises(MissingError, match="Pygments is not installed"):
        write_site([hand_made()], [], tmp_path / "site")
    assert not [*tmp_path.iterdir()]


def test_no_example_replaces_the_page(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="an example is called `Index`"):
        write_site([hand_made("Index")], [], tmp_path / "site")
