"""Train `GRUForecaster`: `python train_gru_forecaster.py`.

The script trains on sequences of 16 terrain elevations and the next 3, from a map of
Tennessee that ships with matplotlib. It saves the model to gru_forecaster.keras and the
training curves to gru_forecaster.png. It requires NumPy and matplotlib.
"""

from pathlib import Path

import keras
import numpy as np
from matplotlib.cbook import get_sample_data
from matplotlib.figure import Figure

from gru_forecaster import GRUForecaster

HERE = Path(__file__).parent
EPOCHS = 15
BATCH_SIZE = 32


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads sequences of 16 terrain elevations
    and the next 3, from a map of Tennessee that ships with matplotlib.
    """
    elevation = get_sample_data("jacksboro_fault_dem.npz")["elevation"] / 100

    def windows(lines):
        points = np.lib.stride_tricks.sliding_window_view(lines, 16 + 3, axis=1)[:, ::6]
        points = points.reshape(-1, 16 + 3, 1).astype("float32")
        points = points - points[:, 15:16]  # Relative to the last input.
        return points[:, :16], points[:, 16:]

    return windows(elevation[:240:6]), windows(elevation[260::6])


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
    model = GRUForecaster(horizon=y_train.shape[1], num_outputs=y_train.shape[-1])
    model.compile_for_training()
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "gru_forecaster.png")
    model.save(HERE / "gru_forecaster.keras")
    error = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["mae"]
    baseline = abs(y_test).mean()
    print(f"mean absolute error: {error:.3f} (last value: {baseline:.3f})")


if __name__ == "__main__":
    main()
