"""Building an example, and that building it twice gives the same files."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from scaffold.errors import UsageError
from scaffold.generation.catalog import Catalog
from tools.examples.build import build, left_over
from tools.examples.listing import FOLDER, Example, load_examples
from tools.matrix import pairs, variants

EXAMPLES = load_examples(Path(__file__).parents[3] / FOLDER)


def test_a_layer_gets_a_script_that_trains_a_network() -> None:
    built = build(EXAMPLES["standardization"])
    assert sorted(built.files) == [
        *("my_standardization.py", "test_my_standardization.py", "train_my_standardization.py"),
    ]
    script = built.files[built.script].decode()
    assert script.startswith('"""Train a network with `MyStandardization`.\n\n`python train_my_st')
    assert "\ndef build_network(images):\n" in script
    assert "    standardize.adapt(images)\n" in script
    assert "    model = build_network(x_train)\n" in script
    assert "\ndef majority_baseline(" in script
    assert built.task is not None
    assert (built.task.metric, built.task.bound, built.task.lower) == ("accuracy", 0.9, False)


def test_a_model_keeps_its_own() -> None:
    built = build(EXAMPLES["gan"])
    assert built.script == "train_my_gan.py"
    assert built.task is not None
    assert built.task.lower
    assert [(one.target, one.name, one.template) for one in built.classes] == [
        ("model", "MyGAN", "gan"),
    ]


def test_a_command_uses_the_output_of_the_previous_one() -> None:
    built = build(EXAMPLES["custom_functional"])
    assert [one.command for one in built.classes] == [
        f"scaffold {line}" for line in EXAMPLES["custom_functional"].commands
    ]
    assert b"from custom_layer import CustomLayer" in built.files["custom_functional.py"]


def test_twice_gives_the_same_bytes() -> None:
    once, twice = (build(EXAMPLES["custom_sequential"]).files for _ in range(2))
    assert once == twice


def test_a_command_that_fails_says_which() -> None:
    with pytest.raises(UsageError, match=r"`layer A --template=dens`: .*dens"):
        build(Example("a", ("layer A --template=dens",)))


def test_finds_leftover_files(tmp_path: Path) -> None:
    built = build(EXAMPLES["dense"])
    (tmp_path / "dense/__pycache__").mkdir(parents=True)
    (tmp_path / "dense/__pycache__/my_dense.pyc").touch()
    (tmp_path / "dense/my_dense.py").touch()
    (tmp_path / "dense/old.py").touch()
    assert [*left_over([built], tmp_path)] == [tmp_path / "dense/old.py"]


def test_variants_cover_every_pair() -> None:
    catalog = Catalog.builtin()
    for template in (catalog.get("model", "rnn"), catalog.get("layer", "pooling")):
        found = [*variants(template)]
        for first in template.options:
            for second in template.options:
                if first is not second:
                    wanted = {(a, b) for a in first.values for b in second.values}
                    assert {(one[first.name], one[second.name]) for one in found} == wanted
    conv, dense = (catalog.get("layer", name) for name in ("conv", "dense"))
    assert [*variants(conv)] == [{"rank": 1}, {"rank": 2}, {"rank": 3}]
    assert [*variants(dense)] == [{}]


def test_each_variant_is_an_example() -> None:
    found = pairs(Catalog.builtin())
    names = [example.name for example in found]
    assert len(set(names)) == len(names) > 200
    rnn, *_ = (example for example in found if "--template=rnn" in example.commands[0])
    built = build(rnn)
    assert shlex.split(rnn.commands[0])[:3] == ["model", "MyOwn", "--template=rnn"]
    assert {"my_own.py", "test_my_own.py"} <= {*built.files}
