"""The data: what the model is trained and evaluated on, in batches that can be dealt out again."""

from __future__ import annotations

from dataclasses import dataclass

import click
import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class DataError(click.ClickException):
    """Data that can't be read, or that is too little."""


@dataclass(frozen=True)
class Data:
    """Images of shape `(n, height, width, channels)` from 0 to 1, and labels of shape `(n,)`."""

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def load_data() -> Data:
    """Return what to train on, what to choose the best epoch by, and what to score in the end.

    YOUR OWN DATA goes here. These are scikit-learn's 1,797 images of handwritten digits, split
    in the same way each time.

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
    """Shuffled batches, in an order that the seed and the number of the epoch decide alone.

    A training that goes on at epoch 7 sees what it would have seen there, and so do all
    processes of one job: each takes its own part of every batch.

    Args:
        x: Array of shape `(n, ...)`.
        y: Array of shape `(n, ...)`.
        batch_size: How many examples a step takes, over all processes. What is left over at
            the end of an epoch is not used.
        seed: What the order depends on.
        part: Which process this is, and of how many.
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
        """Put the examples into the order of an epoch, counted from 0."""
        self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.x))

    def __len__(self):
        return len(self.x) // self.batch_size

    def __getitem__(self, index):
        rank, parts = self.part
        batch = self.order[index * self.batch_size : (index + 1) * self.batch_size][rank::parts]
        return self.x[batch], self.y[batch]
