"""The list of examples: each template is in it, and mistakes in it are reported."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from goldens import COMMANDS, KINDS, first_goldens
from scaffold.errors import MissingError, UsageError
from scaffold.generation.catalog import Catalog
from tools.examples.build import build
from tools.examples.listing import FOLDER, LISTING, choose, load_examples
from tools.examples.shard import Shard

ROOT = Path(__file__).parents[3]
EXAMPLES = load_examples(ROOT / FOLDER)


@pytest.fixture(scope="module")
def templates() -> set[tuple[str, str]]:
    """Return the target and the template of every class that the commands generate."""
    catalog = Catalog.builtin()
    return {
        (one.target, one.template)
        for example in EXAMPLES.values()
        for one in build(example, catalog).classes
    }


def test_every_template_is_in_an_example(templates: set[tuple[str, str]]) -> None:
    catalog = Catalog.builtin()
    wanted = {(t, name) for t in ("layer", "model") for name in catalog.names(t)}
    assert wanted - templates == set()


def test_every_first_model_golden_is_an_example() -> None:
    lines = {tuple(shlex.split(line)) for one in EXAMPLES.values() for line in one.commands}
    first = [COMMANDS[name] for name in first_goldens()]
    assert {tuple(words) for words in first} - lines == set()


def test_the_tutorial_is_there() -> None:
    shown = " ".join(example.about for example in EXAMPLES.values())
    words = ("CustomLayer", "CustomModel", "Conv2D", "Dense", "Sequential", "Functional")
    assert {word for word in (*words, "fit", "evaluate", "predict") if word not in shown} == set()


def test_most_kinds_of_layers_are_examples() -> None:
    golden = {folder.name for folders in KINDS.values() for folder in folders}
    # Except cells, and layers without weights that have a twin.
    assert len(golden & {*EXAMPLES}) > 50


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a", r"not valid TOML"),
        ("a = 1", r"\[a\] must be a table"),
        ('["a b"]\ngenerate = ["layer A"]', r"not a valid folder name"),
        ('[a]\ngenerates = ["layer A"]', r"the unknown key `generates`.*`generate`"),
        ("[a]\ngenerate = []", r"must be a list of commands"),
        ('[a]\ngenerate = "layer A"', r"must be a list of commands"),
        ('[a]\ngenerate = ["layer A"]\nnetwork = "return 1"', r"only one of"),
        ('[a]\ngenerate = ["layer A"]\naccuracy = 0.9', r"only one of"),
        ('[a]\ngenerate = ["layer A"]\nnetwork = "return 1"\naccuracy = 1.5', r"must be a float"),
        ('[a]\ngenerate = ["layer A"]\nabout = 1', r"`about` must be a string"),
    ],
)
def test_a_mistake_is_reported(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / LISTING).write_text(text)
    with pytest.raises(UsageError, match=message):
        load_examples(tmp_path)


def test_without_a_list(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=re.escape(LISTING)):
        load_examples(tmp_path)


def test_examples_are_chosen_by_name() -> None:
    assert [one.name for one in choose(EXAMPLES, ["gan", "dense", "gan"])] == ["gan", "dense"]
    assert [one.name for one in choose(EXAMPLES, [])] == [*EXAMPLES]
    with pytest.raises(UsageError, match="Did you mean `dense`"):
        choose(EXAMPLES, ["dens"])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_deal_out_each_once(count: int) -> None:
    items = [*range(20)]
    shards = [Shard.parse(f"{number}/{count}").of(items) for number in range(1, count + 1)]
    assert sorted(item for shard in shards for item in shard) == items
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/3", "4/3", "1/0", "-1/2", "a/b", "1/2/3", "1.0/2"])
def test_an_invalid_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid shard"):
        Shard.parse(text)
