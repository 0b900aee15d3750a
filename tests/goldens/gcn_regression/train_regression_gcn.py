"""Train `RegressionGCN`: `python train_regression_gcn.py`.

The script trains on scikit-learn's 1,797 images of handwritten digits as a graph, with
edges from each image to its 8 nearest neighbors and 100 known labels. It saves the
model to regression_gcn.keras and the training curves to regression_gcn.png. It requires
scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.neighbors import kneighbors_graph

from regression_gcn import RegressionGCN

HERE = Path(__file__).parent
EPOCHS = 200


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
    labels = labels[:, None].astype("float32")  # The digit as a number.
    x = [pixels[None].astype("float32") / 16, adjacency[None]]  # A batch of one graph.
    return x, labels[None], known[None]


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
    model = RegressionGCN(num_outputs=1)
    model.compile_for_training()
    history = model.fit(
        x,
        y,
        sample_weight=to_train,
        validation_data=(x, y, held_out),
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "regression_gcn.png")
    model.save(HERE / "regression_gcn.keras")
    scores = model.evaluate(x, y, sample_weight=held_out, verbose=0, return_dict=True)
    error, baseline = scores["mae"], abs(y[~known] - y[known].mean()).mean()
    print(f"mean absolute error: {error:.3f} (training mean: {baseline:.3f})")


if __name__ == "__main__":
    main()
