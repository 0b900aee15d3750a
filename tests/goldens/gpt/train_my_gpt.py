"""Train `MyGPT`: `python train_my_gpt.py`.

The script trains on the English text of Python's own documentation, as bytes. It saves
the model to my_gpt.keras and the training curves to my_gpt.png. It requires NumPy and
matplotlib.
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
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads the English text of Python's own
    documentation, as bytes.
    """
    # Some topics repeat others: the test data must be unseen.
    paragraphs = list(dict.fromkeys("\n\n".join(topics.values()).split("\n\n")))
    cut = len(paragraphs) * 9 // 10
    return sequences(paragraphs[:cut]), sequences(paragraphs[cut:])


def sequences(paragraphs):
    """Return the text as sequences of bytes, and the byte after each byte."""
    text = np.frombuffer("\n\n".join(paragraphs).encode(), "uint8").astype("int32")
    text = text[: (len(text) - 1) // STEPS * STEPS + 1]
    return text[:-1].reshape(-1, STEPS), text[1:].reshape(-1, STEPS)


def bits_by_frequency(y_train, y_test):
    """Return the bits per byte if only the byte frequencies are known."""
    counts = np.bincount(y_train.ravel(), minlength=256) + 1
    return -np.mean(np.log2(counts / counts.sum())[y_test])


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
    print(f"bits per byte: {loss / np.log(2):.3f} (byte frequencies: {baseline:.3f})")


if __name__ == "__main__":
    main()
