"""Train `WideMultiTask`: `python train_wide_multi_task.py`.

The script trains on the left and right halves of scikit-learn's 1,797 images of
handwritten digits, labeled with the digit and the amount of ink. It saves the model to
wide_multi_task.keras and the training curves to wide_multi_task.png. It requires
scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from wide_multi_task import WideMultiTask

HERE = Path(__file__).parent
EPOCHS = 30
BATCH_SIZE = 32


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads the left and right halves of
    scikit-learn's 1,797 images of handwritten digits, labeled with the digit and the
    amount of ink.
    """
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8).astype("float32") / 16
    ink = images.sum(axis=(1, 2))[:, None]
    train, test = train_test_split(range(len(images)), test_size=0.2, random_state=0)
    scaler = StandardScaler().fit(ink[train])

    def examples(chosen):
        left, right = images[chosen, :, :4], images[chosen, :, 4:]
        x = {"left": left.reshape(-1, 32), "right": right.reshape(-1, 32)}
        return x, {"label": labels[chosen], "value": scaler.transform(ink[chosen])}

    return examples(train), examples(test)


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
    model = WideMultiTask(num_classes=10, num_outputs=1)
    model.compile_for_training()
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "wide_multi_task.png")
    model.save(HERE / "wide_multi_task.keras")
    results = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    error = results["value_mae"]
    baseline = abs(y_test["value"] - y_train["value"].mean(axis=0)).mean()
    print(f"mean absolute error: {error:.3f} (training mean: {baseline:.3f})")
    accuracy = results["label_accuracy"]
    baseline = majority_baseline(y_train["label"], y_test["label"])
    print(f"accuracy: {accuracy:.3f} (majority class: {baseline:.3f})")


if __name__ == "__main__":
    main()
