from __future__ import annotations

from typing import Any

import pytest

from scaffold.errors import UsageError
from scaffold.generation.composition import CompileArguments, Parallel, Residual, Use
from scaffold.generation.composition.tables import (
    compiled_table,
    read_compiled,
    read_stages,
    stage_table,
)

STAGES = (
    Use("Dense", "", {"units": "10", "use_bias": "true", "activation": "relu"}),
    Residual((Use("MyConv", "a.py", {"rate": "0.5"}), Use("ReLU"))),
    Parallel(((Use("ReLU"),), (Residual((Use("ReLU"),)),)), "add"),
)
TABLES = [
    {"layer": "Dense", "args": {"units": 10, "use_bias": True, "activation": "relu"}},
    {"residual": [{"layer": "a.py:MyConv", "args": {"rate": 0.5}}, {"layer": "ReLU"}]},
    {"parallel": [[{"layer": "ReLU"}], [{"residual": [{"layer": "ReLU"}]}]], "merge": "add"},
]


def test_there_and_back() -> None:
    assert [stage_table(stage) for stage in STAGES] == TABLES
    assert read_stages(TABLES, "w") == STAGES
    compiled = CompileArguments("mse", "sgd", ("mae",))
    assert read_compiled(compiled_table(compiled), "w") == compiled
    assert compiled_table(CompileArguments()) == {}
    assert read_compiled({}, "w") == CompileArguments()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "w must be a list of tables."),
        ([3], "w must be a table."),
        ([{}], "a table of w has none of the keys layer, residual, parallel."),
        (
            [{"layr": "Dense"}],
            "a table of w has none of the keys layer, residual, parallel. Did you mean `layer`?",
        ),
        (
            [{"layer": "Dense", "arg": {}}],
            "a table of w has the unknown key `arg`. Did you mean `args`?",
        ),
        ([{"layer": 3}], "w: `layer` must be a string."),
        ([{"layer": "Dense", "args": 3}], "w: `args` must be a table."),
        ([{"residual": 3}], "w: `residual` must be a list of tables."),
        ([{"parallel": [[]]}], "w: `parallel` must be a list of two or more branches."),
    ],
)
def test_refuses_stages(data: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_stages(data, "w")
    assert caught.value.message == message
    assert caught.value.fix


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "w must be a table."),
        ({"los": "mse"}, "w has the unknown key `los`. Did you mean `loss`?"),
        ({"loss": 3}, "w must contain only strings."),
        ({"metrics": "mae"}, "w must contain only strings."),
    ],
)
def test_refuses_what_to_compile_with(data: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_compiled(data, "w")
    assert caught.value.message == message
