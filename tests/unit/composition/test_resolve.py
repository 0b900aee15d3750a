from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from scaffold.errors import MissingError, ScaffoldError
from scaffold.generation.catalog import Catalog
from scaffold.generation.composition import (
    Composition,
    Parallel,
    Residual,
    Stage,
    compose,
    read_use,
)
from scaffold.generation.composition.resolve import Beside
from scaffold.generation.resolving import generated_module

CATALOG = Catalog.builtin()
MINE = """\
import keras

class Plain(keras.layers.Layer):
    pass

class Scaled(keras.layers.Layer):
    def __init__(self, scale, shift=0, **kwargs):
        super().__init__(**kwargs)

class Wide(keras.layers.Dense):
    pass

class Wider(Wide):
    pass

class Closed(keras.layers.Layer):
    def __init__(self, scale):
        super().__init__()

class Added(keras.layers.Conv2D):
    def __init__(self, *args, gain=1.0, **kwargs):
        super().__init__(*args, **kwargs)

class Twice(Added):
    def __init__(self, *args, offset, **kwargs):
        Added.__init__(self, *args, groups=2, **kwargs)

class Three(keras.layers.Dense):
    def __init__(self, **kwargs):
        super().__init__(3, **kwargs)

class Chosen(keras.layers.Dense):
    def __init__(self, **kwargs):
        kwargs.setdefault("units", 3)
        super().__init__(**kwargs)

class Alone(keras.layers.Dense):
    def __init__(self, **kwargs):
        super().__init__(3, name="alone", dtype="float32")
"""


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "pkg" / "parts.py").write_text(MINE)


def composed_of(stages: Sequence[Stage]) -> Composition:
    return compose(CATALOG, "Net", stages, partial(generated_module, CATALOG))


def composed(*texts: str, package: str = "") -> Composition:
    return composed_of([read_use(text) for text in texts]).within(package)


def sources(*texts: str) -> list[str]:
    return [stage.source for stage in composed(*texts).stages]


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Flatten", 'keras.layers.Flatten(dtype=dtype, name="flatten")'),
        ("Dense:units=3", 'keras.layers.Dense(units=3, dtype=dtype, name="dense")'),
        (
            "Conv2D:filters=3:kernel_size=3,5:use_bias=false:padding=same",
            "keras.layers.Conv2D(filters=3, kernel_size=(3, 5), use_bias=False, "
            'padding="same", dtype=dtype, name="conv2d")',
        ),
        (
            "conv:filters=4:kernel_size=3",
            'NetConv(filters=4, kernel_size=3, dtype=dtype, name="conv")',
        ),
        ("mine.py:Plain", 'Plain(dtype=dtype, name="plain")'),
        ("mine.py:Scaled:scale=2", 'Scaled(scale=2, dtype=dtype, name="scaled")'),
        ("mine.py:Wide:units=2", 'Wide(units=2, dtype=dtype, name="wide")'),
        ("mine:Wider:units=2", 'Wider(units=2, dtype=dtype, name="wider")'),
        (
            "mine.py:Added:filters=16:kernel_size=3:gain=2.0",
            'Added(filters=16, kernel_size=3, gain=2.0, dtype=dtype, name="added")',
        ),
        (
            "mine.py:Twice:filters=8:kernel_size=1:gain=2.0:offset=1",
            'Twice(filters=8, kernel_size=1, gain=2.0, offset=1, dtype=dtype, name="twice")',
        ),
        ("mine.py:Three:use_bias=false", 'Three(use_bias=False, dtype=dtype, name="three")'),
        ("mine.py:Chosen", 'Chosen(dtype=dtype, name="chosen")'),
        ("mine.py:Chosen:units=4", 'Chosen(units=4, dtype=dtype, name="chosen")'),
        ("ReLU:trainable=false", 'keras.layers.ReLU(trainable=False, dtype=dtype, name="re_lu")'),
    ],
)
def test_source(text: str, source: str) -> None:
    assert sources(text) == [source]


@pytest.mark.parametrize(
    ("line", "base"),
    [
        ("from pkg.parts import Added", "Added"),
        ("from .parts import Added as Mine", "Mine"),
        ("from . import parts", "parts.Added"),
        ("import pkg.parts as parts", "parts.Added"),
        ("from keras import layers", "layers.Conv2D"),
        ("import keras.layers as kl", "kl.Conv2D"),
        ("import tensorflow as tf", "tf.keras.layers.Conv2D"),
    ],
)
def test_a_base_from_elsewhere(line: str, base: str, tmp_path: Path) -> None:
    code = "    def __init__(self, *args, **kwargs):\n        super().__init__(*args, **kwargs)\n"
    (tmp_path / "pkg" / "derived.py").write_text(f"{line}\n\nclass Derived({base}):\n{code}")
    with pytest.raises(ScaffoldError, match=r"^`Derived` needs `filters` and `kernel_size`"):
        composed("pkg/derived.py:Derived")


def test_circular_bases_end(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("from two import A\n\nclass B(A):\n    pass\n")
    (tmp_path / "two.py").write_text("from one import A\n")
    assert sources("one.py:B") == ['B(dtype=dtype, name="b")']


def test_names_are_unique() -> None:
    names = [stage.name for stage in composed("ReLU", "Dense:units=1", "ReLU", "ReLU").stages]
    assert names == ["re_lu", "dense", "re_lu_1", "re_lu_2"]


def test_what_is_imported_and_generated() -> None:
    found = composed("conv1d:filters=2:kernel_size=1", "pkg/parts.py:Plain", "mine:Plain")
    assert found.imports == [
        ("mine", "Plain"),
        ("net_conv1d", "NetConv1d"),
        ("pkg.parts", "Plain"),
    ]
    assert found.beside == [Beside("NetConv1d", "conv", {"rank": "1"})]
    inside = composed("conv:filters=2:kernel_size=1:rank=3", package="a.b")
    assert inside.imports == [("a.b.net_conv", "NetConv")]
    assert inside.beside == [Beside("NetConv", "conv", {"rank": "3"})]


def test_branches() -> None:
    dense, relu = read_use("Dense:units=3"), read_use("ReLU")
    found = composed_of([Residual([dense]), Parallel([[dense], [relu]], "add")])
    residual, parallel = found.stages
    assert residual.source == 'keras.layers.Add(dtype=dtype, name="residual")'
    assert parallel.source == 'keras.layers.Add(dtype=dtype, name="add")'
    assert not found.is_chain
    assert composed("ReLU").is_chain


@pytest.mark.parametrize(
    ("texts", "message", "code"),
    [
        (["Densee:units=1"], "layer `Densee` not found. Did you mean `dense`?", 2),
        (["Dense"], "`keras.layers.Dense` needs `units`.", 2),
        (["Dense:unit=1"], "`keras.layers.Dense` has no argument `unit`. Did you mean `units`?", 2),
        (["conv:filters=1"], "`NetConv` needs `kernel_size`.", 2),
        (["conv:rank=4"], "option `rank=4`: it must be one of 1, 2, 3.", 2),
        (["Dense:units=1:name=a"], "the model sets the `name` of each of its layers.", 2),
        (["mine.py:Scaled"], "`Scaled` needs `scale`.", 2),
        (["mine.py:Plane"], "mine.py has no class `Plane`. Did you mean `Plain`?", 2),
        (["mine.py:Plain:units=1"], "`Plain` has no argument `units`.", 2),
        (
            ["mine.py:Closed:scale=1"],
            "`Closed` must take `name` and `dtype`, as every Keras layer does.",
            2,
        ),
        (["mine.py:Added:filters=16"], "`Added` needs `kernel_size`.", 2),
        (
            ["mine.py:Added:filter=16"],
            "`Added` has no argument `filter`. Did you mean `filters`?",
            2,
        ),
        (["mine.py:Twice:filters=8"], "`Twice` needs `kernel_size` and `offset`.", 2),
        (["mine.py:Twice:groups=1"], "`Twice` has no argument `groups`.", 2),
        (["mine.py:Three:units=4"], "`Three` has no argument `units`.", 2),
        (["mine.py:Alone:units=4"], "`Alone` has no argument `units`.", 2),
        (["none.py:Plain"], "file none.py not found.", 5),
        (["no.such:Plain"], "module no.such not found.", 5),
        (
            ["conv:rank=1:filters=1:kernel_size=1", "conv:rank=2:filters=1:kernel_size=1"],
            "`conv` is already used with other options.",
            2,
        ),
    ],
)
def test_refusals(texts: list[str], message: str, code: int) -> None:
    with pytest.raises(ScaffoldError) as caught:
        composed(*texts)
    assert (caught.value.message, caught.value.exit_code) == (message, code)
    assert caught.value.fix


def test_an_unknown_merge() -> None:
    with pytest.raises(ScaffoldError, match=r"^`merge` is `ad`\. Did you mean `add`\?"):
        composed_of([Parallel([[], []], "ad")])


def test_nothing_of_the_users_is_run(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(f"{MINE}\nraise SystemExit('it was run')\n")
    assert sources("loud.py:Plain") == ['Plain(dtype=dtype, name="plain")']
    (tmp_path / "broken.py").write_text("class (:")
    with pytest.raises(ScaffoldError, match=r"^broken\.py is not valid Python"):
        composed("broken.py:Plain")
    with pytest.raises(MissingError):
        composed("folder.py:Plain")
