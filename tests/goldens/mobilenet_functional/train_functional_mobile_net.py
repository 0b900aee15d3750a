"""Train `FunctionalMobileNet`: `python train_functional_mobile_net.py`.

The script trains on scikit-learn's 1,797 images of handwritten digits. It saves the
model to functional_mobile_net.keras and the training curves to
functional_mobile_net.png. It requires scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from functional_mobile_net import FunctionalMobileNet

HERE = Path(__file__).parent
EPOCHS = 10
BATCH_SIZE = 32


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
    model = FunctionalMobileNet(
        image_shape=x_train.shape[1:],
        num_classes=10,
        filters=(16, 24),
        num_blocks=(1, 2),
        strides=(1, 1),
        expansions=(1, 6),
        top_filters=64,
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
    plot(history.history, HERE / "functional_mobile_net.png")
    model.save(HERE / "functional_mobile_net.keras")
    accuracy = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
    baseline = majority_baseline(y_train, y_test)
    print(f"accuracy: {accuracy:.3f} (majority class: {baseline:.3f})")


if __name__ == "__main__":
    main()
