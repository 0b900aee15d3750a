"""The stages of a composed model, and what it is compiled with, as tables of a spec file."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from scaffold.errors import UsageError, pointing
from scaffold.generation.composition.compile_arguments import CompileArguments
from scaffold.generation.composition.stage import Parallel, Residual, Stage, Use
from scaffold.text import nearest
from scaffold.toml_tables import NOWHERE, Entry, as_table, as_text, check_keys

_KINDS = {
    "layer": ("layer", "args"),
    "residual": ("residual",),
    "parallel": ("parallel", "merge"),
}
_COMPILE = ("loss", "optimizer", "metrics")


def read_stages(data: Any, where: str, at: Entry = NOWHERE) -> tuple[Stage, ...]:
    """Read stages from a list of tables.

    Raises:
        UsageError: If it is not such a list; the message names it by `where`, and points `at` it.
    """
    if not isinstance(data, list):
        raise UsageError(
            f"{where} must be a list of tables",
            fix="Write them as `[[layers]]`.",
            place=at.value(),
        )
    return tuple(_stage(one, where, at.child(number)) for number, one in enumerate(data))


def read_compiled(data: Any, where: str, at: Entry = NOWHERE) -> CompileArguments:
    """Read the table `compile`.

    Raises:
        UsageError: If it has other keys, or values that are not strings.
    """
    with pointing(at.value):
        table = as_table(data, where)
        check_keys(table, _COMPILE, where, at=at)
        metrics = table.get("metrics", [])
        texts = [table.get("loss", ""), table.get("optimizer", ""), *metrics]
        if not isinstance(metrics, list) or not all(isinstance(text, str) for text in texts):
            raise UsageError(
                f"{where} must contain only strings",
                fix='Write `loss = "mse"`, `metrics = ["mae"]`.',
            )
    return CompileArguments(texts[0], texts[1], tuple(metrics))


def stage_table(stage: Stage) -> dict[str, Any]:
    """Return the table that a stage is read from."""
    match stage:
        case Residual():
            return {"residual": [stage_table(one) for one in stage.stages]}
        case Parallel():
            branches = [[stage_table(one) for one in branch] for branch in stage.branches]
            return {"parallel": branches, "merge": stage.merge}
        case Use():
            layer = f"{stage.home}:{stage.layer}" if stage.home else stage.layer
            args = {name: _plain(text) for name, text in stage.arguments.items()}
            return {"layer": layer, **({"args": args} if args else {})}


def compiled_table(compiled: CompileArguments) -> dict[str, Any]:
    """Return the table that it is read from, empty if nothing is set."""
    table = {
        "loss": compiled.loss,
        "optimizer": compiled.optimizer,
        "metrics": list(compiled.metrics),
    }
    return {key: value for key, value in table.items() if value}


def _stage(data: Any, where: str, at: Entry) -> Stage:
    table = as_table(data, where)
    kind = next((key for key in _KINDS if key in table), None)
    if kind is None:
        known = [key for keys in _KINDS.values() for key in keys]
        wrong = next((key for key in table if key not in known), "")
        raise UsageError(
            f"a table of {where} has none of the keys {', '.join(_KINDS)}{nearest(wrong, known)}",
            fix='Write `layer = "Dense"` with `args = { units = 10 }`, for example.',
            place=at.child(wrong).name(),
        )
    check_keys(table, _KINDS[kind], f"a table of {where}", at=at)
    inside = at.child(kind)
    if kind == "residual":
        return Residual(read_stages(table["residual"], f"{where}: `residual`", inside))
    if kind == "parallel":
        branches = table["parallel"]
        if not isinstance(branches, list) or len(branches) < 2:
            raise UsageError(
                f"{where}: `parallel` must be a list of two or more branches",
                fix="Write it as a list of lists of tables.",
                place=inside.value(),
            )
        read = tuple(
            read_stages(branch, f"{where}: `parallel`", inside.child(number))
            for number, branch in enumerate(branches)
        )
        return Parallel(read, str(table.get("merge", "concatenate")), at)
    return _use(table, where, at)


def _use(table: Mapping[str, Any], where: str, at: Entry) -> Use:
    with pointing(at.child("args").value):
        args = as_table(table.get("args", {}), f"{where}: `args`")
    with pointing(at.child("layer").value):
        used = as_text(table["layer"], f"{where}: `layer`", 'Write `layer = "Dense"`.')
    home, _, layer = used.rpartition(":")
    return Use(layer, home, {name: _spelled(value) for name, value in args.items()}, entry=at)


def _plain(text: str) -> Any:
    """Convert a number or a boolean to its TOML value; keep anything else as typed."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return {"true": True, "false": False}.get(text, text)


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
