"""Train `MyGPT`: `python train_my_gpt.py`.

It learns from the English text of Python's own documentation, as bytes. It leaves the
model in my_gpt.keras and its curves in my_gpt.png. It needs NumPy and matplotlib.
"""

from pathlib import Path
from pydoc_data.topics import topics

import keras
import numpy as np
from matplotlib.figure import Figure

from my_gpt import MyGPT

HERE = Path(__file__).parent
EPOCHS = 3
BATCH_SIZE = 32

STEPS = 64


def load_data():
    """Return `(x, y)` to train on, and `(x, y)` that is held out.

    YOUR OWN DATA goes here. These are the English text of Python's own documentation,
    as bytes.
    """
    # Some topics repeat others: what is held out must be new.
    paragraphs = list(dict.fromkeys("\n\n".join(topics.values()).split("\n\n")))
    cut = len(paragraphs) * 9 // 10
    return windows(paragraphs[:cut]), windows(paragraphs[cut:])


def windows(paragraphs):
    """Return the bytes of a text in windows, and for each byte the next one."""
    text = np.frombuffer("\n\n".join(paragraphs).encode(), "uint8").astype("int32")
    text = text[: (len(text) - 1) // STEPS * STEPS + 1]
    return text[:-1].reshape(-1, STEPS), text[1:].reshape(-1, STEPS)


def bits_by_frequency(y_train, y_test):
    """Return the bits that a byte takes if only how frequent it is is known."""
    counts = np.bincount(y_train.ravel(), minlength=256) + 1
    return -np.mean(np.log2(counts / counts.sum())[y_test])


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
    model = MyGPT(vocabulary_size=256, sequence_length=STEPS)
    model.compile_for_training(learning_rate=3e-3)
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "my_gpt.png")
    model.save(HERE / "my_gpt.keras")
    prompt = x_test[:1, : STEPS // 2]
    text = model.generate(prompt, STEPS // 2, temperature=0.8, top_k=20, seed=0)
    print(bytes(text[0].tolist()).decode(errors="replace"))
    loss = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["loss"]
    baseline = bits_by_frequency(y_train, y_test)
    print(f"bits per byte: {loss / np.log(2):.3f} (frequencies alone: {baseline:.3f})")


if __name__ == "__main__":
    main()
