from __future__ import annotations

import pytest

from scaffold.errors import UsageError
from scaffold.generation.composition import CompileArguments


@pytest.mark.parametrize(
    ("typed", "source"),
    [
        ("mse", '"mse"'),
        ("huber", '"huber"'),
        ("Huber:delta=2.0", "keras.losses.Huber(delta=2.0)"),
        (
            "SparseCategoricalCrossentropy:from_logits=true",
            "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        ),
        ("", ""),
    ],
)
def test_losses(typed: str, source: str) -> None:
    assert CompileArguments(loss=typed).loss_source() == source


def test_metrics() -> None:
    typed = ("accuracy", "mae", "TopKCategoricalAccuracy:k=3")
    assert CompileArguments(metrics=typed).metric_sources() == [
        '"accuracy"',
        '"mae"',
        "keras.metrics.TopKCategoricalAccuracy(k=3)",
    ]


@pytest.mark.parametrize(
    ("typed", "source"),
    [
        ("sgd", "keras.optimizers.SGD(learning_rate=learning_rate)"),
        (
            "AdamW:weight_decay=0.01",
            "keras.optimizers.AdamW(weight_decay=0.01, learning_rate=learning_rate)",
        ),
        ("", ""),
    ],
)
def test_optimizers(typed: str, source: str) -> None:
    assert CompileArguments(optimizer=typed).optimizer_source() == source


@pytest.mark.parametrize(
    ("compiled", "message"),
    [
        (
            CompileArguments(loss="hubr"),
            "`hubr` not found in `keras.losses`. Did you mean `huber`?",
        ),
        (CompileArguments(loss="get"), "`get` not found in `keras.losses`."),
        (
            CompileArguments(loss="Hubr"),
            "`keras.losses.Hubr` not found in the installed Keras. Did you mean `Huber`?",
        ),
        (
            CompileArguments(loss="Huber:delt=1"),
            "`keras.losses.Huber` has no argument `delt`. Did you mean `delta`?",
        ),
        (
            CompileArguments(optimizer="adan"),
            "`keras.optimizers.adan` not found in the installed Keras. Did you mean `Adam`?",
        ),
        (
            CompileArguments(optimizer="adam:learning_rate=1"),
            "the learning rate is an argument of `compile_for_training`.",
        ),
        (
            CompileArguments(metrics=("accurac",)),
            "`accurac` not found in `keras.metrics`. Did you mean `accuracy`?",
        ),
    ],
)
def test_refusals(compiled: CompileArguments, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        compiled.check()
    assert caught.value.message == message
    assert caught.value.fix


def test_over() -> None:
    file = CompileArguments("mse", "sgd", ("mae",))
    assert CompileArguments().over(file) == file
    assert CompileArguments("mae", "adam", ("mse",)).over(file) == CompileArguments(
        "mae", "adam", ("mse",)
    )
