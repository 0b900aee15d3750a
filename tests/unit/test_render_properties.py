"""Any names and texts are refused, or rendered into a file that means exactly that."""

from __future__ import annotations

import ast
import doctest
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import black
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from scaffold.errors import ScaffoldError
from scaffold.generation.attributes import REQUIRED, TYPES, Attribute, AttributeType
from scaffold.generation.attributes.grammar import read_attribute
from scaffold.generation.catalog import Catalog
from scaffold.generation.render import Style, render
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.spec import Resolved, Spec
from scaffold.generation.spec_file import read_spec, write_spec
from scaffold.settings import load_settings

CATALOG = Catalog.builtin()
NASTY = st.sampled_from(
    ["'", '"', '"""', "'''", "\\", "\\n", "\\N{DASH}", "{", "}", "{{ 1/0 }}", "{% raw %}", "{# #}",
     "%s", "#", "# fmt: off", ">>>", ">>> 1/0", "`", "``", "$rank", "...", "\n", "\t", "\x00",
     "\u202e", "\u2028", "\xa0", "é", "层", "🎉", "a\u0301", " ", "  ", ",", ")", "(", ":", "=",
     ";", "-", "--", "Args:", "None", "True", "coding: latin-1", "word", "a" * 90, "x y z"]
)  # fmt: skip
TEXT = (
    st.lists(NASTY, max_size=8).map("".join)
    | st.lists(NASTY, max_size=12).map(" ".join)
    | st.text(max_size=30)
)
SEEN = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=30)
VISIBLE = SEEN | st.lists(NASTY.filter(str.isprintable), max_size=12).map(" ".join)
NAMES = (
    st.sampled_from(["gain", "mode", "size", "x", "_x", "größe", "层", "item", "value", "layer"])
    | st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True)
    | st.text(max_size=4)
    | st.just("a" * 60)
)
CLASSES = (
    st.sampled_from(["MyThing", "VGGBlock", "Conv2DBlock", "X", "Größe", "DIM", "A" * 60])
    | st.from_regex(r"[A-Z][A-Za-z0-9_]{0,20}", fullmatch=True)
    | st.text(st.characters(codec="utf-8"), max_size=8)
)
PACKAGES = st.sampled_from(["my_project", "a.b-c", "x" * 60]) | st.text(max_size=6)
BOUNDS = st.sampled_from(
    [
        None,
        ">0",
        ">=0",
        "<1",
        ">=0,<1",
        ">-2.5,<=1e3",
        ">=1,<=2",
        ">12345678901234567",
        "0",
        ">1,<1",
    ]
)
KINDS = (
    st.sampled_from(
        [*TYPES, "ints(1)", "ints(2)", "ints(9)", "enum(sum,mean)", 'enum(it\'s,"quoted",b c)']
    )
    | st.lists(SEEN | TEXT, min_size=1, max_size=4).map(lambda words: f"enum({','.join(words)})")
    | st.text(max_size=8)
)
VALUES: st.SearchStrategy[Any] = (
    st.integers(-3, 5)
    | st.integers()
    | st.floats()
    | st.booleans()
    | TEXT
    | SEEN
    | st.lists(st.integers(-2, 9), max_size=9)
    | st.sampled_from(["relu", "he_normal", "l2", "non_neg", "None", "my_pkg>Thing", "sum", "it's"])
)
LENGTHS = st.sampled_from([40, 79, 88, 100, 120])


GOOD_NAMES = st.sampled_from(
    ["gain", "mode", "size", "x", "_x", "größe", "层", "item", "value", "layer", "a" * 60]
)
GOOD_CLASSES = st.sampled_from(["MyThing", "VGGBlock", "Conv2DBlock", "Xyz", "Größe", "A" * 60])


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an attribute as a table of a spec file."""
    table: dict[str, Any] = {"type": draw(KINDS)}
    if bound := draw(BOUNDS):
        table["constraint"] = bound
    how = draw(st.sampled_from(["optional", "default", "nothing", "default"]))
    if how == "optional":
        table["optional"] = True
    elif how == "default":
        table["default"] = draw(VALUES)
    if draw(st.booleans()):
        table["doc"] = draw(TEXT | SEEN)
    return table


@st.composite
def good_tables(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an attribute as a table of a spec file that is usually accepted."""
    table: dict[str, Any] = {}
    kind = draw(st.sampled_from([*TYPES, "ints(1)", "ints(3)"]))
    if kind == "enum":
        characters = st.characters(exclude_categories=["C", "Z"], exclude_characters=",)")
        words = draw(st.lists(st.text(characters, min_size=1), min_size=2, max_size=4, unique=True))
        kind = f"enum({','.join(words)})"
        table["default"] = words[-1]
    elif kind in ("int", "float", "ints", "ints(1)", "ints(3)"):
        if bound := draw(st.sampled_from([None, ">0", ">=0", ">=0,<1000"])):
            table["constraint"] = bound
        table["default"] = [4, 5, 6][: int(kind[5])] if kind.startswith("ints(") else [7]
        if not kind.startswith("ints"):
            table["default"] = draw(st.integers(1, 999))
    elif kind == "str":
        table["default"] = draw(VISIBLE)
    elif kind == "bool":
        table["default"] = draw(st.booleans())
    else:
        table["optional"] = True
    return {"type": kind, **table, "doc": draw(VISIBLE)}


def written(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    template: str,
    *,
    well: bool,
) -> bytes:
    """Draw a spec file, either a `well` meant one or any."""
    names = draw(st.lists(GOOD_NAMES if well else NAMES, max_size=5, unique=True))
    entries = {name: draw(good_tables() if well else tables()) for name in names}
    name = draw(GOOD_CLASSES if well else CLASSES)
    table = {"version": 1, "name": name, "template": template, "attributes": entries}
    if draw(st.booleans()):
        table["package"] = draw(PACKAGES)
    try:
        return tomli_w.dumps(table).encode("utf-8")
    except UnicodeEncodeError:  # A lone surrogate can't be in a file.
        return b"version = 1\nname = 'MyThing'\n"


def accepted(request: Callable[[], Request]) -> Resolved | None:
    """Return the resolved spec, or `None` if it is refused with a clear error."""
    try:
        return resolve(CATALOG, request(), "pkg")
    except ScaffoldError as error:
        message = error.message
    assert message == message.strip()
    assert message.endswith((".", "?", "!"))
    return None


def check(resolved: Resolved, style: Style) -> None:
    """Check that both files mean what the spec says."""
    spec = resolved.spec
    try:
        sources = render(CATALOG, resolved, style, f"lib.{spec.module}", ["layer", "test"])
    except ScaffoldError as error:
        said = f"`{spec.name}` is already used in the generated test."
        assert error.message == said  # noqa: PT017 - most of them are rendered
        return
    for source in sources.values():
        check_form(source, style)
    attributes = [argument.attribute for argument in resolved.arguments]
    check_layer(ast.parse(sources["layer"]), spec, attributes)
    check_test(ast.parse(sources["test"]), spec, attributes)


def check_form(source: str, style: Style) -> None:
    """Check that it is formatted, and that Python reads it from a file without warnings."""
    mode = black.Mode(line_length=style.black.get("line-length", 88))
    assert black.format_str(source, mode=mode) == source
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile(source.encode("utf-8"), "generated.py", "exec", dont_inherit=True)
    header = [f"# {line}".rstrip() for line in style.license_header.splitlines()]
    assert [line.rstrip() for line in source.splitlines()[: len(header)]] == header


def check_layer(tree: ast.Module, spec: Spec, attributes: list[Attribute]) -> None:
    [layer] = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    assert layer.name == spec.name
    [registered] = layer.decorator_list
    assert isinstance(registered, ast.Call)
    assert [ast.literal_eval(keyword.value) for keyword in registered.keywords] == [spec.package]
    methods = {node.name: node for node in layer.body if isinstance(node, ast.FunctionDef)}
    check_signature(methods["__init__"].args, attributes)
    check_validation(methods["__init__"], spec.own)
    returned = [n for n in ast.walk(methods["get_config"]) if isinstance(n, ast.Dict)]
    assert len(returned) == bool(attributes)
    keys = [key.value for n in returned for key in n.keys if isinstance(key, ast.Constant)]
    assert keys == [attribute.name for attribute in attributes]
    check_docstring(ast.get_docstring(layer) or "", spec)


def check_signature(arguments: ast.arguments, attributes: list[Attribute]) -> None:
    names = [argument.arg for argument in arguments.args]
    assert names == ["self", *(attribute.name for attribute in attributes)]
    assert arguments.kwarg is not None
    assert not arguments.vararg
    assert not arguments.kwonlyargs
    given = [attribute for attribute in attributes if not attribute.required]
    assert attributes[len(attributes) - len(given) :] == given
    for attribute, node in zip(given, arguments.defaults, strict=True):
        value = ast.literal_eval(node)
        if value is not None:
            value = attribute.type.accept(list(value) if isinstance(value, tuple) else value)
        assert value == attribute.default
        assert type(value) is type(attribute.default)


def check_validation(init: ast.FunctionDef, own: tuple[Attribute, ...]) -> None:
    """Check the choices of an enum, and the message for an invalid value."""
    names = {attribute.name for attribute in own}
    choices = {
        node.left.id: ast.literal_eval(node.comparators[0])
        for node in ast.walk(init)
        if isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Name)
        and isinstance(node.ops[0], ast.NotIn)
        and node.left.id in names
    }
    enums = {a.name: a.type.completions() for a in own if a.type.keyword == "enum"}
    assert choices == enums
    raised = [node.exc for node in ast.walk(init) if isinstance(node, ast.Raise)]
    messages = [error.args[0] for error in raised if isinstance(error, ast.Call)]
    for attribute in own:
        if attribute.type.keyword in ("int", "float", "bool", "str", "enum"):
            phrase = attribute.type.phrase()
            article = "" if phrase[0] in "'\"" else "an " if phrase[0] in "aeiou" else "a "
            phrase += ", or None" if attribute.optional else ""
            said = f"`{attribute.name}` must be {article}{phrase}. Received: {attribute.name}="
            assert [text for text in map(constant_part, messages) if text == said] == [said]


def constant_part(node: ast.expr) -> str:
    """Return the text of a literal without the value at its end."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))


def check_docstring(text: str, spec: Spec) -> None:
    """Check that each custom attribute has its description, and that the example is unchanged."""
    folded = " ".join(text.split())
    for attribute in spec.own:
        if attribute.doc:
            doc = " ".join(attribute.doc.split())
            assert (doc if doc.endswith((".", "!", "?")) else f"{doc}.") in folded
        assert f" {attribute.name}: " in folded
        if attribute.default is not REQUIRED:
            default = " ".join(attribute.type.signature(attribute.default).split())
            assert f" Defaults to `{default}`." in folded
    made, used = (example.source for example in doctest.DocTestParser().get_examples(text))
    assert made.startswith(f"layer = {spec.name}(")
    assert used.startswith("tuple(layer(keras.ops.ones(")


def check_test(tree: ast.Module, spec: Spec, attributes: list[Attribute]) -> None:
    """Check that it imports the class from its module, with the values of the spec."""
    imported = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    assert (imported[-1].module, [alias.name for alias in imported[-1].names]) == (
        f"lib.{spec.module}",
        [spec.name],
    )
    values = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    entries = {
        name: {
            ast.literal_eval(key): value
            for key, value in zip(node.keys, node.values, strict=True)
            if key
        }
        for name, node in values.items()
        if isinstance(node, ast.Dict)
    }
    refused = entries.get("REFUSED", {})
    by_name = {attribute.name: attribute for attribute in attributes}
    assert list(entries.get("CHANGED", {})) == list(by_name)
    defaulted = [attribute.name for attribute in attributes if not attribute.required]
    assert list(entries.get("DEFAULTS", {})) == defaulted
    for attribute in spec.own:
        if attribute.type.keyword in ("int", "float", "bool", "str", "enum", "ints", "seed"):
            changed = ast.literal_eval(entries["CHANGED"][attribute.name])
            assert changed != attribute.default
            assert taken(attribute.type, changed)
            if not attribute.required:
                assert ast.literal_eval(entries["DEFAULTS"][attribute.name]) == attribute.default
            for value in ast.literal_eval(refused.get(attribute.name, ast.List([]))):
                assert not taken(attribute.type, value)
                assert value is not None or not attribute.optional


def taken(type_: AttributeType, value: Any) -> bool:
    try:
        type_.accept(list(value) if isinstance(value, tuple) else value)
    except ValueError:
        return False
    return True


@settings(max_examples=200)
@given(data=st.data(), length=LENGTHS)
def test_well_meant_spec_files(data: st.DataObject, length: int) -> None:
    text = written(data.draw, "blank", well=True)
    if spec := accepted(lambda: read_spec(text, "spec.toml")):
        check(spec, Style("", {"line-length": length}))


@settings(max_examples=400)
@given(data=st.data())
def test_any_spec_file(data: st.DataObject) -> None:
    text = written(data.draw, "blank", well=False)
    if spec := accepted(lambda: read_spec(text, "spec.toml")):
        check(spec, Style())


@settings(max_examples=400)
@given(name=CLASSES, header=TEXT | SEEN, texts=st.lists(TEXT, max_size=3), package=PACKAGES)
def test_any_words_of_a_command_line(
    name: str, header: str, texts: list[str], package: str
) -> None:
    typed = [f"own{i}:str={text}" for i, text in enumerate(texts)]
    typed += [f"choice{i}:enum({text},other)=other" for i, text in enumerate(texts)]

    def request() -> Request:
        return Request("layer", name, "blank", package, {}, tuple(map(read_attribute, typed)))

    if (spec := accepted(request)) and (style := styled(header)):
        check(spec, style)


def styled(header: str) -> Style | None:
    """Return the style of a project with this license header, or `None` if that is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        table = {"tool": {"scaffold": {"license-header": header}}}
        try:
            (path / "pyproject.toml").write_bytes(tomli_w.dumps(table).encode("utf-8"))
            return Style(load_settings(path, path).license_header)
        except (ScaffoldError, UnicodeEncodeError):
            return None


@settings(max_examples=20)
@pytest.mark.parametrize("template", ["dense", "conv", "projection"])
@given(data=st.data(), length=LENGTHS)
def test_the_other_templates(template: str, data: st.DataObject, length: int) -> None:
    text = written(data.draw, template, well=True)
    if spec := accepted(lambda: read_spec(text, "spec.toml")):
        check(spec, Style("Copyright", {"line-length": length}))


@settings(max_examples=600)
@given(data=st.data())
def test_a_spec_survives_its_file(data: st.DataObject) -> None:
    template = data.draw(st.sampled_from(["blank", "conv", "dense"]))
    text = written(data.draw, template, well=data.draw(st.booleans()))
    if resolved := accepted(lambda: read_spec(text, "spec.toml")):
        file = write_spec(resolved.spec)
        again = resolve(CATALOG, read_spec(file, "again.toml"), "other")
        assert (again.spec, again.reason) == (resolved.spec, "as requested")
        types = [type(attribute.default) for attribute in resolved.spec.own]
        assert [type(attribute.default) for attribute in again.spec.own] == types
        assert write_spec(again.spec) == file


@settings(max_examples=300)
@given(st.text(max_size=40) | st.lists(NASTY | NAMES, max_size=9).map("\n".join))
def test_any_text_is_a_spec_file_or_refused(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    accepted(lambda: read_spec(data, "spec.toml"))
    accepted(lambda: read_spec(b"version = 1\n" + data, "spec.toml"))


def test_most_well_meant_specs_are_rendered() -> None:
    """Otherwise all of the above might be refusals."""
    counts = [0, 0]

    @settings(max_examples=300)
    @given(data=st.data())
    def count(data: st.DataObject) -> None:
        text = written(data.draw, "blank", well=True)
        resolved = accepted(lambda: read_spec(text, "spec.toml"))
        counts[resolved is not None and len(resolved.spec.own) > 0] += 1

    count()
    assert counts[True] > 200
