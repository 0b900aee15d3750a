"""Cases written as text, as TOML and in Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold.cases import (
    arguments_from,
    case_from,
    input_from,
    inputs_of,
    structure_from,
)
from scaffold.conformance import Case, Input
from scaffold.errors import UsageError

INPUTS = {
    "2,8,8,3": Input((2, 8, 8, 3)),
    "(2, 8)": Input((2, 8)),
    "2,": Input((2,)),
    "2,6:int32": Input((2, 6), "int32"),
    "2,6:int32:0..10": Input((2, 6), "int32", 0, 10),
    "2,6:-1..1": Input((2, 6), "float32", -1, 1),
    "2,6,8:mask": Input((2, 6, 8), mask=True),
    "2,6:int64:0..10:mask": Input((2, 6), "int64", 0, 10, mask=True),
}


@pytest.mark.parametrize("text", INPUTS)
def test_an_input_from_text(text: str) -> None:
    assert input_from(text) == INPUTS[text]


@pytest.mark.parametrize("text", ["", "2,x", "0,3", "-1,3", "2,3:int", "2,3:0-1", "2:masked", ":"])
def test_text_that_is_no_input(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        input_from(text)
    assert caught.value.message == f"`{text}` is not an input."


@given(
    st.builds(
        Input,
        st.lists(st.integers(1, 99), min_size=1, max_size=5).map(tuple),
        st.sampled_from(["float32", "int32", "bool", "bfloat16"]),
        st.just(0.0),
        st.integers(1, 9).map(float),
        st.booleans(),
    )
)
def test_an_input_reads_what_it_writes(described: Input) -> None:
    assert input_from(str(described)) == described


STRUCTURES: list[tuple[Any, Any]] = [
    ((2, 8, 8, 3), Input((2, 8, 8, 3))),
    ([2, 8], Input((2, 8))),
    ([(2, 8), (2, 4)], [Input((2, 8)), Input((2, 4))]),
    ({"a": "2,8", "b": [2, 4]}, {"a": Input((2, 8)), "b": Input((2, 4))}),
    ({"shape": [2, 6], "dtype": "int32", "high": 5}, Input((2, 6), "int32", None, 5)),
    ([["2,3"], {"x": "2,4"}], [[Input((2, 3))], {"x": Input((2, 4))}]),
]


@pytest.mark.parametrize(("data", "structure"), STRUCTURES, ids=map(str, range(len(STRUCTURES))))
def test_structures(data: Any, structure: Any) -> None:
    assert structure_from(data) == structure
    assert inputs_of(structure) == inputs_of(structure_from(data))


@pytest.mark.parametrize("data", [3, [], None, 2.5, [2.5, 3]])
def test_data_that_is_no_structure(data: Any) -> None:
    with pytest.raises(UsageError) as caught:
        structure_from(data)
    assert caught.value.fix == "Write a shape such as 2,8,8,3."


def test_named_inputs_are_arguments_of_call_where_call_has_them() -> None:
    data = {"input": {"query": "2,4,8", "value": "2,5,8"}}
    first = {"query": Input((2, 4, 8)), "value": Input((2, 5, 8))}
    assert case_from(data, ["query", "value", "mask"]) == Case(
        inputs=first["query"], call={"value": first["value"]}
    )
    assert case_from(data, ["inputs"]) == Case(inputs=first)


def test_further_arguments_are_inputs_or_values() -> None:
    data = {"input": "2,4", "call": {"value": "2,5", "return_scores": True, "mode": "sum"}}
    case = case_from(data, ["query"])
    assert case.call == {"value": Input((2, 5)), "return_scores": True, "mode": "sum"}


@pytest.mark.parametrize("data", [{"inputs": (2, 3)}, "2,3", {"arg": {}}])
def test_data_that_is_no_case(data: Any) -> None:
    with pytest.raises(UsageError) as caught:
        case_from(data)
    assert caught.value.fix == (
        "Write a table with the keys args, input, call, tags, expected_failures."
    )


def test_arguments_of_a_constructor() -> None:
    words = ["filters=4", "kernel_size=(3, 3)", "padding=same, activation='tanh'", "bias=None"]
    words.append("layer=keras.layers.Dense(4, name='x')")
    assert arguments_from(words) == {
        "filters": 4,
        "kernel_size": (3, 3),
        "padding": "same",
        "activation": "tanh",
        "bias": None,
        "layer": "keras.layers.Dense(4, name='x')",
    }


@pytest.mark.parametrize("word", ["filters", "=4", "a-b=4", "a=4 b=5", "**a", "a=(", "a=1)(b=2"])
def test_a_word_that_is_no_argument(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        arguments_from([word])
    assert caught.value.message == f"`{word}` is not a constructor argument."
