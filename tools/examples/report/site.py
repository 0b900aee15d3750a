"""The page of all examples: static files that only need a browser."""

from __future__ import annotations

import hashlib
import importlib.util
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from scaffold.changes import Change
from scaffold.errors import MissingError, UsageError
from scaffold.generation.catalog import Catalog
from scaffold.workspace import Workspace
from tools.examples.build import Built
from tools.examples.report import curves
from tools.examples.report.card import KINDS, Card, highlighted, make_card
from tools.examples.report.graph import can_draw, draw
from tools.examples.verify.result import Result

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
_INDEX = "index"


def write_site(built: Sequence[Built], results: Sequence[Result], into: Path) -> Path:
    """Write the page, and one for each example with its files; all of them or none.

    Args:
        built: The examples, in the order of the page.
        results: Their results; outdated ones are ignored.
        into: The folder, which is created if it is missing.

    Returns:
        The file to open.

    Raises:
        MissingError: If Pygments is not installed.
        ScaffoldError: If the files can't be written.
    """
    _require(built)
    catalog = Catalog.builtin()
    environment = _environment()
    cards = []
    pages = {}
    for one in built:
        last = one.classes[-1]
        cards.append(make_card(one, catalog.get(last.target, last.template), results))
        pages[one.example.name] = _code_page(environment, one, cards[-1])
    pages[_INDEX] = _index(environment, cards)
    _write({into.absolute() / f"{name}.html": text for name, text in pages.items()}, into)
    return into / f"{_INDEX}.html"


def _require(built: Sequence[Built]) -> None:
    if importlib.util.find_spec("pygments") is None:
        raise MissingError("Pygments is not installed", fix="Install it: `pip install pygments`")
    for one in built:
        if one.example.name.lower() == _INDEX:
            raise UsageError(
                f"an example is called `{one.example.name}`, like the page of all examples",
                fix="Rename it",
            )


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (_text(name) for name in ("page.css", "page.js"))
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}"
    environment.globals |= {
        "style": style,
        "script": script,
        "policy": f"{policy}; img-src data:; base-uri 'none'; form-action 'none'",
    }
    return environment


def _text(name: str) -> Markup:
    return Markup((_HERE / name).read_text(encoding="utf-8"))  # noqa: S704 - our own file


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _index(environment: Environment, cards: Sequence[Card]) -> str:
    sections = {kind: [card for card in cards if card.kind == kind] for kind in KINDS}
    drawing = can_draw()
    return environment.get_template("page.html.jinja").render(
        count=len(cards),
        kinds=KINDS,
        sections={kind: some for kind, some in sections.items() if some},
        graphs={card.name: draw(card.graph) for card in cards if drawing and card.graph},
        drawing=drawing,
        totals=[*_totals(cards)],
        frame=curves,
    )


def _totals(cards: Sequence[Card]) -> Iterator[tuple[str, Mapping[str, int]]]:
    for column in zip(*(card.badges for card in cards), strict=True):
        yield column[0].where, Counter(badge.status for badge in column)


def _code_page(environment: Environment, built: Built, card: Card) -> str:
    rest = {
        name: highlighted(content.decode("utf-8"))
        for name, content in built.files.items()
        if name not in card.sources
    }
    files: Mapping[str, Any] = {**card.sources, **rest}
    return environment.get_template("code.html.jinja").render(card=card, files=files)


def _write(files: Mapping[Path, str], into: Path) -> None:
    folder = into.absolute()
    workspace = Workspace(next(one for one in (folder, *folder.parents) if one.is_dir()))
    with workspace.transaction() as transaction:
        inside = {workspace.confine(path): text.encode("utf-8") for path, text in files.items()}
        transaction.commit(
            Change(path, workspace.read(path), content) for path, content in inside.items()
        )
