"""Train `WideSiamese`: `python train_wide_siamese.py`.

The script trains on pairs of images from scikit-learn's 1,797 images of handwritten
digits. It saves the model to wide_siamese.keras and the training curves to
wide_siamese.png. It requires scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from wide_siamese import WideSiamese

HERE = Path(__file__).parent
EPOCHS = 12
BATCH_SIZE = 64


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads pairs of images from
    scikit-learn's 1,797 images of handwritten digits.
    """
    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1).astype("float32") / 16
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.2, random_state=0
    )
    return pairs(x_train, y_train), pairs(x_test, y_test)


def pairs(images, digits, times=4):
    """Pair each image `times` times; about half of the pairs show the same digit."""
    rng = np.random.default_rng(0)
    first = np.repeat(np.arange(len(digits)), times)
    same = rng.integers(2, size=len(first))
    second = []
    for i, is_same in zip(first, same, strict=True):
        candidates = np.flatnonzero((digits == digits[i]) == is_same)
        second.append(rng.choice(candidates[candidates != i]))
    return [images[first], images[second]], same


def majority_baseline(y_train, y_test):
    """Return the accuracy of always predicting the majority class."""
    return np.mean(y_test == np.bincount(y_train).argmax())


def plot(history, path):
    """Plot the training curves to a PNG file."""
    names = [name for name in history if f"val_{name}" in history]
    figure = Figure(figsize=(5 * len(names), 4), layout="constrained")
    for axes, name in zip(
        figure.subplots(1, len(names), squeeze=False)[0], names, strict=True
    ):
        axes.plot(history[name], label="training")
        axes.plot(history[f"val_{name}"], label="validation")
        axes.set(xlabel="epoch", title=name)
        axes.legend()
    figure.savefig(path)


def main():
    keras.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = load_data()
    model = WideSiamese()
    model.compile_for_training()
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "wide_siamese.png")
    model.save(HERE / "wide_siamese.keras")
    accuracy = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
    baseline = majority_baseline(y_train, y_test)
    print(f"accuracy: {accuracy:.3f} (majority class: {baseline:.3f})")


if __name__ == "__main__":
    main()
