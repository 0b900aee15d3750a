"""Train `RegressionMLP`: `python train_regression_mlp.py`.

The script trains on scikit-learn's diabetes dataset (442 samples). It saves the model
to regression_mlp.keras and the training curves to regression_mlp.png. It requires
scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
from matplotlib.figure import Figure
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from regression_mlp import RegressionMLP

HERE = Path(__file__).parent
EPOCHS = 30
BATCH_SIZE = 32


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads scikit-learn's diabetes dataset
    (442 samples).
    """
    x, y = load_diabetes(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y[:, None], test_size=0.25, random_state=0
    )
    inputs, targets = StandardScaler().fit(x_train), StandardScaler().fit(y_train)
    return (
        (inputs.transform(x_train), targets.transform(y_train)),
        (inputs.transform(x_test), targets.transform(y_test)),
    )


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
    model = RegressionMLP(num_outputs=1)
    model.compile_for_training()
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "regression_mlp.png")
    model.save(HERE / "regression_mlp.keras")
    error = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["mae"]
    baseline = abs(y_test - y_train.mean(axis=0)).mean()
    print(f"mean absolute error: {error:.3f} (training mean: {baseline:.3f})")


if __name__ == "__main__":
    main()
