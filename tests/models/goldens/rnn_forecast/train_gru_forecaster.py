"""Train `GRUForecaster`: `python train_gru_forecaster.py`.

It learns from the elevations of 16 places in a row and of the next 3, from a map of
Tennessee that comes with matplotlib. It leaves the model in gru_forecaster.keras and
its curves in gru_forecaster.png. It needs NumPy and matplotlib.
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
    """Return `(x, y)` to train on, and `(x, y)` that is held out.

    YOUR OWN DATA goes here. These are the elevations of 16 places in a row and of the
    next 3, from a map of Tennessee that comes with matplotlib.
    """
    elevation = get_sample_data("jacksboro_fault_dem.npz")["elevation"] / 100

    def windows(lines):
        places = np.lib.stride_tricks.sliding_window_view(lines, 16 + 3, axis=1)[:, ::6]
        places = places.reshape(-1, 16 + 3, 1).astype("float32")
        places = (
            places - places[:, 15:16]
        )  # How much higher than the last that is known.
        return places[:, :16], places[:, 16:]

    return windows(elevation[:240:6]), windows(elevation[260::6])


def plot(history, path):
    """Draw the curves of the training as a PNG."""
    names = [name for name in history if f"val_{name}" in history]
    figure = Figure(figsize=(5 * len(names), 4), layout="constrained")
    for axes, name in zip(
        figure.subplots(1, len(names), squeeze=False)[0], names, strict=True
    ):
        axes.plot(history[name], label="training")
        axes.plot(history[f"val_{name}"], label="held out")
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
    print(f"mean absolute error: {error:.3f} (the last value repeated: {baseline:.3f})")


if __name__ == "__main__":
    main()
