"""Evaluation of a trained model, and predictions for new images."""

from __future__ import annotations

import zipfile
from pathlib import Path

import click
import keras
import numpy as np

import {{ cookiecutter.package }}.models  # noqa: F401 - It registers the classes.
from {{ cookiecutter.package }}.data import DataError, load_data


class ModelError(click.ClickException):
    """A file that Keras can't load a model from."""


def load_model(path: Path) -> keras.Model:
    """Load a trained model.

    Raises:
        ModelError: If the file has no model.
    """
    try:
        return keras.models.load_model(path)
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        reason, *_ = str(error).partition("\n")[0].partition(". ")
        raise ModelError(f"{path} can't be loaded: {reason}") from error


def evaluate(path: Path) -> dict[str, float]:
    """Return the scores of a model on the test data, and the accuracy of the majority class."""
    data = load_data()
    model = load_model(path)
    measured = model.evaluate(*data.test, verbose=0, return_dict=True)
    majority = np.bincount(data.train[1]).argmax()
    return {**measured, "majority class": float(np.mean(data.test[1] == majority))}


def predict(path: Path, images: Path) -> list[tuple[int, float]]:
    """Return the most likely label of each image in a .npy file, and its probability.

    Raises:
        DataError: If the file is not an array of images in the model's input shape.
    """
    model = load_model(path)
    try:
        with images.open("rb") as file:
            x = np.lib.format.read_array(file)
    except (OSError, ValueError):
        raise DataError(f"{images} is not a .npy file") from None
    shape = model.input_shape[1:]
    if x.shape[1:] != shape or x.dtype.kind not in "fiu":
        wanted = ", ".join(map(str, ("n", *shape)))
        raise DataError(f"{images} must have the shape ({wanted}). Received: {x.shape}, {x.dtype}")
    if not len(x):
        raise DataError(f"{images} has no images")
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(x, verbose=0)))
    return [(int(row.argmax()), float(row.max())) for row in probabilities]
