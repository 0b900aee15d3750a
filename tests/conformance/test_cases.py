"""Where the cases of a class come from, and that this is reported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scaffold.conformance import Case, Input
from scaffold.conformance.finding_cases import cases_of
from scaffold.conformance.subject import Subject
from scaffold.generation.catalog import Catalog

SOURCE = """
import keras
from keras import ops


class FromClass(keras.layers.Layer):
    @classmethod
    def scaffold_cases(cls):
        return [
            {"input": (3, 4)},
            {"input": {"x": "3,4:mask"}, "tags": ["random-at-inference"]},
        ]

    def call(self, inputs):
        return inputs


class FromProject(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def call(self, inputs):
        return inputs


class Searched(keras.layers.Layer):
    def __init__(self, units, rate, vocabulary_size, num_heads=2, *, is_on: bool, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def call(self, inputs):
        if keras.backend.standardize_dtype(inputs.dtype) != "int32":
            raise ValueError("tokens")
        return ops.take(ops.ones((16, 2)), inputs, axis=0)


class Derived(keras.layers.MultiHeadAttention):
    pass


class Added(keras.layers.Conv2D):
    def __init__(self, *args, gain, **kwargs):
        super().__init__(*args, **kwargs)
        self.gain = gain


class Three(keras.layers.Dense):
    def __init__(self, **kwargs):
        super().__init__(3, **kwargs)


class Chosen(keras.layers.Dense):
    def __init__(self, factor=2.0, **kwargs):
        kwargs.setdefault("units", 3)
        super().__init__(**kwargs)


class Own(keras.layers.Layer):
    def __init__(self, first, second=1, **kwargs):
        super().__init__(**kwargs)


class Below(Own):
    def __init__(self, third=3, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Pool2D(keras.layers.Layer):
    def call(self, inputs):
        return inputs


class Pair(keras.layers.Layer):
    def call(self, query, value):
        return query + value


class MyScale(keras.layers.Layer):
    def __init__(self, rank, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs, other):
        return inputs * self.factor + other


class Around(keras.layers.Layer):
    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer

    def call(self, inputs):
        return self.layer(inputs)


class Wrapped(keras.layers.Wrapper):
    def call(self, inputs):
        return self.layer(inputs)


class Never(keras.layers.Layer):
    def call(self, inputs):
        raise ValueError("no")
"""
PROJECT = """
[[tool.scaffold.check.FromProject]]
args = { units = 7 }
input = "2,5"
expected_failures = { export = "not needed" }

[[tool.scaffold.check."shapes:FromProject"]]
input = "never"
"""


MANIFEST = """
title = "Scale"
summary = "S."
formula = ""
source = ""
words = {{ scale = {{ rank = 3 }} }}

[[option]]
name = "rank"
values = [1, 3]
default = 1
doc = "D."

[[attribute]]
name = "rank"
type = "int"
doc = "D."

[[attribute]]
name = "factor"
type = "float"
default = 2.0
doc = "D."

[[case]]
input = "2,5"
when = {{ rank = [1] }}

[[case]]
args = {{ rank = 9 }}
input = "{shape}"
call = {{ other = "{shape}" }}
tags = ["fixed-batch"]
when = {{ rank = [3] }}
"""


@pytest.fixture
def module(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    (here / "my_cases.py").write_text(SOURCE, encoding="utf-8")
    (here / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
    monkeypatch.syspath_prepend(str(here))
    yield importlib.import_module("my_cases")
    del sys.modules["my_cases"]


def test_flags_come_first(module: Any, here: Path) -> None:
    given = {"args": {"units": 3}, "input": Input((2, 6))}
    assert list(cases_of(module.FromProject, given, here)) == [
        (Case({"units": 3}, Input((2, 6))), "")
    ]


def test_a_tag_alone_keeps_the_declared_cases(module: Any, here: Path) -> None:
    given = {"tags": ["fixed-batch"]}
    ((case, origin),) = cases_of(module.FromProject, given, here)
    assert case.args == {"units": 7}
    assert case.tags == {"fixed-batch"}
    assert origin == "its cases come from `[[tool.scaffold.check.FromProject]]`"


def test_what_the_class_says(module: Any, here: Path) -> None:
    origin = "its cases come from `scaffold_cases`"
    assert list(cases_of(module.FromClass, {}, here)) == [
        (Case({}, Input((3, 4))), origin),
        (
            Case({}, {"x": Input((3, 4), mask=True)}, tags=frozenset(["random-at-inference"])),
            origin,
        ),
    ]


def test_what_the_project_says(module: Any, here: Path) -> None:
    ((case, _),) = cases_of(module.FromProject, {}, here)
    assert case == Case({"units": 7}, Input((2, 5)), expected_failures={"export": "not needed"})


def with_template(folder: Path, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Add to the built-in templates one named `scale` that is checked with this shape."""
    (folder / "layer" / "scale").mkdir(parents=True)
    manifest = folder / "layer" / "scale" / "template.toml"
    manifest.write_text(MANIFEST.format(shape=shape), encoding="utf-8")
    catalog = Catalog([folder, *Catalog.builtin().folders])
    monkeypatch.setattr(Catalog, "builtin", lambda: catalog)


def test_what_its_template_says(
    module: Any, here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_template(tmp_path / "templates", "2,7", monkeypatch)
    ((case, origin),) = cases_of(module.MyScale, {"tags": ["random-at-inference"]}, here)
    assert (case.args, case.inputs) == ({"rank": 9}, Input((2, 7)))
    assert case.call == {"other": Input((2, 7))}
    assert case.tags == {"random-at-inference"}
    assert origin == "its cases are those of the template `scale`"


def test_what_a_layer_of_keras_that_it_derives_from_says(module: Any, here: Path) -> None:
    ((case, origin),) = cases_of(module.Derived, {}, here)
    assert (case.args, case.inputs) == ({"num_heads": 2, "key_dim": 4}, Input((2, 6, 5)))
    assert case.call == {"value": Input((2, 4, 5))}
    assert origin == (
        "its cases are those of the template `subclass` for `keras.layers.MultiHeadAttention`"
    )


def test_a_base_is_given_what_it_needs_through_args_and_kwargs(module: Any, here: Path) -> None:
    ((added, origin),) = cases_of(module.Added, {}, here)
    assert added.args == {"filters": 4, "kernel_size": 3, "gain": 8}
    assert origin == (
        "its cases are those of the template `subclass` for `keras.layers.Conv2D`; "
        "chosen by name: `gain=8`"
    )
    ((three, _),) = cases_of(module.Three, {}, here)
    assert (three.args, three.inputs) == ({}, Input((2, 8)))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Added", ["gain", "filters", "kernel_size", "strides"]),
        ("Three", ["activation", "use_bias"]),
        ("Chosen", ["factor", "activation", "use_bias"]),
        ("Below", ["third", "first", "second"]),
        ("Own", ["first", "second"]),
    ],
)
def test_what_a_constructor_takes(module: Any, name: str, parameters: list[str]) -> None:
    found = list(Subject(getattr(module, name), Case()).parameters)
    assert found[: len(parameters)] == parameters
    assert "units" not in found


def test_a_template_whose_cases_do_not_work_says_nothing(
    module: Any, here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with_template(tmp_path / "templates", "2,7:string", monkeypatch)
    ((case, origin),) = cases_of(module.MyScale, {}, here)
    assert (case.args, case.inputs) == ({"rank": 2}, Input((2, 6, 8)))
    assert origin == "chosen by name: `rank=2`; no input was given: `2,6,8` works"


def test_a_search_by_names_and_shapes(module: Any, here: Path) -> None:
    ((case, origin),) = cases_of(module.Searched, {}, here)
    assert case.args == {"units": 8, "rate": 0.25, "vocabulary_size": 16, "is_on": True}
    assert case.inputs == Input((2, 6), "int32", 0, 16)
    assert origin == (
        "chosen by name: `units=8`, `rate=0.25`, `vocabulary_size=16`, `is_on=True`; "
        "no input was given: `2,6,8`, `2,8,10,3`, `2,8`, `2,4,5,6,3` did not work, "
        "`2,6:int32:0..16` works"
    )


@pytest.mark.parametrize("name", ["Around", "Wrapped"])
def test_a_layer_is_a_usual_one_beside_templates_that_take_one(
    module: Any, here: Path, name: str
) -> None:
    cls = getattr(module, name)
    ((case, origin),) = cases_of(cls, {"input": Input((2, 6, 8))}, here)
    assert case.args == {"layer": "keras.layers.Dense(8)"}
    assert origin == "chosen by name: `layer='keras.layers.Dense(8)'`"


def test_a_rank_in_the_name_comes_first(module: Any, here: Path) -> None:
    ((case, _),) = cases_of(module.Pool2D, {}, here)
    assert case.inputs == Input((2, 8, 10, 3))


def test_several_arguments_of_call(module: Any, here: Path) -> None:
    ((case, origin),) = cases_of(module.Pair, {}, here)
    assert (case.inputs, case.call) == (Input((2, 6, 8)), {"value": Input((2, 6, 8))})
    assert origin == "no input was given: `2,6,8` works"


def test_a_class_that_takes_none_of_them_is_left_to_the_checks(module: Any, here: Path) -> None:
    ((case, origin),) = cases_of(module.Never, {}, here)
    assert case.inputs == Input((2, 6, 8))
    assert origin == (
        "no input was given: `2,6,8`, `2,8,10,3`, `2,8`, `2,4,5,6,3`, `2,6:int32:0..16`, "
        "`[2,6,8; 2,6,8]`, `[2,8; 2,8]`, `2`, `[2,6,8; 2,6,6:0..1]`, `2,8,10,8` did not work"
    )
