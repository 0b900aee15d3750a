"""Handwritten digits: the 1,797 real images that ship with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Digits:
    """Images of shape `(n, 8, 8, 1)` with values from 0 to 1, and their labels of shape `(n,)`."""

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels

    def baseline(self) -> float:
        """Return the accuracy of always predicting the majority class of the training labels."""
        majority = np.bincount(self.train_labels).argmax()
        return float((self.test_labels == majority).mean())


def load() -> Digits:
    """Load the digits, with a stratified fifth held out."""
    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) / 16).astype("float32")
    split = train_test_split(images, labels, test_size=0.2, random_state=0, stratify=labels)
    train_images, test_images, train_labels, test_labels = split
    return Digits(train_images, train_labels, test_images, test_labels)
