"""The command line: `{{ cookiecutter.project }} train`, `evaluate`, `predict` and `export`.

Keras is imported only when a command runs, so that help is fast.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from {{ cookiecutter.package }}.config import load_config

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
{%- if cookiecutter.backend == "tensorflow" %}
STRATEGIES = ["none", "mirrored", "multi_worker"]
{%- elif cookiecutter.backend == "jax" %}
STRATEGIES = ["none", "data_parallel"]
{%- else %}
STRATEGIES = ["none", "ddp"]
{%- endif %}
{%- if cookiecutter.backend == "tensorflow" %}
FORMATS = ["tf_saved_model", "litert", "onnx"]
{%- elif cookiecutter.backend == "jax" %}
FORMATS = ["tf_saved_model"]
{%- else %}
FORMATS = ["onnx", "torch"]
{%- endif %}
model_option = click.option(
    "--model",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default="runs/default/best.keras",
    show_default=True,
    help="Model file.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main():
    """{{ cookiecutter.description }}"""


@main.command()
@click.option("--config", type=FILE, default="config.toml", show_default=True)
@click.option(
    "--into", type=FOLDER, default="runs/default", show_default=True, help="Folder of the run."
)
@click.option("--resume", is_flag=True, help="Resume the run in that folder, if there is one.")
@click.option("--epochs", type=click.IntRange(min=1), help="Override `epochs` of the config.")
@click.option(
    "--distribute",
    type=click.Choice(STRATEGIES),
    default="none",
    show_default=True,
    help="How to distribute the training; see the README.",
)
def train(config: Path, into: Path, resume: bool, epochs: int | None, distribute: str):
    """Train a model, and save it in the run's folder."""
    settings = load_config(config, epochs=epochs)
    from {{ cookiecutter.package }} import training

    verbose = 1 if sys.stdout.isatty() else 2  # A progress bar, or a line per epoch.
    state = training.train(settings, into, resume=resume, strategy=distribute, verbose=verbose)
    if state is not None:
        best = state.best(training.MONITOR)
        if best is None:
            raise click.ClickException(
                f"no epoch had a finite `{training.MONITOR}`, so there is no best model. "
                "Try a lower `learning_rate` in another folder"
            )
        click.echo(f"{state.epoch} epochs; the best has {scores(best)}: {into / 'best.keras'}")


@main.command()
@model_option
def evaluate(path: Path):
    """Evaluate a model on the test data."""
    from {{ cookiecutter.package }} import evaluation

    click.echo(scores(evaluation.evaluate(path)))


@main.command()
@click.argument("images", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@model_option
def predict(images: Path, path: Path):
    """Print a label and its probability for each image in a .npy file.

    IMAGES is an array of shape (n, 8, 8, 1) with values from 0 to 1.
    """
    from {{ cookiecutter.package }} import evaluation

    for label, probability in evaluation.predict(path, images):
        click.echo(f"{label},{probability:.4f}")


@main.command()
@model_option
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="Export format.",
)
@click.option("--into", type=FOLDER, default="exported", show_default=True, help="Output folder.")
def export(path: Path, kind: str, into: Path):
    """Export a model for a runtime without Keras, and compare its outputs."""
    from {{ cookiecutter.package }} import export as exporting

    target, difference = exporting.export(path, into, kind)
    click.echo(f"{target}: outputs differ by at most {difference:.1e}")


def scores(measured: dict[str, float]) -> str:
    """Format names and values as a line."""
    return ", ".join(f"{name} {value:.4f}" for name, value in measured.items())
