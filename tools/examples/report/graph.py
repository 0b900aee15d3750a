"""Draws a model's graph with Graphviz, for embedding in a page."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from xml.etree import ElementTree

from markupsafe import Markup

_OPTIONS = ("-Tsvg", "-Gdpi=72", "-Gbgcolor=transparent")
_SECONDS = 60
_SCALE = 0.8
# Only shapes and text: no links, images, scripts, or ids, which could be duplicates.
_TAGS = frozenset({"svg", "g", "polygon", "polyline", "path", "ellipse", "text"})
_SHAPE = (
    "class d points transform viewBox x y cx cy rx ry fill stroke stroke-width stroke-dasharray"
)
_TEXT = "text-anchor font-family font-size font-weight font-style"
_ATTRIBUTES = frozenset((*_SHAPE.split(), *_TEXT.split()))


def can_draw() -> bool:
    """Return whether Graphviz is installed."""
    return _dot() is not None


def draw(graph: str) -> Markup:
    """Return a graph in Graphviz's language as an `svg` element; empty if that fails."""
    command = [_dot() or "", *_OPTIONS]
    try:
        done = subprocess.run(command, input=graph.encode(), capture_output=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return Markup()
    if done.returncode:
        return Markup()
    return _inline(ElementTree.fromstring(done.stdout))  # noqa: S314 - written by Graphviz


def _dot() -> str | None:
    return shutil.which("dot")


def _inline(root: ElementTree.Element) -> Markup:
    inside = ElementTree.Element("svg", _attributes(root))
    inside.extend(_children(root))
    nodes = len(inside.findall(".//g[@class='node']"))
    for side, number in zip(("width", "height"), root.get("viewBox", "").split()[2:], strict=False):
        inside.set(side, f"{_SCALE * float(number):.0f}")
    inside.set("role", "img")
    inside.set("aria-label", f"The model as a graph, nodes: {nodes}")
    return Markup(ElementTree.tostring(inside, encoding="unicode"))  # noqa: S704 - only shapes


def _children(parent: ElementTree.Element) -> Iterator[ElementTree.Element]:
    for child in parent:
        tag = _local(child.tag)
        if tag in _TAGS:
            made = ElementTree.Element(tag, _attributes(child))
            made.text = child.text if tag == "text" else None
            made.extend(_children(child))
            yield made
        elif tag == "a":
            yield from _children(child)


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    return {name: value for name, value in element.items() if name in _ATTRIBUTES}


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
