from __future__ import annotations

import pytest

from scaffold.errors import UnsafeError, UsageError
from scaffold.generation.attributes import REQUIRED, Attribute
from scaffold.generation.attributes.base import Default
from scaffold.generation.attributes.grammar import Declaration, declare_type, read_attribute
from scaffold.generation.catalog import Catalog
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.spec import Spec
from scaffold.generation.spec_file import MOST_BYTES, read_spec, write_spec

CATALOG = Catalog.builtin()
FILE = """\
version = 1
target = "layer"
name = "MyConv"
template = "conv"
package = "mine"

[options]
rank = 1

[attributes]
filters = 8
kernel_size = [
    5,
]
use_bias = false
activation = "None"

[attributes.gain]
type = "float"
constraint = ">0"
default = 1.5
doc = "What the output is multiplied by."

[attributes.mode]
type = "enum(sum,mean)"
default = "sum"

[attributes.size]
type = "ints(2)"
optional = true

[attributes.noise]
type = "seed"
optional = true
"""


def read(text: str) -> Request:
    return read_spec(b"version = 1\n" + text.encode("utf-8"), "spec.toml")


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        read(text)
    return caught.value.message, caught.value.fix


def test_written_and_read() -> None:
    request = Request(
        "layer",
        "MyConv",
        "conv",
        "mine",
        {"rank": "1"},
        (
            *map(read_attribute, ["filters=8", "kernel_size=5", "use_bias=false"]),
            read_attribute("activation=None"),
            Declaration(
                Attribute(
                    "gain", declare_type("float", ">0"), 1.5, "What the output is multiplied by."
                ),
                "gain:float",
            ),
            *map(
                read_attribute, ["mode:enum(sum,mean)=sum", "size:ints(2)=None", "noise:seed=None"]
            ),
        ),
    )
    spec = resolve(CATALOG, request, "pkg").spec
    assert write_spec(spec).decode() == FILE
    again = resolve(CATALOG, read_spec(FILE.encode(), "spec.toml"), "pkg")
    assert again.spec == spec
    assert again.reason == "as requested"
    assert write_spec(again.spec).decode() == FILE


def test_the_smallest() -> None:
    assert read("") == Request("layer")
    spec = Spec("layer", "Foo", "blank", "pkg")
    written = write_spec(spec).decode()
    assert written == (
        'version = 1\ntarget = "layer"\nname = "Foo"\ntemplate = "blank"\npackage = "pkg"\n'
    )
    assert resolve(CATALOG, read_spec(written.encode(), "f"), "other").spec == spec


@pytest.mark.parametrize(
    ("entry", "default"),
    [
        ('{type = "int"}', REQUIRED),
        ('{type = "int", optional = false}', REQUIRED),
        ('{type = "int", optional = true}', None),
        ('{type = "int", default = 3}', 3),
        ('{type = "float", default = 3}', 3.0),
        ('{type = "str", default = "None"}', "None"),
        ('{type = "str", default = "{{ x }} \\"\\"\\" \\\\"}', '{{ x }} """ \\'),
        ('{type = "ints", default = []}', ()),
        ('{type = "ints(2)", default = 3}', (3, 3)),
        ('{type = "activation", default = "None"}', None),
        ('{type = "layer", default = "None"}', None),
    ],
)
def test_declarations(entry: str, default: Default) -> None:
    [given] = read(f"[attributes]\na = {entry}").attributes
    assert isinstance(given, Declaration)
    assert given.attribute.default == default
    assert type(given.attribute.default) is type(default)


@pytest.mark.parametrize(
    ("value", "text"),
    [("3", "a=3"), ("0.5", "a=0.5"), ("true", "a=true"), ('"x y"', "a=x y"), ("[3, 5]", "a=3,5"),
     ("[]", "a=")],
)  # fmt: skip
def test_assignments(value: str, text: str) -> None:
    assert read(f"[attributes]\na = {value}").attributes == (read_attribute(text),)


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("nmae = 'X'", "spec.toml has the unknown key `nmae`. Did you mean `name`?",
         "The keys are version, target, name, template, package, base, options, attributes, "
         "layers, compile."),
        ("name = 3", "spec.toml: `name` must be a string.", 'Put it in quotes: `"..."`.'),
        ("package = []", "spec.toml: `package` must be a string.", 'Put it in quotes: `"..."`.'),
        ("target = 'modle'", "spec.toml: `target` is `modle`. Did you mean `model`?",
         "It must be one of layer, model."),
        ("options = 3", "spec.toml: `options` must be a table.",
         "Write it as `[section]` with keys below it."),
        ("attributes = []", "spec.toml: `attributes` must be a table.",
         "Write it as `[section]` with keys below it."),
        ("options.rank = {}", "spec.toml: option `rank` can't be {}.",
         "Use a number, a string or a list of ints."),
        ("attributes.a = 1979-05-27",
         "spec.toml: attribute `a` can't be datetime.date(1979, 5, 27).",
         "Use a number, a string or a list of ints."),
        ("attributes.a = ['x']", "spec.toml: attribute `a` can't be ['x'].",
         "Use a number, a string or a list of ints."),
        ("attributes.a = {}", "spec.toml: attribute `a` has no type.",
         'Write `type = "float"`, for example.'),
        ("attributes.a.tpye = 'int'",
         "spec.toml: attribute `a` has the unknown key `tpye`. Did you mean `type`?",
         "The keys are type, default, optional, constraint, doc."),
        ("attributes.a.type = 3", "spec.toml: attribute `a`: `type` must be a string.",
         'Put it in quotes: `"..."`.'),
        ("attributes.a.type = 'itn'",
         "spec.toml: attribute `a`: unknown type `itn`. Did you mean `int`?", "Fix the file."),
        ("attributes.a = {type = 'int', constraint = 0}",
         "spec.toml: attribute `a`: `constraint` must be a string.",
         'Put it in quotes: `"..."`.'),
        ("attributes.a = {type = 'int', constraint = '0'}",
         "spec.toml: attribute `a`: `0` is not a bound; write `>0` or `>=0,<1`.",
         "Fix the file."),
        ("attributes.a = {type = 'int', constraint = '>0', default = 0}",
         "spec.toml: attribute `a`: 0 violates the constraint {>0}.", "Fix the file."),
        ("attributes.a = {type = 'int', default = '3'}",
         "spec.toml: attribute `a`: '3' is not an int.", "Fix the file."),
        ("attributes.a = {type = 'float', default = nan}",
         "spec.toml: attribute `a`: a float must be finite: not inf, nan, or over 1.8e308.",
         "Fix the file."),
        ("attributes.a = {type = 'int', doc = 3}",
         "spec.toml: attribute `a`: `doc` must be a string.", 'Put it in quotes: `"..."`.'),
        ("attributes.a = {type = 'int', optional = 'yes'}",
         "spec.toml: attribute `a`: `optional` must be true or false.", "Fix the file."),
        ("attributes.a = {type = 'int', optional = true, default = 3}",
         "spec.toml: attribute `a` has both a default and `optional`, which makes it None.",
         "Remove one of them."),
    ],
)  # fmt: skip
def test_refused(text: str, message: str, fix: str) -> None:
    assert refusal(text) == (message, fix)


@pytest.mark.parametrize(
    ("data", "shown"),
    [(b"", "None"), (b"version = 2", "2"), (b"version = true", "True"), (b"version = '1'", "'1'")],
)
def test_other_versions(data: bytes, shown: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_spec(data, "spec.toml")
    assert caught.value.message == f"spec.toml has version {shown}; this scaffold reads 1."
    assert caught.value.fix == "Write `version = 1`."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"version = 1\nversion = 1", "Cannot overwrite a value (at end of document)"),
        (b"version", "Expected '=' after a key in a key/value pair (at end of document)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"a = 1" + b"0" * 5000, "Exceeds the limit (4300 digits) for integer string conversion: "
         "value has 5001 digits; use sys.set_int_max_str_digits() to increase the limit"),
        (b"a = " + b"[" * 5000, "maximum recursion depth exceeded"),
    ],
)  # fmt: skip
def test_invalid_toml(data: bytes, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_spec(data, "spec.toml")
    message = caught.value.message.removesuffix(".")
    assert message.partition(" while ")[0] == f"spec.toml is not valid TOML: {reason}"
    assert caught.value.fix == "Fix the file."


def test_too_large() -> None:
    start = b"version = 1\n#"
    largest = start + b"x" * (MOST_BYTES - len(start))
    assert read_spec(largest, "spec.toml") == Request("layer")
    with pytest.raises(UnsafeError) as caught:
        read_spec(largest + b"x", "spec.toml")
    assert caught.value.message == "spec.toml has 1,000,001 bytes; the limit is 1,000,000."
    assert caught.value.fix == "Check that it is the right file."
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("text", "seen", "code"),
    [
        ('"a\\u001b[31m" = 1', "a�[31m", "U+001B"),
        ('name = "My\\u202EConv"', "My�Conv", "U+202E"),
        ('options."ra\\u0000nk" = 1', "ra�nk", "U+0000"),
        ('options.rank = "\\u0007"', "�", "U+0007"),
        ('attributes."a\\u0000" = 3', "a�", "U+0000"),
        ('attributes.activation = "re\\u0000lu"', "re�lu", "U+0000"),
        ('attributes.a = ["\\t"]', "�", "U+0009"),
        ('attributes.a.type = "enum(a\\u200b,b)"', "enum(a�,b)", "U+200B"),
        ('attributes.a = {type = "str", default = "x\\ny"}', "x�y", "U+000A"),
        ('attributes.a = {type = "int", doc = "x\\ny"}', "x�y", "U+000A"),
        ("a" + ".a" * 2000 + '= "\\u0000"', "�", "U+0000"),
    ],
)
def test_what_cannot_be_seen(text: str, seen: str, code: str) -> None:
    with pytest.raises(UnsafeError) as caught:
        read(text)
    assert caught.value.message == f"spec.toml: `{seen}` contains the control character {code}."
    assert caught.value.fix == "Write it on one line, without invisible characters."
    assert caught.value.exit_code == 4
