"""The place of a key in a TOML file is right, or there is none."""

from __future__ import annotations

import tomllib

import pytest

from scaffold.toml_tables import NOWHERE, Entry

FILE = '''\
# rank = 1
name = "rank = 2"  # rank = 3
text = """
rank = 4
[options]
rank = 5
"""
\t[options] # rank
rank\t=\t6# seven
"data_format" = 'rank = 8'
number = 1.50
[other]
rank = 9
options.rank = 10
[attributes.gain]
type = "float"
[attributes]
a = { rank = 1, type = 'int', default = 0 }
b.type = 'int'
sizes = [
    1,
]
[[layers]]
layer = "Dense"
[[layers]]
args = { units = 10 }
layer = "Densee"
'''


@pytest.mark.parametrize(
    ("keys", "line", "name", "value"),
    [
        (("name",), 2, "name", '"rank = 2"'),
        (("text",), 3, "text", "text"),
        (("options",), 8, "options", "options"),
        (("options", "rank"), 9, "rank", "6"),
        (("options", "data_format"), 10, '"data_format"', "'rank = 8'"),
        (("options", "number"), 11, "number", "1.50"),
        (("other", "rank"), 13, "rank", "9"),
        (("other", "options", "rank"), 14, "rank", "10"),
        (("attributes", "gain"), 15, "gain", "gain"),
        (("attributes", "gain", "type"), 16, "type", '"float"'),
        (("attributes", "a", "rank"), 18, "rank", "1"),
        (("attributes", "a", "default"), 18, "default", "0"),
        (("attributes", "b", "type"), 19, "type", "'int'"),
        (("attributes", "sizes"), 20, "sizes", "sizes"),
        (("layers", 0, "layer"), 24, "layer", '"Dense"'),
        (("layers", 1, "layer"), 27, "layer", '"Densee"'),
        (("layers", 1, "args", "units"), 26, "units", "10"),
    ],
)
def test_a_key(keys: tuple[str | int, ...], line: int, name: str, value: str) -> None:
    entry = Entry(FILE, "f.toml", keys)
    for place, seen in ((entry.name(), name), (entry.value(), value)):
        assert place is not None
        assert (place.path, place.line) == ("f.toml", line)
        assert place.text == FILE.split("\n")[line - 1]
        assert place.text[place.start : place.end] == seen


@pytest.mark.parametrize(
    "keys", [(), ("nix",), ("rank",), ("options", "text"), ("layers", 2, "layer"), ("layers", 0)]
)
def test_what_is_not_there(keys: tuple[str | int, ...]) -> None:
    for entry in (Entry(FILE, "f.toml", keys), NOWHERE.child(*keys)):
        assert (entry.name(), entry.value()) == (None, None)


def test_what_is_not_certain() -> None:
    for text in (
        'a = 1\nb = "sought-by-scaffold"\n',
        f"a = 1\n# {'x' * 100_000}\n",
        f"x = '{'a = ' * 60}'\na = 1\n",
        f"a = '{'x' * 300}'\n",
        '"\\u0061" = 1\n',
    ):
        assert "a" in tomllib.loads(text)
        assert Entry(text, "f.toml", ("a",)).name() is None


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\r\nb =\n", 2), ("a = 1\na = 2\n", 2), ("a = '", None)]
)
def test_a_mistake(text: str, line: int | None) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as caught:
        tomllib.loads(text)
    place = Entry(text, "f.toml").mistake(caught.value)
    assert (place and place.line) == line
    if place:
        assert (place.path, place.text) == ("f.toml", text.splitlines()[1])
        assert place.start <= len(place.text)
