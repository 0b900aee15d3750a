"""What the wheel has in compiled form gives the same as the sources, and is used for no others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from scaffold.generation.catalog import TARGETS, Catalog
from scaffold.generation.manifest import load
from scaffold.generation.render import Style, render
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.template import Template
from tools.wheel_hook import compile_catalog
from unit.test_class_names import ROWS, outcome

SOURCES = Catalog.builtin()
LAYER = Request("layer", "MyConv")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the wheel has."""
    into = tmp_path_factory.mktemp("compiled")
    compile_catalog(SOURCES.folders[0], into)
    return into


@pytest.fixture
def copied(compiled: Path, tmp_path: Path) -> Catalog:
    """The catalog of a wheel that may be changed."""
    templates, copy = tmp_path / "templates", tmp_path / "compiled"
    shutil.copytree(SOURCES.folders[0], templates)
    shutil.copytree(compiled, copy)
    return Catalog([templates], copy)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates whose manifests are read."""
    names = list[str]()

    def record(folder: Path) -> Template:
        names.append(folder.name)
        return load(folder)

    monkeypatch.setattr("scaffold.generation.catalog.load", record)
    return names


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The templates that Jinja compiles; nothing is formatted."""
    names = list[str | None]()
    compile_ = jinja2.Environment.compile

    def record(
        self: jinja2.Environment,
        source: str,
        name: str | None = None,
        filename: str | None = None,
    ) -> object:
        names.append(name)
        return compile_(self, source, name, filename)

    monkeypatch.setattr(jinja2.Environment, "compile", record)
    monkeypatch.setattr("scaffold.generation.render.format_source", lambda source, **_: source)
    return names


def generated(catalog: Catalog, request: Request = LAYER) -> dict[str, str]:
    resolved = resolve(catalog, request, "pkg")
    spec = resolved.spec
    is_trained = resolved.template.training_for(spec.options) is not None
    files = [spec.target, "test", *["train"] * is_trained]
    return render(catalog, resolved, Style(), spec.module, files)


def requests(template: Template) -> Iterator[Request]:
    """Yield a request for each option value of a template."""
    one = Request(template.target, "MyThing", template.name)
    yield one
    for option in template.options:
        for value in option.values:
            options = {option.name: str(value).lower()}
            yield Request(template.target, "MyThing", template.name, options=options)


def test_everything_is_the_same(compiled: Path, parsed: list[str | None]) -> None:
    every = [
        request
        for target in TARGETS
        for template in SOURCES.templates(target)
        for request in requests(template)
    ]
    expected = [generated(SOURCES, request) for request in every]
    parsed.clear()
    catalog = Catalog(SOURCES.folders, compiled)
    assert [generated(catalog, request) for request in every] == expected
    assert parsed == []


def test_names_mean_the_same(compiled: Path) -> None:
    catalog = Catalog(SOURCES.folders, compiled)
    for target in TARGETS:
        assert catalog.entries(target) == SOURCES.entries(target)
    for target, name, becomes in ROWS:
        assert outcome(target, name, catalog) == becomes


def test_one_layer_reads_one_manifest(
    compiled: Path, loaded: list[str], parsed: list[str | None]
) -> None:
    generated(Catalog(SOURCES.folders, compiled))
    assert loaded == ["conv"]


def test_another_jinja(
    copied: Catalog, parsed: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jinja2, "__version__", "3.0")
    text = generated(copied)
    assert "layer/conv/layer.py.jinja" in parsed
    assert text == generated(SOURCES)


def test_an_edited_template(copied: Catalog, parsed: list[str | None]) -> None:
    with (copied.folders[0] / "_class.py.jinja").open("a", encoding="utf-8") as file:
        file.write("# Edited.\n")
    text = generated(copied)
    assert parsed == ["_class.py.jinja"]
    plain = generated(SOURCES)
    assert text == {**plain, "layer": f"{plain['layer']}# Edited.\n"}


def test_an_edited_manifest(copied: Catalog, loaded: list[str]) -> None:
    with (copied.folders[0] / "layer/blank/template.toml").open("a", encoding="utf-8") as file:
        file.write("# Edited.\n")
    assert copied.entries("layer") == SOURCES.entries("layer")
    assert set(loaded) >= set(copied.names("layer"))


def test_an_added_template(copied: Catalog) -> None:
    layers = copied.folders[0] / "layer"
    shutil.copytree(layers / "dense", layers / "fancy")
    names = [entry.name for entry in copied.entries("layer")]
    assert sorted(names) == sorted([*SOURCES.names("layer"), "fancy"])


def test_only_the_wheel_has_any(copied: Catalog) -> None:
    assert SOURCES.compiled is None
    assert Catalog([copied.folders[0], *SOURCES.folders]).compiled is None
