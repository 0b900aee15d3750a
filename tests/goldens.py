"""The exact-text goldens: what scaffold gives for a few commands, in tests/goldens/.

Renew them, and generated_examples/, with `make goldens`; then read the diff aloud.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
GOLDENS = Path(__file__).parent / "goldens"
EXAMPLES = ROOT / "generated_examples"

# One line for each: the folder's name, and what is typed behind `scaffold layer`.
COMMANDS = {
    "blank": ["MyLayer"],
    "blank_with_every_type": [
        "EveryType",
        "--template=blank",
        "width:int{>0}",
        "inner:layer",
        "depth:int=None{>=1,<10}",
        "gain:float=1.0{>0}",
        "rate:float=0.5{>=0,<1}",
        "flag:bool=false",
        'label:str=it\'s "{x}"',
        "mode:enum(sum,mean)=sum",
        "window:ints(2)=3",
        "offsets:ints(3)=1,2,3{>=-1,<40}",
        "sizes:ints=1,2{>0}",
        "act:activation=relu",
        "scale_initializer:initializer=ones",
        "penalty:regularizer=l2",
        "limit:constraint=None",
        "noise_seed:seed=None",
        "make:layer=None",
    ],
    "conv1d": ["MyConv1D"],
    "conv2d": ["MyConv2D"],
    "conv3d": ["MyConv3D"],
    "conv_with_attributes": [
        "FancyConv",
        *("filters=6", "kernel_size=3,2", "strides=2", "padding=same", "groups=2"),
        *("activation=relu", "data_format=channels_first", "use_bias=no"),
        *("gain:float=1.0{>0}", "mode:enum(sum,mean)=sum", "norm:layer=None"),
    ],
    "dense": ["MyDense"],
    "dense_with_attributes": [
        "GatedDense",
        *("units=32", "activation=relu", "use_bias=no", "kernel_initializer=he_normal"),
        *("bias_regularizer=l2", "gain:float=1.0{>0}", "x:layer=None", "noise_seed:seed=7"),
    ],
    "projection": ["MyProjection"],
    "projection_with_attributes": ["WideProjection", "output_dim=3", "gate:layer=None"],
}
# The same for generated_examples: the tutorial's layer, as it should have been.
EXAMPLE_COMMANDS = {"custom_layer": ["CustomLayer", "--template=projection"]}


def generate(arguments: list[str], folder: Path, *options: str) -> dict[str, str]:
    """The files that the command writes into `folder`, by name."""
    command = [sys.executable, "-m", "scaffold", "layer", *arguments, f"--into={folder}", *options]
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return read(folder)


def read(folder: Path) -> dict[str, str]:
    """The text of every generated file in `folder`, by name."""
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


def main() -> None:
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        for name, arguments in COMMANDS.items():
            shutil.rmtree(GOLDENS / name, ignore_errors=True)
            generate(arguments, Path(scratch) / name, "--package=golden")
            shutil.copytree(Path(scratch) / name, GOLDENS / name)
    for name, arguments in EXAMPLE_COMMANDS.items():
        generate(arguments, EXAMPLES / name, "--package=examples", "--on-conflict=overwrite")


if __name__ == "__main__":
    main()
