from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from scaffold.generation.attributes.grammar import read_attribute
from scaffold.generation.catalog import Catalog
from scaffold.generation.composition import Use
from scaffold.generation.generate import Layout, exported, generate, next_step, training_step
from scaffold.generation.render import Style
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.settings import Settings

CATALOG = Catalog.builtin()
BLANK = resolve(CATALOG, Request("layer", "MyConv", "blank"), "pkg")
MLP = resolve(CATALOG, Request("model", "MyMLP", "mlp"), "pkg")
ROOT = Path("/home/me/my project")
HERE = PurePosixPath(".")


def layout(into: str, tests: str | None, packages: str = "", root: str = ".") -> Layout:
    return Layout(
        PurePosixPath(into),
        None if tests is None else PurePosixPath(tests),
        tuple(packages.split()),
        ROOT / root,
        ROOT / (tests or into),
        None,
    )


@pytest.mark.parametrize(
    ("where", "paths", "imported"),
    [
        (layout(".", "."), ["my_conv.py", "test_my_conv.py"], "my_conv"),
        (layout("a", "tests", root="a"), ["a/my_conv.py", "tests/test_my_conv.py"], "my_conv"),
        (
            layout("src/lib/layers", "tests", "lib layers", "src"),
            ["src/lib/layers/my_conv.py", "tests/test_my_conv.py"],
            "lib.layers.my_conv",
        ),
    ],
)
def test_files(where: Layout, paths: list[str], imported: str) -> None:
    files = generate(CATALOG, BLANK, Style(), where)
    assert list(map(str, files)) == paths
    module, test = files.values()
    assert module.decode().splitlines()[0] == '"""`MyConv`: TODO, a short description."""'
    assert f"from {imported} import MyConv" in test.decode().splitlines()


def test_no_test() -> None:
    assert list(generate(CATALOG, BLANK, Style(), layout(".", None))) == [
        PurePosixPath("my_conv.py")
    ]


@pytest.mark.parametrize(
    ("name", "attributes", "takes"),
    [("MyDense", [], True), ("MyDense", ["units=3"], False), ("MyDropout", [], False)],
)
def test_a_drop_in_takes_configs_of_a_built_in_that_has_more(
    name: str, attributes: list[str], takes: bool
) -> None:
    request = Request("layer", name, attributes=tuple(map(read_attribute, attributes)))
    resolved = resolve(CATALOG, request, "pkg")
    files = generate(CATALOG, resolved, Style(), layout(".", "."))
    texts = [file.decode() for file in files.values()]
    assert ["def from_config(" in texts[0], "unsupported" in texts[1]] == [takes, takes]


def test_license_header_in_both() -> None:
    style = Style("Copyright {{ me }}\n\n  # Apache-2.0")
    for file in generate(CATALOG, BLANK, style, layout(".", ".")).values():
        assert file.decode().splitlines()[:3] == ["# Copyright {{ me }}", "#", "#   # Apache-2.0"]


@pytest.mark.parametrize(
    ("where", "paths", "expected"),
    [
        (layout(".", "."), [], "pytest test_my_conv.py"),
        (layout("a", "a", root="a"), [], "pytest a/test_my_conv.py"),
        (layout("a b", "a b", root="a b"), [], "pytest 'a b/test_my_conv.py'"),
        (
            layout(".", "tests"),
            [],
            "pytest --rootdir=. -o pythonpath=. tests/test_my_conv.py",
        ),
        (
            layout("src/lib", "tests", "lib", "src"),
            [],
            "pytest --rootdir=. -o pythonpath=src tests/test_my_conv.py",
        ),
        (layout("src/lib", "tests", "lib", "src"), ["src"], "pytest tests/test_my_conv.py"),
        (layout("src/lib", "tests", "lib", "src"), ["./src/"], "pytest tests/test_my_conv.py"),
        (layout(".", "tests"), ["."], "pytest tests/test_my_conv.py"),
        (
            layout("src/lib", "src/lib", "lib", "src"),
            [],
            "pytest --rootdir=. -o pythonpath=src src/lib/test_my_conv.py",
        ),
        (layout(".", None), [], 'python -c "from my_conv import MyConv"'),
        (
            layout("src/lib", None, "lib", "src"),
            [],
            'cd src && python -c "from lib.my_conv import MyConv"',
        ),
    ],
)
def test_next_step(where: Layout, paths: list[str], expected: str) -> None:
    settings = Settings(ROOT, "pkg", pytest_paths=tuple(paths))
    assert next_step(BLANK.spec, where, settings, ROOT, ROOT) == expected


@pytest.mark.parametrize(
    ("here", "settings", "expected"),
    [
        (ROOT / "sub", Settings(ROOT, "pkg", pytest_paths=("src",)),
         "pytest ../tests/test_my_conv.py"),
        (ROOT / "sub", Settings(ROOT, "pkg"),
         "pytest --rootdir=.. -o pythonpath=src ../tests/test_my_conv.py"),
        (ROOT / "tests", Settings(ROOT, "pkg"),
         "pytest --rootdir=.. -o pythonpath=src test_my_conv.py"),
        (ROOT, Settings(ROOT / "src", "pkg"),
         "pytest --rootdir=src -o pythonpath=. tests/test_my_conv.py"),
    ],
)  # fmt: skip
def test_next_step_from_another_folder(here: Path, settings: Settings, expected: str) -> None:
    where = layout("src/lib", "tests", "lib", "src")
    assert next_step(BLANK.spec, where, settings, ROOT, here) == expected


def test_next_step_of_a_test_within_its_package() -> None:
    where = replace(layout("src/lib", "src/lib", "lib", "src"), tests_root=ROOT / "src")
    assert next_step(BLANK.spec, where, Settings(ROOT, "pkg"), ROOT, ROOT) == (
        "pytest src/lib/test_my_conv.py"
    )


def test_no_training_script_is_requested() -> None:
    where = layout(".", ".")
    assert training_step(MLP, where, Settings(ROOT, "pkg"), ROOT, ROOT) == ""


def test_next_step_where_pytest_imports_by_path() -> None:
    settings = Settings(ROOT, "pkg", imports_by_path=True)
    assert next_step(BLANK.spec, layout(".", "."), settings, ROOT, ROOT) == (
        "pytest --rootdir=. -o pythonpath=. test_my_conv.py"
    )


@pytest.mark.parametrize(
    ("scripts", "is_built", "expected"),
    [
        ("src", False, "python src/train_my_mlp.py"),
        ("my scripts", True, "python 'my scripts/train_my_mlp.py'"),
        ("scripts", False, "PYTHONPATH=src python scripts/train_my_mlp.py"),
    ],
)
def test_training_step(scripts: str, is_built: bool, expected: str) -> None:
    where = replace(
        layout("src/lib/models", None, "lib models", "src"), scripts_into=PurePosixPath(scripts)
    )
    settings = Settings(ROOT, "pkg", is_built=is_built)
    step = training_step(MLP, where, settings, ROOT, ROOT)
    assert step == expected
    script = PurePosixPath(shlex.split(step)[-1])
    files = generate(CATALOG, MLP, Style(), where)
    assert list(files)[-1] == script
    assert b"\nfrom lib.models.my_mlp import MyMLP\n" in files[script]


def test_what_a_package_can_export() -> None:
    where = layout("src/lib", None, "lib", "src")
    conv = Use("conv", arguments={"filters": "8", "kernel_size": "3"})
    composed = resolve(CATALOG, Request("model", "MyNet", layers=(conv,)), "pkg")
    sources = {
        PurePosixPath("src/lib/my_net.py"): b"class MyNet(keras.Model):\n",
        PurePosixPath("src/lib/my_net_conv.py"): b"class MyNetConv2(keras.layers.Layer):\n",
    }
    assert list(exported(composed, where, sources.get)) == [("lib.my_net", "MyNet")]
    sources[PurePosixPath("src/lib/my_net_conv.py")] = b"\xff\n\nclass MyNetConv:\n"
    assert list(exported(composed, where, sources.get)) == [
        ("lib.my_net", "MyNet"),
        ("lib.my_net_conv", "MyNetConv"),
    ]
    assert list(exported(composed, where, lambda _: None)) == []
