"""The Python API: `import scaffold`."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import scaffold
from conftest import Scaffold
from scaffold.errors import ConflictError, MissingError, Place, UsageError

ROOT = Path(scaffold.__file__).parents[1]
CONV = ("MyConv", "filters=32", "kernel_size=3")


def test_import_costs_nothing() -> None:
    script = "import sys, scaffold; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"black", "click", "jinja2", "keras"}.isdisjoint(ast.literal_eval(ran.stdout))


def test_each_public_name_is_there() -> None:
    assert [name for name in scaffold.__all__ if not hasattr(scaffold, name)] == []
    assert dir(scaffold) == sorted(scaffold.__all__)
    with pytest.raises(AttributeError, match=r"^module 'scaffold' has no attribute 'layers'$"):
        _ = scaffold.layers


def test_a_plan_is_what_the_command_line_writes(scaffold: Scaffold, here: Path) -> None:
    import scaffold as api

    project = api.Project(here)
    plan = project.plan(api.layer(*CONV, options={"rank": 2}))
    assert list(here.iterdir()) == []
    assert [path.name for path in plan.files] == ["my_conv.py", "test_my_conv.py"]
    assert plan.diff() == scaffold("layer", *CONV, "--option=rank=2", "--diff").out
    answer = scaffold("layer", *CONV, "--option=rank=2", "--dry-run", "--json").answer()["result"]
    assert {here / one["path"]: one["content"] for one in answer["changes"]} == plan.files
    said = (answer["module"], answer["reason"], answer["notes"])
    assert said == (plan.module, plan.reason, [*plan.notes])
    answer = scaffold("layer", *CONV, "--option=rank=2", "--json").answer()["result"]
    assert answer["next"] == plan.next


def test_commits_a_plan_and_refuses_one_that_is_out_of_date(here: Path) -> None:
    project = scaffold.Project(here)
    plan = project.plan(scaffold.layer(*CONV))
    other = project.plan(scaffold.layer(*CONV, "gain:float=1.0"))
    project.commit(plan)
    assert {path: path.read_text() for path in here.iterdir()} == plan.files
    with pytest.raises(ConflictError, match=r"^my_conv\.py "):
        project.commit(other)
    assert (here / "my_conv.py").read_text() == plan.files[here / "my_conv.py"]
    project.commit(project.plan(scaffold.layer(*CONV)))


def test_a_project_elsewhere_works_like_the_current_folder(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_it(folder: str) -> tuple[dict[Path, str], str]:
        project = scaffold.Project(folder)
        into = scaffold.Folders(into=Path("lib"))
        project.generate(scaffold.layer(*CONV), into)
        uses = ["lib/my_conv.py:MyConv:filters=4:kernel_size=3", "Flatten", "Dense:units=10"]
        spec = Path("lib/net.toml")
        plan = project.generate(scaffold.model("MyNet", layers=uses), into, save_spec=spec)
        again = project.plan(scaffold.from_file(here / spec), into)
        assert {change.action for change in again.changes.changes} == {"keep"}
        return plan.files, plan.next

    monkeypatch.chdir(tmp_path)
    files, line = in_it("project")
    for path in here.rglob("*.*"):
        path.unlink()
    monkeypatch.chdir(here)
    assert in_it(".") == (files, line)


def test_a_project_is_found_by_any_path_to_it(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "pyproject.toml").touch()
    other = tmp_path / "other"
    (other / "inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to(other)
    for path, root in {"../other": other, "../link": other, "..": tmp_path, ".": here}.items():
        project = scaffold.Project(path)
        assert (project.folder, project.workspace.root) == (root, root)
        assert project.plan(scaffold.layer(*CONV)).next == "pytest test_my_conv.py"
    with pytest.raises(MissingError, match=r"^folder none not found$"):
        scaffold.Project("none")
    plan = scaffold.Project("../other").plan(scaffold.layer(*CONV))
    with pytest.raises(UsageError, match=r"^the plan is for "):
        scaffold.Project(".").commit(plan)
    assert not (here / "my_conv.py").exists()


def test_a_module_is_looked_up_in_the_project(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = scaffold.Project(here)
    project.generate(scaffold.layer("MyDense", "units=4"))
    request = scaffold.model("MyNet", layers=["my_dense:MyDense:units=10"])
    plans = []
    for folder in (here, tmp_path):
        monkeypatch.chdir(folder)
        plans.append(project.plan(request).files)
    assert plans[0] == plans[1]


def test_folders_are_strings_or_paths(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for current in (here, here.parent):
        monkeypatch.chdir(current)
        plan = scaffold.Project(here).plan(
            scaffold.layer(*CONV), scaffold.Folders(into="a", tests_into="t"), save_spec="s.toml"
        )
        names = [path.relative_to(here).as_posix() for path in plan.files]
        assert names == ["a/my_conv.py", "t/test_my_conv.py", "s.toml"]
    with pytest.raises(
        UsageError, match=r"^`tests=False` and `tests_into` can't be used together$"
    ):
        scaffold.Folders(tests_into="t", tests=False)


def test_options_and_layers_are_as_typed(scaffold: Scaffold, here: Path) -> None:
    import scaffold as api

    request = api.model(
        "MyNet", layers=["Flatten", "Dense:units=10"], loss="mse", metrics=["mae"],
        optimizer="SGD:momentum=0.9", options={"style": "sequential"}, package="mine",
    )  # fmt: skip
    typed = ["--layer=Flatten", "--layer=Dense:units=10", "--loss=mse", "--metric=mae"]
    typed += ["--optimizer=SGD:momentum=0.9", "--style=sequential", "--package=mine"]
    plan = api.Project(here).plan(request)
    assert plan.diff() == scaffold("model", "MyNet", *typed, "--diff").out
    gated = api.layer("MyConv", "filters=4", options={"rank": 2, "use_bias": True})
    assert gated.options == {"rank": "2", "use_bias": "true"}


def test_templates() -> None:
    assert "conv" in [one.name for one in scaffold.templates("layer")]
    assert scaffold.template("Conv2D").name == "conv"
    assert scaffold.template("resnet50", "model").name == "resnet"
    assert scaffold.template("conv").attributes[0].name == "filters"
    with pytest.raises(UsageError, match=r"^layer template `cnov` not found"):
        scaffold.template("cnov")
    with pytest.raises(UsageError, match=r"^`layers` is neither `layer` nor `model`$"):
        scaffold.templates("layers")  # type: ignore[arg-type]


def test_errors_say_where(here: Path) -> None:
    with pytest.raises(scaffold.ScaffoldError) as raised:
        scaffold.layer("MyConv", "filters:int=x")
    assert raised.value.place == Place("filters:int=x", 12, 13)
    with pytest.raises(MissingError) as missing:
        scaffold.from_file(here / "none.toml")
    assert missing.value.message == f"spec file {here / 'none.toml'} not found."
    with pytest.raises(MissingError):
        scaffold.Project(here / "none")


def test_errors_suggest_and_point_into_files(here: Path) -> None:
    with pytest.raises(UsageError) as raised:
        scaffold.template("cnov")
    assert (raised.value.suggestions, raised.value.place) == (("conv",), None)
    with pytest.raises(UsageError) as raised:
        scaffold.layer("MyConv", "filters:itn=3")
    assert raised.value.suggestions == ("int",)
    (here / "net.toml").write_text("version = 1\nnmae = 'X'\n")
    with pytest.raises(UsageError) as raised:
        scaffold.from_file("net.toml")
    assert raised.value.suggestions == ("name",)
    assert raised.value.place == Place("nmae = 'X'", 0, 4, "net.toml", 2)


def test_annotations_can_be_read() -> None:
    functions = [getattr(scaffold, name) for name in scaffold.__all__]
    functions = [one for one in functions if inspect.isfunction(one)]
    functions += [scaffold.Project.plan, scaffold.Project.commit, scaffold.Project.generate]
    assert len(functions) > 8
    assert typing.get_type_hints(scaffold.check)["return"] == list[scaffold.Outcome]
    assert all(typing.get_type_hints(one)["return"] for one in functions)


def test_checks_in_another_process(here: Path) -> None:
    project = scaffold.Project(here)
    project.generate(scaffold.layer("MyDense", "units=3"))
    path = here / "my_dense.py"
    path.write_text(path.read_text().replace('            "units": self.units,\n', "", 1))
    outcomes = scaffold.check(
        path, backend="torch", args={"units": 3}, input="2,4", only=["config-complete"]
    )
    assert [(one.check, one.status, one.backend) for one in outcomes] == [
        ("config-complete", "failed", "torch")
    ]
    with pytest.raises(UsageError, match=r"^no target given"):
        scaffold.check()
    with pytest.raises(UsageError, match=r"^`jaxx` is not a backend\. Did you mean `jax`\?$"):
        scaffold.check(path, backend="jaxx")
    with pytest.raises(UsageError, match=r"^no checks left to run$"):
        scaffold.check(path, only=["constructs"], skip=["constructs"])


def test_the_page_is_true(here: Path) -> None:
    """Run the page's blocks one after the other, like a reader."""
    page = (ROOT / "docs/api.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, object] = {}
    for block in (*blocks[:3], blocks[4]):
        exec(block.replace('backend="jax"', 'backend="torch"'), names)
    assert (here / "my_conv.py").exists()
    described = re.findall(r"^\| `(\w+)", page, flags=re.MULTILINE)
    project, plan = names["project"], names["plan"]
    assert [name for name in described if not hasattr(plan, name)] == ["plan", "commit", "generate"]
    assert all(hasattr(project, name) for name in ("plan", "commit", "generate"))
