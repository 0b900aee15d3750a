from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from proofs import proofs
from scaffold.errors import ScaffoldError, UsageError
from scaffold.generation.attributes import REQUIRED, Attribute
from scaffold.generation.attributes.grammar import declare_type, read_attribute
from scaffold.generation.catalog import TARGETS, Catalog
from scaffold.generation.manifest import load
from scaffold.generation.render import Style, render
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.template import Meaning, Template, fill

BUILTIN = Catalog.builtin()
PLAIN = 'title = "T"\nsummary = "S."\nformula = "f"\nsource = "s"\n'
ATTRIBUTE = '[[attribute]]\nname = "size"\ntype = "int"\ndoc = "D."\n'
OPTION = '[[option]]\nname = "rank"\nvalues = [1, 2]\ndefault = 1\ndoc = "D."\n'


def third_party(folder: Path, manifest: str, name: str = "scale", **files: str) -> Catalog:
    """A catalog with a custom template before the built-in ones."""
    template = folder / "layer" / name
    template.mkdir(parents=True)
    (template / "template.toml").write_text(manifest, encoding="utf-8")
    blank = BUILTIN.get("layer", "blank").folder
    for file in ("layer.py.jinja", "test.py.jinja"):
        shutil.copy(blank / file, template)
    for file, text in files.items():
        (template / f"{file}.py.jinja").write_text(text, encoding="utf-8")
    return Catalog([folder, *BUILTIN.folders])


def request(*attributes: str, template: str = "scale") -> Request:
    given = tuple(map(read_attribute, attributes))
    return Request("layer", "MyScale", template, None, {}, given)


def rendered(catalog: Catalog, *attributes: str, template: str = "scale") -> dict[str, str]:
    resolved = resolve(catalog, request(*attributes, template=template), "pkg")
    return render(catalog, resolved, Style(), resolved.spec.module, ["layer", "test"])


def refusal(call: object, *arguments: object) -> tuple[type[ScaffoldError], str, str]:
    assert callable(call)
    with pytest.raises(ScaffoldError) as caught:
        call(*arguments)
    return type(caught.value), caught.value.message, caught.value.fix


def test_builtin() -> None:
    assert BUILTIN.names("layer") == sorted(proofs("layer"))
    assert BUILTIN.names("model") == sorted(proofs("model"))
    assert [t.name for t in BUILTIN.templates("layer")] == BUILTIN.names("layer")
    assert [t.name for target in TARGETS for t in BUILTIN.templates(target) if t.fallback] == [
        "blank",
        "mlp",
    ]
    for template in (t for target in TARGETS for t in BUILTIN.templates(target)):
        assert template.title
        assert template.summary.endswith(".")
        for rule in template.attributes:
            assert rule.doc.endswith(".")
        for word in template.words:
            assert word == word.lower()
            assert BUILTIN.pick(template.target, word.title())[0].name == template.name


def test_every_attribute_of_every_template_can_be_resolved() -> None:
    for template in (t for target in TARGETS for t in BUILTIN.templates(target)):
        every = (
            [{}]
            if not template.options
            else [{option.name: value} for option in template.options for value in option.values]
        )
        for chosen in every:
            options = template.options_with(chosen)
            for place, rule in enumerate(template.attributes_for(options)):
                attribute = rule.resolve(options)
                assert "$" not in attribute.doc
                if attribute.required and place > 0:  # No attribute before the first has a default.
                    assert rule.resolve_with_fallback(options).default is not REQUIRED


def test_options_of_an_attribute() -> None:
    conv = BUILTIN.get("layer", "conv")
    padding = {
        rank: [
            rule.resolve({"rank": rank})
            for rule in conv.attributes_for({"rank": rank})
            if rule.name == "padding"
        ]
        for rank in (1, 2)
    }
    assert [attribute.type for attribute in padding[1]] == [declare_type("enum(valid,same,causal)")]
    assert [attribute.type for attribute in padding[2]] == [declare_type("enum(valid,same)")]
    size = next(rule for rule in conv.attributes if rule.name == "kernel_size")
    doc = "Positive int or tuple of length 3, size of the kernel."
    assert size.resolve({"rank": 3}) == Attribute(
        "kernel_size", declare_type("ints(3)", ">0"), REQUIRED, doc
    )


def test_fill() -> None:
    assert fill("$rank of $other and $$", {"rank": 2, "flag": True}) == "2 of $other and $"
    assert fill("$flag", {"flag": True}) == "true"


def test_unknown_template() -> None:
    assert refusal(BUILTIN.get, "layer", "dens\x1be") == (
        UsageError,
        "layer template `dens�e` not found. Did you mean `dense`?",
        "See `scaffold list`.",
    )


def test_third_party_template(tmp_path: Path) -> None:
    catalog = third_party(tmp_path, f"{PLAIN}words = {{ scale = {{}} }}\n{ATTRIBUTE}default = 1")
    assert catalog.names("layer") == sorted([*BUILTIN.names("layer"), "scale"])
    template, meaning, reason = catalog.pick("layer", "MyScale")
    assert (template.name, meaning, reason) == ("scale", Meaning(), "by name: scale")
    sources = rendered(catalog, "size=3", "gain:float=0.5")
    assert (
        '    """TODO: what `MyScale` computes, as a formula. So far: `inputs`.'
        in sources["layer"].splitlines()
    )
    assert "        size: D. Defaults to `3`." in sources["layer"].splitlines()
    assert "from my_scale import MyScale" in sources["test"].splitlines()


def test_the_first_folder_wins(tmp_path: Path) -> None:
    catalog = third_party(tmp_path, PLAIN, name="dense")
    assert catalog.get("layer", "dense").title == "T"
    assert catalog.names("layer") == BUILTIN.names("layer")
    assert rendered(catalog, template="dense")["layer"].splitlines()[0] == (
        '"""`MyScale`: TODO, a short description."""'
    )


def test_the_longest_words_pick_the_template(tmp_path: Path) -> None:
    words = "words = { thing = {}, fine_thing = { rank = 2 } }\n"
    catalog = third_party(tmp_path, PLAIN + words + OPTION)
    picked = {name: catalog.pick("layer", name)[1:] for name in ("MyThing", "MyFineThing")}
    assert picked == {
        "MyThing": (Meaning(), "by name: thing"),
        "MyFineThing": (Meaning({"rank": 2}), "by name: fine_thing"),
    }
    scale = catalog.get("layer", "scale")
    for spelled in ("fine_thing", "FineThing", "keras.layers.FineThing", "finething"):
        assert catalog.find("layer", spelled) == (scale, Meaning({"rank": 2}))
    assert catalog.find("layer", "scale") == (scale, Meaning())


@pytest.mark.parametrize(
    ("target", "word", "message", "fix"),
    [
        ("layer", "cnov", "layer template `cnov` not found. Did you mean `conv`?",
         "See `scaffold list`."),
        ("layer", "kwyjibo", "layer template `kwyjibo` not found.", "See `scaffold list`."),
        ("model", "VGG16", "no template for VGG.",
         "Use `--template cnn filters=64,128,256,512,512`, for example."),
        ("layer", "vae", "`vae` names a model (`vae`), not a layer.",
         "Use `--template blank`, for example."),
        ("layer", "keras.layers.Flatten", "no template for `keras.layers.Flatten`.",
         "Use `--template blank`, for example."),
    ],
)  # fmt: skip
def test_no_template_of_that_word(target: str, word: str, message: str, fix: str) -> None:
    assert refusal(BUILTIN.find, target, word) == (UsageError, message, fix)


def test_a_word_means_its_template_and_options() -> None:
    resolved = resolve(BUILTIN, request(template="conv3d"), "pkg")
    spec = resolved.spec
    assert (spec.template, spec.options) == ("conv", {"rank": 3})
    assert resolved.reason == "as requested"
    two = replace(request(template="conv3d"), options={"rank": "1"})
    assert resolve(BUILTIN, two, "pkg").spec.options == {"rank": 1}


def test_words_that_describe_a_template() -> None:
    conv = BUILTIN.get("layer", "conv")
    said = ["conv", "Convolution", "conv3d", "Conv3D", "DILATION", "kernel_size", "keras.layers"]
    assert all(map(conv.is_about, said))
    assert not conv.is_about("attention")


def test_custom_layers_only_if_the_template_takes_them(tmp_path: Path) -> None:
    catalog = third_party(tmp_path, PLAIN)
    assert refusal(rendered, catalog, "gate:layer") == (
        UsageError,
        "the template `scale` can't contain another layer.",
        "Put that layer before this one in a model, or use `--template blank`.",
    )
    third_party(tmp_path / "more", f"{PLAIN}takes_layers = true")
    sources = rendered(Catalog([tmp_path / "more", *BUILTIN.folders]), "gate:layer")
    assert "        self.gate = gate" in sources["layer"].splitlines()


def test_cases_of_a_variant(tmp_path: Path) -> None:
    cases = (
        '[[case]]\ninput = "2,3"\nwhen = { rank = [1] }\n'
        '[[case]]\ninput = "2,3,4"\nargs = { size = 3 }\n'
    )
    template = third_party(tmp_path, PLAIN + OPTION + cases).get("layer", "scale")
    assert [*template.variants()] == [{"rank": 1}, {"rank": 2}]
    assert template.cases_for({"rank": 2}) == [{"input": "2,3,4", "args": {"size": 3}}]
    assert template.cases_for({"rank": 1}) == [
        {"input": "2,3"},
        {"input": "2,3,4", "args": {"size": 3}},
    ]


def test_no_blank_to_fall_back_on(tmp_path: Path) -> None:
    third_party(tmp_path, PLAIN)
    assert refusal(Catalog([tmp_path]).pick, "layer", "Whatever") == (
        UsageError,
        "`Whatever` matches no layer template.",
        "Choose one with --template.",
    )


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("title", "Expected '=' after a key in a key/value pair (at end of document)"),
        ("", "the manifest has no key `title`"),
        ('title = "T"', "the manifest has no key `summary`"),
        (PLAIN + "sumary = 1",
         "the manifest has the unknown key `sumary`. Did you mean `summary`?"),
        (PLAIN + "reserves = 'x'", "`reserves` of the manifest can't be 'x'"),
        (PLAIN.replace('"T"', "3"), "`title` of the manifest can't be 3"),
        (PLAIN + "words = 3", "`words` of the manifest can't be 3"),
        (PLAIN + "words = { scale = 3 }",
         "the word `scale` must be a table of options and attributes"),
        (PLAIN + "words = { scale = { rank = 1 } }",
         "the word `scale`: `rank` is neither an option nor an attribute"),
        (PLAIN + "words = { scale = { rnak = 1 } }\n" + OPTION,
         "the word `scale`: `rnak` is neither an option nor an attribute. Did you mean `rank`?"),
        (PLAIN + "words = { scale = { rank = 3 } }\n" + OPTION,
         "the word `scale`: `rank` can't be 3"),
        (PLAIN + "words = { scale = { size = 'x' } }\n" + ATTRIBUTE,
         "the word `scale`: `size`: 'x' is not an int"),
        (PLAIN + "qualifiers = { fine = { size = 1 } }",
         "the qualifier `fine`: `size` is neither an option nor an attribute"),
        (PLAIN + "option = { name = 'x' }", "`option` of the manifest can't be {'name': 'x'}"),
        (PLAIN + "option = [3]", "an option must be a table"),
        (PLAIN + OPTION.replace("doc", "dok"), "an option has no key `doc`"),
        (PLAIN + OPTION + "typo = 1", "an option has the unknown key `typo`"),
        (PLAIN + OPTION.replace("[1, 2]", "3"), "`values` of an option can't be 3"),
        (PLAIN + OPTION.replace("default = 1", "default = 3"),
         "the default of the option `rank` is not one of its values"),
        (PLAIN + "attribute = ['x']", "an attribute must be a table"),
        (PLAIN + ATTRIBUTE.replace("name", "nmae"), "an attribute has no key `name`"),
        (PLAIN + ATTRIBUTE + "defualt = 3",
         "an attribute has the unknown key `defualt`. Did you mean `default`?"),
        (PLAIN + ATTRIBUTE + "base = 'yes'", "`base` of an attribute can't be 'yes'"),
        (PLAIN + ATTRIBUTE + "by_hand = 'check'", "`by_hand` of an attribute can't be 'check'"),
        (PLAIN + ATTRIBUTE + "when = { rank = [1] }",
         "`when` of the attribute `size` matches no option"),
        (PLAIN + OPTION + ATTRIBUTE + "when = { rank = [3] }",
         "`when` of the attribute `size` matches no option"),
        (PLAIN + OPTION + ATTRIBUTE + "when = { rank = 1 }", "'int' object is not iterable"),
        (PLAIN + "takes_layers = 1", "`takes_layers` of the manifest can't be 1"),
        (PLAIN + "[[left_out]]\nwhen = {}", "`left_out` has no key `values`"),
        (PLAIN + "[[left_out]]\nvalues = {}\nwhen = { rank = [1] }",
         "`when` of `left_out` matches no option"),
        (PLAIN + "[[left_out]]\nvalues = { size = 3 }",
         "`left_out` needs a list of values for `size`"),
        (PLAIN + "[[left_out]]\nvalues = { size = [] }",
         "`left_out` needs a list of values for `size`"),
        (PLAIN + ATTRIBUTE + "rate = 1", "`rate` of an attribute can't be 1"),
        (PLAIN + "[[case]]\nargs = {}", "a case has no key `input`"),
        (PLAIN + "[[case]]\ninput = '2,3'\ntasg = []",
         "a case has the unknown key `tasg`. Did you mean `tags`?"),
        (PLAIN + "[[case]]\ninput = '2,3'\nwhen = { rank = [1] }",
         "`when` of a case matches no option"),
        (PLAIN + "[[built_in]]\nwhen = {}", "a built-in has no key `name`"),
        (PLAIN + "[[built_in]]\nname = 'keras.layers.Add'\nwhen = { rank = [1] }",
         "`when` of a built-in matches no option"),
    ],
)  # fmt: skip
def test_malformed_manifest(tmp_path: Path, manifest: str, reason: str) -> None:
    catalog = third_party(tmp_path, manifest)
    path = tmp_path / "layer" / "scale" / "template.toml"
    expected = (
        UsageError,
        f"{path} is not a valid template manifest: {reason}{'' if reason.endswith('?') else '.'}",
        "Fix the manifest.",
    )
    assert refusal(load, path.parent) == expected
    assert refusal(catalog.templates, "layer") == expected


def test_manifest_that_is_not_text(tmp_path: Path) -> None:
    catalog = third_party(tmp_path, PLAIN)
    path = tmp_path / "layer" / "scale" / "template.toml"
    path.write_bytes(b"\xff")
    assert refusal(catalog.get, "layer", "scale") == (
        UsageError,
        f"{path} is not a valid template manifest: 'utf-8' codec can't decode byte 0xff in "
        "position 0: invalid start byte.",
        "Fix the manifest.",
    )


def test_what_is_left_out(tmp_path: Path) -> None:
    always = '[[left_out]]\nvalues = { axes = ["None", [1, 2]] }\n'
    flat = '[[left_out]]\nvalues = { mode = ["auto"], fast = [false] }\nwhen = { rank = [1] }\n'
    template = third_party(tmp_path, PLAIN + OPTION + always + flat).get("layer", "scale")
    assert template.left_out_for({"rank": 2}) == {"axes": [None, (1, 2)]}
    assert template.left_out_for({"rank": 1}) == {
        "axes": [None, (1, 2)],
        "mode": ["auto"],
        "fast": [False],
    }


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        (ATTRIBUTE.replace('"int"', '"itn"'), "unknown type `itn`. Did you mean `int`?"),
        (ATTRIBUTE.replace('"int"', '"ints(rank)"'),
         "`ints(rank)` needs a length from 1 to 9, as in `ints(2)`."),
        (ATTRIBUTE + "default = 'x'", "'x' is not an int."),
        (ATTRIBUTE + "constraint = '0'",
         "`0` is not a bound; write `>0` or `>=0,<1`."),
        (ATTRIBUTE + "constraint = '>0'\ndefault = 0", "0 violates the constraint {>0}."),
        (ATTRIBUTE + "shape = true", "`int` can't be a shape."),
    ],
)  # fmt: skip
def test_invalid_attribute(tmp_path: Path, attribute: str, reason: str) -> None:
    catalog = third_party(tmp_path, PLAIN + attribute)
    assert refusal(rendered, catalog) == (
        UsageError,
        f"the template's attribute `size`: {reason}",
        "Fix the template's manifest.",
    )


def test_attribute_without_a_fallback(tmp_path: Path) -> None:
    catalog = third_party(tmp_path, PLAIN + ATTRIBUTE + ATTRIBUTE.replace("size", "depth"))
    assert refusal(rendered, catalog, "size=3") == (
        UsageError,
        "`depth` needs a default because an attribute before it has one.",
        "Set one with `depth=...`.",
    )
    resolved = resolve(catalog, request("size=3", "depth=4"), "pkg")
    assert resolved.spec.assigned == {"size": 3, "depth": 4}


def test_attribute_with_an_invalid_fallback(tmp_path: Path) -> None:
    second = ATTRIBUTE.replace("size", "depth") + "fallback = 'x'"
    catalog = third_party(tmp_path, PLAIN + ATTRIBUTE + second)
    assert refusal(rendered, catalog, "size=3") == (
        UsageError,
        "the template's attribute `depth`: 'x' is not an int.",
        "Fix the template's manifest.",
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{% if %}", "Expected an expression, got 'end of statement block'"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{% extends 'layer/nothing.jinja' %}",
         "'layer/nothing.jinja' not found in search paths: "),
        ("{% include '../../../etc/passwd' %}", "../../../etc/passwd"),
        ("{{ ().__class__ }}", "access to attribute '__class__' of 'tuple' object is unsafe."),
        ("{{ name.__class__.__mro__ }}",
         "access to attribute '__class__' of 'str' object is unsafe."),
        ("{{ imports.add.__func__.__globals__ }}",
         "access to attribute '__func__' of 'method' object is unsafe."),
        ("{% do arguments.append(1) %}", "'tuple object' has no attribute 'append'"),
        ("{% do options.clear() %}", "access to attribute 'clear' of 'dict' object is unsafe."),
    ],
)  # fmt: skip
def test_wrong_template(tmp_path: Path, text: str, reason: str) -> None:
    catalog = third_party(tmp_path, PLAIN, layer=text)
    kind, message, fix = refusal(rendered, catalog)
    assert (kind, fix) == (ScaffoldError, "Please report it with the command.")
    start = "the template layer/scale/layer.py.jinja is wrong: "
    said = message.removeprefix(start).removesuffix(".")
    assert message.startswith(start)
    assert said.partition(repr(str(tmp_path)))[0] == reason.removesuffix(".")


def test_what_black_cannot_read(tmp_path: Path) -> None:
    catalog = third_party(tmp_path, PLAIN, layer="class {{ name }}(:\n    pass\n")
    kind, message, fix = refusal(rendered, catalog)
    assert kind is ScaffoldError
    assert kind.exit_code == 1
    assert message.splitlines()[:2] == [
        "black can't parse the output of the template: cannot parse for target version "
        "Python 3.11: 1:14",
        "    class MyScale(:",
    ]
    assert fix == "This is a bug in the template; please report it with the command."


def test_option_reads_its_values() -> None:
    option = BUILTIN.get("layer", "conv").option("rank")
    assert [option.read(text) for text in ("1", "2", "3")] == [1, 2, 3]
    assert refusal(option.read, "4\x1b") == (
        UsageError,
        "option `rank=4�`: it must be one of 1, 2, 3.",
        "Use `--option rank=2`, for example.",
    )


def test_templates_are_values() -> None:
    assert BUILTIN.get("layer", "conv") == load(BUILTIN.get("layer", "conv").folder)
    assert isinstance(BUILTIN.get("layer", "conv"), Template)
