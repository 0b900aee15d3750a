"""Keras's own tests on the drop-ins: the counting, and a few files; `make keras-tests` runs all."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.keras_tests.__main__ import files, page, run
from benchmarks.keras_tests.counting import count, load_rules

RULES = {
    "name": [{"pattern": "lora", "reason": "LoRA"}],
    "error": [
        {"pattern": "no attribute '_", "reason": "private"},
        {"pattern": r"passed to (?P<class>\w+): (?P<argument>\w+)", "reason": "named"},
    ],
    "exception": [{"test": "dense_test::test_odd.*", "reason": "It is odd."}],
}


def found(**outcomes: tuple[str, str]) -> dict[str, Any]:
    tests = {
        f"dense_test::{name}": {"outcome": outcome, "classes": ["MyDense"], "error": error}
        for name, (outcome, error) in outcomes.items()
    }
    return {"tests": tests, "docstrings": {"MyDense": "Without `lora_rank`."}}


def test_counts_what_passes_and_what_fails() -> None:
    counts = count(found(test_a=("passed", ""), test_b=("failed", "ValueError: 1")), RULES)
    assert (counts.passed["MyDense"], counts.of["MyDense"], counts.share) == (1, 2, 0.5)
    assert counts.failed == {"dense_test::test_b": "ValueError: 1"}


@pytest.mark.parametrize(
    ("name", "outcome", "error", "reason"),
    [
        ("test_enable_lora", "passed", "", "LoRA"),
        ("test_odd_1", "passed", "", "It is odd."),
        ("test_a", "failed", "AttributeError: no attribute '_kernel'", "private"),
        ("test_a", "failed", "passed to MyDense: lora_rank", "named"),
    ],
)
def test_leaves_out_by_the_rules(name: str, outcome: str, error: str, reason: str) -> None:
    counts = count(found(**{name: (outcome, error)}), RULES)
    assert counts.left_out == {reason: 1}
    assert not counts.of


@pytest.mark.parametrize(
    ("name", "outcome", "error"),
    [
        ("test_a", "passed", "AttributeError: no attribute '_kernel'"),
        ("test_a", "failed", "passed to MyDense: units"),
        ("not_test_odd", "failed", "ValueError: 1"),
    ],
)
def test_counts_tests_without_a_rule(name: str, outcome: str, error: str) -> None:
    counts = count(found(**{name: (outcome, error)}), RULES)
    assert counts.of == {"MyDense": 1}


def test_ignores_skipped_tests_and_those_that_create_no_class() -> None:
    results = found(test_a=("skipped", ""), test_b=("failed", "ValueError: 1"))
    results["tests"]["dense_test::test_b"]["classes"] = []
    counts = count(results, RULES)
    assert not counts.of_all
    assert not counts.left_out


def test_the_page_has_each_class_and_the_reasons() -> None:
    torch = count(found(test_a=("passed", ""), test_lora=("failed", "")), RULES)
    jax = count(found(test_a=("failed", "ValueError: 1")), RULES)
    lines = page({"jax": jax, "torch": torch}).splitlines()
    assert "| class | JAX | Torch |" in lines
    assert "| `MyDense` | 0 of 1 | 1 of 1 |" in lines
    assert "| LoRA | 0 | 1 |" in lines
    assert "- `dense_test::test_a` on JAX" in lines


def test_the_embedding_and_others_pass_those_of_keras() -> None:
    names = ("embedding_test.py", "merging_test.py", "spatial_dropout_test.py")
    chosen = [path for path in files() if path.name in names]
    assert [path.name for path in chosen] == [*names]
    counts = count(run("torch", chosen), load_rules())
    assert counts.failed == {}
    assert counts.of["MyEmbedding"] >= 7
    assert counts.of["MyConcatenate"] >= 7
    assert counts.of["MySpatialDropout1D"] >= 3
    assert counts.left_out["quantization"] >= 20
