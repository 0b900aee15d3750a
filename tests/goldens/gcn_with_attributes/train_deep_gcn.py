"""Train `DeepGCN`: `python train_deep_gcn.py`.

The script trains on scikit-learn's 1,797 images of handwritten digits as a graph, with
edges from each image to its 8 nearest neighbors and 100 known labels. It saves the
model to deep_gcn.keras and the training curves to deep_gcn.png. It requires
scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph

from deep_gcn import DeepGCN

HERE = Path(__file__).parent
EPOCHS = 100


def load_data():
    """Return `[nodes, adjacency]`, the targets `y` and a mask of the known ones.

    Replace this with your own data. The script loads scikit-learn's 1,797 images of
    handwritten digits as a graph, with edges from each image to its 8 nearest neighbors
    and 100 known labels.
    """
    pixels, labels = load_digits(return_X_y=True)
    edges = kneighbors_graph(pixels, n_neighbors=8).toarray()
    adjacency = np.maximum(edges, edges.T).astype("float32")
    known = np.zeros(len(labels), bool)
    known[np.random.default_rng(0).choice(len(labels), 100, replace=False)] = True
    x = [pixels[None].astype("float32") / 16, adjacency[None]]  # A batch of one graph.
    return x, labels[None], known[None]


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
    x, y, known = load_data()
    to_train, held_out = known.astype("float32"), (~known).astype("float32")
    model = DeepGCN(num_classes=10)
    model.compile_for_training()
    history = model.fit(
        x,
        y,
        sample_weight=to_train,
        validation_data=(x, y, held_out),
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "deep_gcn.png")
    model.save(HERE / "deep_gcn.keras")
    scores = model.evaluate(x, y, sample_weight=held_out, verbose=0, return_dict=True)
    accuracy, baseline = scores["accuracy"], majority_baseline(y[known], y[~known])
    print(f"accuracy: {accuracy:.3f} (majority class: {baseline:.3f})")


if __name__ == "__main__":
    main()
