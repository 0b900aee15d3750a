"""Train `MyUNet`: `python train_my_u_net.py`.

The script trains on noisy versions of scikit-learn's 1,797 images of handwritten
digits, with a mask of the ink pixels. It saves the model to my_u_net.keras and the
training curves to my_u_net.png. It requires scikit-learn and matplotlib.
"""

import math
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from my_u_net import MyUNet

HERE = Path(__file__).parent
EPOCHS = 8
BATCH_SIZE = 32


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads noisy versions of scikit-learn's
    1,797 images of handwritten digits, with a mask of the ink pixels.
    """
    clean = load_digits().images / 16
    noise = np.random.default_rng(0).normal(scale=0.3, size=clean.shape)
    x, y = (clean + noise)[..., None].astype("float32"), (clean > 0.5).astype("int32")
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.2, random_state=0
    )
    return (x_train, y_train), (x_test, y_test)


def intersection_over_union(truth, predicted):
    """Return the overlap of two sets of pixels: 1 if they are the same."""
    return (truth & predicted).sum() / (truth | predicted).sum()


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
    model = MyUNet(num_classes=2, filters=(16, 32, 64))
    # With small steps at the end, the last epoch is as good as any.
    steps = EPOCHS * math.ceil(len(y_train) / BATCH_SIZE)
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile_for_training(learning_rate=schedule)
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "my_u_net.png")
    model.save(HERE / "my_u_net.keras")
    ink = model.predict(x_test, verbose=0).argmax(axis=-1)
    score = intersection_over_union(y_test, ink)
    majority = (y_train.mean(axis=0) > 0.5).astype(y_test.dtype)
    baseline = intersection_over_union(y_test, majority)
    print(
        f"intersection over union: {score:.3f} "
        f"(majority class per pixel: {baseline:.3f})"
    )


if __name__ == "__main__":
    main()
