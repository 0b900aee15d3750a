from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from command_line import SAYS_NOTHING
from conftest import Scaffold, tree
from scaffold.generation.catalog import Catalog
from terminal import PLAIN, talk

NAME = "Class name (NAME): "
RANK = "Number of spatial axes: 1 for sequences, 2 for images, 3 for volumes. (--option rank=...)"
OWN = "New attribute, name:type=default{constraint} (leave empty to finish): "
UNITS = (
    "Default of `units` (Positive int, size of the output's last axis. Leave empty to require it): "
)
NAMES = ", ".join(Catalog.builtin().names("layer"))
TEMPLATES = textwrap.wrap(NAMES, 88, initial_indent="  ", subsequent_indent="  ")


def test_all_prompts_each_answered_wrongly_first(tmp_path: Path) -> None:
    picked = "Template (--template; by name: conv1d) [conv]: "
    rank = f"{RANK} [1]: "
    filters = (
        "Default of `filters` (Positive int, number of output channels. "
        "Leave empty to require it): "
    )
    size = (
        "Default of `kernel_size` (Positive int or tuple of length 1, size of the kernel. "
        "Leave empty to require it): "
    )
    code, lines = talk(
        tmp_path,
        ["layer", "-i"],
        [
            (NAME, "conv"),
            (NAME, "Dense"),
            (NAME, "MyConv1D"),
            (picked, "cnov"),
            (picked, ""),
            (rank, "4"),
            (rank, ""),
            (filters, "0"),
            (filters, "None"),
            (filters, "8"),
            (size, "x"),
            (size, ""),
            (OWN, "gain"),
            (OWN, "gain=1"),
            (OWN, "strides:int=2"),
            (OWN, "name:int=2"),
            (OWN, "gain:float"),
            (OWN, "gain:float=1{>0}"),
            (OWN, "gain:int=1"),
            (OWN, ""),
        ],
    )
    assert code == 0
    assert lines[:-7] == [
        f"{NAME}conv",
        "Error: the class name `conv` is not in CamelCase. Call it `Conv`.",
        f"{NAME}Dense",
        "Error: `Dense` is already a Keras class. Call it `MyDense`, for example.",
        f"{NAME}MyConv1D",
        *TEMPLATES,
        f"{picked}cnov",
        "Error: layer template `cnov` not found. Did you mean `conv`? " "See `scaffold list`.",
        picked,
        f"{rank}4",
        "Error: option `rank=4`: it must be one of 1, 2, 3. Use `--option rank=2`, for example.",
        rank,
        f"{filters}0",
        "Error: `filters`: 0 violates the constraint {>0}.",
        f"{filters}None",
        "Error: `filters` can't be None.",
        f"{filters}8",
        f"{size}x",
        "Error: `kernel_size`: `x` is not a tuple of ints, such as `3` or `3,5`.",
        size,
        f"{OWN}gain",
        "Error: `gain` is neither name=value nor name:type. "
        "Write `gain=...` for an attribute of the template, `gain:int=1` for a new one.",
        f"{OWN}gain=1",
        "Error: a new attribute needs a type. Write name:type=default.",
        f"{OWN}strides:int=2",
        "Error: the template `conv` already has `strides`. " "Set its default with `strides=...`.",
        f"{OWN}name:int=2",
        "Error: `name` is already an attribute of every Keras layer. "
        "Call it `name_value`, for example.",
        f"{OWN}gain:float",
        "Error: `gain` is required, but follows `filters`, which has a default. "
        "Give it a default: `gain:float=...`.",
        f"{OWN}gain:float=1{{>0}}",
        f"{OWN}gain:int=1",
        "Error: `gain` is given twice. Remove one of them.",
        OWN,
    ]
    assert lines[-7:-4] == [
        "MyConv1D: template conv rank=1 (as requested)",
        f"registered as {tmp_path.name}>MyConv1D",
        "note: kernel_size=3: needs a default because an attribute before it has one",
    ]
    assert [re.sub(r" +\d+ lines", "", line) for line in lines[-4:]] == [
        "   create  my_conv1d.py",
        "   create  test_my_conv1d.py",
        "Next: pytest test_my_conv1d.py",
        "Or derive from keras.layers.Conv1D: scaffold layer MyConv1D --base keras.layers.Conv1D "
        "filters=8 'gain:float=1{>0}' --on-conflict overwrite",
    ]
    assert list(tree(tmp_path)) == ["my_conv1d.py", "test_my_conv1d.py"]


def test_the_same_as_with_flags(tmp_path: Path, scaffold: Scaffold, here: Path) -> None:
    folder = tmp_path / "asked"
    folder.mkdir()
    picked = f"Template (--template; {SAYS_NOTHING}) [blank]: "
    answers = [(picked, "dense"), (UNITS, "5"), (OWN, "a:int=1"), (OWN, "")]
    code, _ = talk(folder, ["layer", "MyThing", "-i", "--package", "x"], answers)
    assert code == 0
    scaffold("layer", "MyThing", "-t", "dense", "units=5", "a:int=1", "--package", "x")
    assert tree(folder) == tree(here)


def test_there_is_no_prompt_for_given_values(tmp_path: Path) -> None:
    words = ["layer", "MyConv", "-i", "-t", "conv", "-o", "rank=2", "filters=8", "kernel_size=3"]
    code, lines = talk(tmp_path, [*words, "--dry-run"], [(OWN, "")])
    assert code == 0
    assert lines[0] == OWN
    assert lines[-1] == "Nothing was written: this was a dry run."
    assert tree(tmp_path) == {}


def test_a_wrong_name_that_was_given_is_refused_before_any_question(tmp_path: Path) -> None:
    code, lines = talk(tmp_path, ["layer", "conv", "-i"], [])
    assert (code, lines) == (
        2,
        ["Error: the class name `conv` is not in CamelCase.", "Call it `Conv`."],
    )


@pytest.mark.parametrize("how_far", [0, 1, 2])
def test_end_of_input_and_interrupt(tmp_path: Path, how_far: int) -> None:
    picked = "Template (--template; by name: conv) [conv]: "
    answers = [(NAME, "MyConv"), (picked, ""), (f"{RANK} [2]: ", "")]
    for key in ("\x04", "\x03"):
        left = [*answers[:how_far], (answers[how_far][0], key)]
        code, lines = talk(tmp_path, ["layer", "-i"], left)
        assert code == 1
        assert lines[-1] == "Error: interrupted; nothing was written."
        assert tree(tmp_path) == {}


@pytest.mark.parametrize("how", ["nothing", "text", "closed"])
def test_without_a_terminal(tmp_path: Path, how: str) -> None:
    command = [sys.executable, "-m", "scaffold", "layer", "-i"]
    close = "import os, sys; os.close(0); os.execv(sys.argv[1], sys.argv[1:])"
    if how == "closed":
        command = [sys.executable, "-c", close, *command]
    done = subprocess.run(
        command, input="MyConv\n" if how == "text" else "", capture_output=True, text=True,
        cwd=tmp_path, env=PLAIN, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: --interactive needs a terminal.\nPass the name and attributes as arguments.\n"
    )
    assert tree(tmp_path) == {}


CHOICE = "Number or name (--template) [1]: "
VGG = [
    "no template for VGG.",
    "  1  cnn filters=64,128,256,512,512  Convolutional network",
    "  2  resnet                          Residual network",
]


@pytest.mark.parametrize(
    ("answer", "heading"),
    [
        ("", "VGG16: template cnn style=subclass head=classification (as requested)"),
        (
            "2",
            "VGG16: template resnet style=subclass block=basic head=classification (as requested)",
        ),
        (
            "ResNet50",
            "VGG16: template resnet style=subclass block=bottleneck head=classification "
            "(as requested)",
        ),
    ],
)
def test_on_a_terminal_the_nearest_are_offered(tmp_path: Path, answer: str, heading: str) -> None:
    asked = [(CHOICE, "3"), (CHOICE, "vgg"), (CHOICE, answer)]
    code, lines = talk(tmp_path, ["model", "VGG16"], asked)
    assert code == 0
    assert lines[:3] == VGG
    assert lines[3:8] == [
        f"{CHOICE}3",
        "Error: model template `3` not found. See `scaffold list`.",
        f"{CHOICE}vgg",
        "Error: no template for VGG. "
        "Use `--template cnn filters=64,128,256,512,512`, for example.",
        f"{CHOICE}{answer}",
    ]
    assert lines[8] == heading
    assert list(tree(tmp_path)) == ["test_vgg16.py", "train_vgg16.py", "vgg16.py"]
    filters = "        filters=(64, 128, 256, 512, 512)," in (
        (tmp_path / "vgg16.py").read_text().splitlines()
    )
    assert filters == (answer == "")


def test_what_is_given_stays_when_the_nearest_is_chosen(tmp_path: Path) -> None:
    words = ["layer", "VGGBlock", "-o", "rank=1", "filters=8", "padding=valid"]
    code, lines = talk(tmp_path, words, [(CHOICE, "")])
    assert code == 0
    assert lines[:4] == [
        "no template for VGG, which is a model.",
        "Run `scaffold model VGGBlock --template cnn filters=64,128,256,512,512`. "
        "Or choose a template:",
        "  1  conv kernel_size=3 padding=same activation=relu  Convolution",
        CHOICE,
    ]
    signature = (tmp_path / "vgg_block.py").read_text().splitlines()
    assert '        padding="valid",' in signature
    assert '        activation="relu",' in signature
    assert "        filters=8," in signature


def test_a_program_gets_no_prompts(tmp_path: Path) -> None:
    code, lines = talk(tmp_path, ["model", "VGG16", "--json"], [])
    assert code == 2
    assert '"no template for VGG."' in "\n".join(lines)
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_nothing_is_written_where_nothing_is_chosen(tmp_path: Path, key: str) -> None:
    code, lines = talk(tmp_path, ["layer", "FocalLoss"], [(CHOICE, key)])
    assert (code, lines[-1]) == (1, "Error: interrupted; nothing was written.")
    assert lines[1] == "Derive it from `keras.losses.Loss`. Or choose a template:"
    assert tree(tmp_path) == {}


def test_interactive_offers_the_nearest_first(tmp_path: Path) -> None:
    picked = "Template (--template; no template for VGG) [cnn]: "
    words = ["model", "VGG16", "-i", "--dry-run", "-o", "style=subclass", "-o", "head=none"]
    code, lines = talk(tmp_path, words, [(picked, ""), (OWN, "")])
    assert code == 0
    assert lines[-6].startswith("VGG16: template cnn")
