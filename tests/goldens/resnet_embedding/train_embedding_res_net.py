"""Train `EmbeddingResNet`: `python train_embedding_res_net.py`.

The script trains on scikit-learn's 1,797 images of handwritten digits. It saves the
model to embedding_res_net.keras and the training curves to embedding_res_net.png. It
requires scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from embedding_res_net import EmbeddingResNet

HERE = Path(__file__).parent
EPOCHS = 8
BATCH_SIZE = 64


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads scikit-learn's 1,797 images of
    handwritten digits.
    """
    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8, 1).astype("float32") / 16
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.2, random_state=0
    )
    return (x_train, y_train), (x_test, y_test)


def nearest_labels(vectors, known_vectors, known_labels):
    """Return the label of the nearest known vector for each vector."""
    return known_labels[np.argmax(vectors @ known_vectors.T, axis=1)]


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
    model = EmbeddingResNet(
        embedding_dim=16,
        filters=(16, 32),
        num_blocks=(1, 1),
        small_images=True,
        data_format="channels_last",
    )
    model.compile_for_training()
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "embedding_res_net.png")
    model.save(HERE / "embedding_res_net.keras")
    vectors, known = model.predict(x_test, verbose=0), model.predict(x_train, verbose=0)
    accuracy = np.mean(nearest_labels(vectors, known, y_train) == y_test)
    baseline = majority_baseline(y_train, y_test)
    print(f"nearest-neighbor accuracy: {accuracy:.3f} (majority class: {baseline:.3f})")


if __name__ == "__main__":
    main()
