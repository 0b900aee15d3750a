"""Train `LargeTwoTower`: `python train_large_two_tower.py`.

The script trains on scikit-learn's 1,797 images of handwritten digits, where each left
half is a query for its right half. It saves the model to large_two_tower.keras and the
training curves to large_two_tower.png. It requires scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from large_two_tower import LargeTwoTower

HERE = Path(__file__).parent
EPOCHS = 30
BATCH_SIZE = 128

HITS = 10


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads scikit-learn's 1,797 images of
    handwritten digits, where each left half is a query for its right half.
    """
    images = load_digits().images.astype("float32") / 16
    train, test = train_test_split(
        np.arange(len(images)), test_size=0.2, random_state=0
    )

    def examples(ids):
        left, right = images[ids, :, :4], images[ids, :, 4:]
        return {"query": left.reshape(-1, 32), "item": right.reshape(-1, 32)}, ids

    return examples(train), examples(test)


def hit_rate(queries, items):
    """Return the fraction of queries whose own item is among the top `HITS`."""
    scores = queries @ items.T
    own = np.diagonal(scores)[:, None]
    # Ties count against the own item.
    return np.mean((scores >= own).sum(axis=1) <= HITS)


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
    model = LargeTwoTower()
    model.compile_for_training()
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "large_two_tower.png")
    model.save(HERE / "large_two_tower.keras")
    vectors = model.predict(x_test, verbose=0)
    hits, baseline = hit_rate(vectors["query"], vectors["item"]), HITS / len(y_test)
    print(f"hit rate at 10: {hits:.3f} (chance: {baseline:.3f})")


if __name__ == "__main__":
    main()
