"""The data to train and evaluate on, in reproducible batches."""

from __future__ import annotations

from dataclasses import dataclass

import click
import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class DataError(click.ClickException):
    """Data that can't be read, or is too small."""


@dataclass(frozen=True)
class Data:
    """Images of shape `(n, height, width, channels)` from 0 to 1, and labels of shape `(n,)`."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def load_data() -> Data:
    """Load the training, validation and test data.

    Replace this with your own data. It loads scikit-learn's 1,797 images of handwritten digits,
    always with the same split.

    Raises:
        DataError: If the data can't be read.
    """
    try:
        images, labels = load_digits(return_X_y=True)
    except OSError as error:
        raise DataError(f"the data can't be read: {error}") from error
    images = (images.reshape(-1, 8, 8, 1) / 16).astype("float32")
    seen, x_test, seen_labels, y_test = train_test_split(
        images, labels, test_size=0.2, random_state=0, stratify=labels
    )
    x_train, x_validation, y_train, y_validation = train_test_split(
        seen, seen_labels, test_size=0.2, random_state=0, stratify=seen_labels
    )
    return Data((x_train, y_train), (x_validation, y_validation), (x_test, y_test))


class Batches(keras.utils.PyDataset):
    """Shuffled batches, in an order that depends only on the seed and the epoch.

    So a training that resumes at epoch 7 sees the same batches as one that was not interrupted.
    The processes of a job share the order, and each takes its own part of every batch.

    Args:
        x: Array of shape `(n, ...)`.
        y: Array of shape `(n, ...)`.
        batch_size: Global batch size, over all processes. An incomplete batch at the end of an
            epoch is dropped.
        seed: Seed of the order.
        part: The rank of this process, and the number of processes.
    """

    def __init__(self, x, y, batch_size, *, seed, part=(0, 1)):
        super().__init__()
        if len(x) < batch_size:
            raise DataError(f"a batch of {batch_size} needs more than {len(x)} examples")
        self.x = x
        self.y = y
        self.batch_size = batch_size
        self.seed = seed
        self.part = part
        self.set_epoch(0)

    def set_epoch(self, epoch):
        """Shuffle the examples for an epoch, counted from 0."""
        self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.x))

    def __len__(self):
        return len(self.x) // self.batch_size

    def __getitem__(self, index):
        rank, parts = self.part
        batch = self.order[index * self.batch_size : (index + 1) * self.batch_size][rank::parts]
        return self.x[batch], self.y[batch]
