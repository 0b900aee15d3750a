"""The pages in docs are those of the checks; `make pages` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.few_checks import CHECKS, few_checks
from scaffold.conformance.report.page import page
from tools.check_pages import DOCS, pages, write

__all__ = ["few_checks"]
PAGE = """\
# items-independent

No sample of a batch changes the output for another.

Batches of other sizes would give other results.

**Fix:** Leave the batch's axis alone.

## Example

```diff
  class Scale(keras.layers.Layer):
-     factor = 1
+     factor = 2
```

## Run only this check

```sh
scaffold check my_layers.py:MyLayer --only items-independent
```

It runs only if `constructs` passes.

The tag `mixes-batch` declares that a layer is meant to fail it: `--tag mixes-batch`.
"""
ROWS = """\
| [constructs](checks/constructs.md) | construction | The constructor works. |  |
| [config-complete](checks/config-complete.md) | configuration | Every argument is in the config. \
|  |
"""


def read(docs: Path) -> dict[Path, str]:
    found = [docs / "checks.md", *docs.glob("checks/*")]
    return {path.relative_to(docs): path.read_text("utf-8") for path in found}


def test_docs_are_up_to_date() -> None:
    assert read(DOCS) == pages()


def test_page() -> None:
    assert page(CHECKS[3]) == PAGE
    two = "\n\nIt runs only if `constructs`, `config-complete` pass.\n"
    assert page(CHECKS[2]).endswith(two)
    alone = "```\n\nIt applies to models only.\n\nIt runs only if `constructs` passes.\n"
    assert page(CHECKS[4]).endswith(alone)
    assert page(CHECKS[0]).endswith("--only constructs\n```\n")


@pytest.mark.usefixtures("few_checks")
def test_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.check_pages.checks", lambda: CHECKS)
    index = pages()[Path("checks.md")]
    head, _, rows = index.partition("| --- | --- | --- | --- |\n")
    assert head.startswith("# The checks\n")
    assert rows.startswith(ROWS)
    assert rows.splitlines()[3:] == [
        "| [items-independent](checks/items-independent.md) | training state | "
        "No sample of a batch changes the output for another. | `mixes-batch` |",
        "| [model-summary](checks/model-summary.md) | models | A summary can be printed. |  |",
    ]


def test_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.check_pages.checks", lambda: CHECKS[:2])
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "gone.md").write_text("a removed check")
    write(tmp_path)
    assert read(tmp_path) == pages()
    assert sorted(path.name for path in tmp_path.rglob("*.md")) == [
        "checks.md",
        "config-complete.md",
        "constructs.md",
    ]
    write(tmp_path)
    assert read(tmp_path) == pages()
