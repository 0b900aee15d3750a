"""Train `FunctionalAutoencoder`: `python train_functional_autoencoder.py`.

The script trains on scikit-learn's 1,797 images of handwritten digits, which are also
the targets. It saves the model to functional_autoencoder.keras and the training curves
to functional_autoencoder.png. It requires scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from functional_autoencoder import FunctionalAutoencoder

HERE = Path(__file__).parent
EPOCHS = 30
BATCH_SIZE = 32


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads scikit-learn's 1,797 images of
    handwritten digits, which are also the targets.
    """
    x = load_digits().data.astype("float32") / 16
    x_train, x_test = train_test_split(x, test_size=0.2, random_state=0)
    return (x_train, x_train), (x_test, x_test)


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
    model = FunctionalAutoencoder(num_features=x_train.shape[-1])
    model.compile_for_training()
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "functional_autoencoder.png")
    model.save(HERE / "functional_autoencoder.keras")
    error = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["loss"]
    baseline = ((x_test - x_train.mean(axis=0)) ** 2).mean()
    print(f"mean squared error: {error:.4f} (mean image: {baseline:.4f})")


if __name__ == "__main__":
    main()
