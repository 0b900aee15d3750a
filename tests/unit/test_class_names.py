"""How a class name is interpreted: all of its words count, wherever they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Scaffold, tree
from scaffold.errors import UsageError
from scaffold.generation.catalog import TARGETS, Catalog
from scaffold.generation.lexicon import Lexicon
from scaffold.generation.near import UndecidedError
from scaffold.generation.request import Request
from scaffold.generation.resolving import resolve
from scaffold.generation.template import Template
from scaffold.text import folded

CATALOG = Catalog.builtin()
ROWS = [
    (*row.partition(": ")[0].split(), row.partition(": ")[2])
    for row in (Path(__file__).parent / "names.txt").read_text("utf-8").splitlines()
    if row and not row.startswith("#")
]


def outcome(target: str, name: str, catalog: Catalog = CATALOG) -> str:
    """Return the template with what the name sets, or after `?` the suggestions."""
    try:
        template, meaning, _ = catalog.pick(target, name)
    except UndecidedError as error:
        start = f"scaffold {target} {name} --template "
        return "? " + " / ".join(command.removeprefix(start) for command in error.suggestions)
    return " ".join([template.name, *template.typed(meaning)])


def named(target: str) -> list[tuple[Template, str]]:
    return [
        (one, word)
        for one in CATALOG.templates(target)
        for word in (one.name, *one.words, *one.qualifiers)
    ]


@pytest.mark.parametrize(("target", "name", "becomes"), ROWS, ids=lambda value: str(value)[:20])
def test_table(target: str, name: str, becomes: str) -> None:
    assert outcome(target, name) == becomes


def test_the_table_is_long_and_has_no_duplicates() -> None:
    assert len(ROWS) >= 80
    assert len({row[:2] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("words", "message", "fix"),
    [
        (
            ["model", "VGG16"],
            "no template for VGG.",
            "Run `scaffold model VGG16 --template cnn filters=64,128,256,512,512`, "
            "or `--template resnet`.",
        ),
        (
            ["model", "YOLO"],
            "no template for `yolo` (object detectors).",
            "Run `scaffold model YOLO --template resnet --option block=bottleneck "
            "--option head=none`, or `--template unet`, or `--template composed`.",
        ),
        (
            ["layer", "MyVAE"],
            "`MyVAE` names a model (`vae`), not a layer.",
            "Run `scaffold model MyVAE`, or `scaffold layer MyVAE --template blank`.",
        ),
        (
            ["model", "MyConv"],
            "`MyConv` names a layer (`conv`), not a model.",
            "Run `scaffold layer MyConv`, or `scaffold model MyConv --template cnn`.",
        ),
        (
            ["layer", "VGGBlock"],
            "no template for VGG, which is a model.",
            "Run `scaffold model VGGBlock --template cnn filters=64,128,256,512,512`, or "
            "`scaffold layer VGGBlock --template conv kernel_size=3 padding=same "
            "activation=relu`.",
        ),
        (
            ["layer", "FocalLoss"],
            "`FocalLoss` names a loss, not a layer or model.",
            "Derive it from `keras.losses.Loss`, or run "
            "`scaffold layer FocalLoss --template blank`.",
        ),
        (
            ["layer", "MyFlatten"],
            "no template for `keras.layers.Flatten`.",
            "Run `scaffold layer MyFlatten --base keras.layers.Flatten`, or "
            "`scaffold layer MyFlatten --template blank`.",
        ),
        (
            ["layer", "ConvLSTM"],
            "no template for `keras.layers.ConvLSTM2D`.",
            "Run `scaffold layer ConvLSTM --base keras.layers.ConvLSTM2D`, or "
            "`scaffold layer ConvLSTM --template recurrent`, or `--template conv`.",
        ),
        (
            ["layer", "MyCnov"],
            "layer template `cnov` not found. Did you mean `conv`?",
            "Run `scaffold layer MyCnov --template conv`.",
        ),
        (
            ["layer", "MyNorm"],
            "`MyNorm` may mean several templates.",
            "Run `scaffold layer MyNorm --template layer_normalization`, or "
            "`--template batch_normalization`, or `--template group_normalization`, or "
            "`--template rms_normalization`, or `--template standardization`.",
        ),
        (
            ["layer", "LSTMConv"],
            "`LSTMConv` may mean conv or lstm.",
            "Run `scaffold layer LSTMConv --template conv`, or `--template lstm`.",
        ),
        (
            ["model", "ResNet99"],
            "no template for `resnet99`.",
            "Run `scaffold model ResNet99 --template resnet18`, or `--template resnet34`, or "
            "`--template resnet50`, or `--template resnet101`, or `--template resnet152`.",
        ),
        (
            ["model", "GPTClassifier"],
            "`GPTClassifier`: the template `gpt` does not support `classifier`.",
            "Run `scaffold model GPTClassifier --template gpt`, or `--template composed`, or "
            "`--template mlp`.",
        ),
    ],
    ids=lambda value: value[1] if isinstance(value, list) else "",
)
def test_an_ambiguous_name_is_refused(
    harmless: Scaffold, words: list[str], message: str, fix: str
) -> None:
    done = harmless(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"Error: {message}\n{fix}\n"
    error = harmless(*words, "--json").answer()["error"]
    assert (error["kind"], error["message"], error["fix"]) == ("usage", message, fix)
    for command in error["suggestions"]:
        assert command in fix or command.partition(f" {words[1]} ")[2] in fix


def test_every_command_that_is_offered_can_be_typed(harmless: Scaffold) -> None:
    offered = [
        command
        for known in CATALOG.lexicon.known
        for target in TARGETS
        for near in CATALOG.near(target, known.words[0])
        for command in [f"{target} MyThing --template {near.typed()}"]
    ]
    for command in sorted(set(offered)):
        assert harmless(*command.split(), "--dry-run").code == 0, command


@pytest.mark.parametrize("flag", ["--template", "-t"])
def test_with_a_template_a_name_may_be_any(scaffold: Scaffold, here: Path, flag: str) -> None:
    for name in ("VGG16", "FocalLoss", "MyCnov", "MyVAE"):
        assert scaffold("layer", name, flag, "keras.layers.Conv2D").code == 0
        assert (
            f"{name}: template conv rank=2 (as requested)"
            in scaffold("layer", name, flag, "Conv2D", "--dry-run").out.splitlines()
        )
    assert len(tree(here)) == 8


def test_arguments_override_what_a_word_sets(scaffold: Scaffold, here: Path) -> None:
    done = scaffold("model", "ResNet152", "num_blocks=1,1,1,1", "--head=none", "--no-tests")
    assert done.out.splitlines()[0] == (
        "ResNet152: template resnet style=subclass block=bottleneck head=none "
        "(by name: resnet152)"
    )
    assert "        num_blocks=(1, 1, 1, 1)," in (here / "res_net152.py").read_text().splitlines()


def test_what_a_name_says_is_noted_and_kept_in_the_spec(scaffold: Scaffold, here: Path) -> None:
    done = scaffold("model", "ResNet34", "--save-spec", "spec.toml")
    assert "note: num_blocks=3,4,6,3: implied by the class name" in done.out.splitlines()
    source = (here / "res_net34.py").read_bytes()
    again = scaffold("model", "--from", "spec.toml", "--on-conflict=overwrite")
    assert again.out.splitlines()[0].endswith(" (as requested)")
    assert (here / "res_net34.py").read_bytes() == source


def test_a_default_that_conflicts_with_an_option_is_left_out() -> None:
    for name, expected in [("MyCausalConv", {}), ("DilatedConv", {"dilation_rate": (2, 2, 2)})]:
        request = Request("layer", name, None, None, {"rank": "3"})
        spec = resolve(CATALOG, request, "package").spec
        assert (spec.options, spec.assigned) == ({"rank": 3}, expected)


def test_each_word_belongs_to_its_template() -> None:
    for target in TARGETS:
        homes: dict[str, Template] = {}
        for template, word in named(target):
            assert homes.setdefault(folded(word), template) is template, word
            assert CATALOG.find(target, word)[0] is template


def test_no_word_is_duplicate_or_meaningless() -> None:
    lexicon = CATALOG.lexicon
    known = [folded(word) for one in lexicon.known for word in one.words]
    assert sorted(set(known)) == sorted(known)
    words = {folded(word) for target in TARGETS for _, word in named(target)}
    assert lexicon.neutral & {*words, *known} == set()
    for one in lexicon.known:
        own = {folded(word) for _, word in named(one.target)}
        assert not own & set(map(folded, one.words)), one.title
        assert one.near[one.target], one.title


def test_a_words_meaning_can_be_typed() -> None:
    for target in TARGETS:
        for template in CATALOG.templates(target):
            for word, meaning in {**template.qualifiers, **template.words}.items():
                options = template.options_with(meaning.options)
                defaults = template.defaults_for(meaning, options)
                typed = template.typed_defaults(meaning)
                rules = {rule.name: rule for rule in template.attributes_for(options)}
                read = {key: rules[key].resolve(options).read(typed[key]) for key in typed}
                assert (read, read.keys()) == (defaults, meaning.defaults.keys()), word


@given(st.from_regex(r"\A[A-Z][A-Za-z0-9_]{0,24}\Z"), st.sampled_from(TARGETS))
def test_any_name_is_decided_or_refused(name: str, target: str) -> None:
    decided = outcome(target, name)
    assert decided.startswith("? ") or decided.split()[0] in CATALOG.names(target)


TEAM = """
neutral = ["acme"]
[[known]]
title = "our encoder"
target = "model"
words = ["acme_encoder"]
model = [{ template = "mlp", hidden_units = [8] }]
[[known]]
title = "what a template has already"
target = "model"
words = ["unet"]
[[kind]]
title = "a probe"
words = ["probe"]
base = "acme.Probe"
[near.layer]
dcgan = [{ template = "conv_transpose" }]
"""


def test_a_teams_own_names(tmp_path: Path) -> None:
    (tmp_path / "names.toml").write_text(TEAM)
    catalog = Catalog([tmp_path, *CATALOG.folders])
    assert "acme" in catalog.lexicon.neutral
    for target, name, fix in [
        ("model", "AcmeEncoder", "Run `scaffold model AcmeEncoder --template mlp "
         "hidden_units=8`."),
        ("layer", "HeatProbe", "Derive it from `acme.Probe`, or run "
         "`scaffold layer HeatProbe --template blank`."),
    ]:  # fmt: skip
        with pytest.raises(UndecidedError) as caught:
            catalog.pick(target, name)
        assert caught.value.fix == fix
    assert [near.typed() for near in catalog.near("layer", "DCGAN")] == ["conv_transpose"]
    assert catalog.pick("model", "MyUNet")[0].name == "unet"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("neutral", "Expected '=' after a key in a key/value pair (at end of document)"),
        ("nuetral = []", "the file has the unknown key `nuetral`. Did you mean `neutral`?"),
        ('[[kind]]\ntitle = "a"', "`kind` has no key `words`"),
        ('[[known]]\ntitle = "a"\ntarget = "layer"', "`known` has no key `words`"),
        ('[[known]]\ntitle = "a"\nwords = []\ntarget = "loss"',
         "`target` of `a` is neither `layer` nor `model`"),
        ("[near.loss]\n", "`near` has the unknown key `loss`"),
    ],
)  # fmt: skip
def test_malformed_names(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "names.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        Lexicon.read([tmp_path])
    end = "" if reason.endswith("?") else "."
    assert caught.value.message == f"{tmp_path / 'names.toml'} can't be read: {reason}{end}"
