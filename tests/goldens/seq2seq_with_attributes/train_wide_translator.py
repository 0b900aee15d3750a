"""Train `WideTranslator`: `python train_wide_translator.py`.

The script trains on words of Python's own documentation, to be spelled backwards. It
saves the model to wide_translator.keras and the training curves to wide_translator.png.
It requires NumPy and matplotlib.
"""

import math
import re
from pathlib import Path
from pydoc_data.topics import topics

import keras
import numpy as np
from matplotlib.figure import Figure

from wide_translator import END, START, WideTranslator

HERE = Path(__file__).parent
EPOCHS = 15
BATCH_SIZE = 64

STEPS = 8


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads words of Python's own
    documentation, to be spelled backwards.
    """
    text = "\n".join(topics.values()).lower()
    words = sorted(set(re.findall(r"\b[a-z]{3,7}\b", text)))
    words = np.random.default_rng(0).permutation(words).tolist()
    cut = len(words) * 9 // 10
    return as_tokens(words[:cut]), as_tokens(words[cut:])


def as_tokens(words):
    """Return the source tokens and the decoder's inputs, and the decoder's targets."""
    source, target, labels = np.zeros((3, len(words), STEPS), "int32")
    for i, word in enumerate(words):
        letters = [ord(letter) - ord("a") + END + 1 for letter in word]
        source[i, : len(word) + 1] = [*letters, END]
        target[i, : len(word) + 1] = [START, *letters[::-1]]
        labels[i, : len(word) + 1] = [*letters[::-1], END]
    return {"source": source, "target": target}, labels


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
    model = WideTranslator(
        source_vocabulary_size=29,
        target_vocabulary_size=29,
        sequence_length=STEPS,
        dropout=0.0,
    )
    # With a constant rate, a late step may undo what was learned.
    steps = EPOCHS * math.ceil(len(y_train) / BATCH_SIZE)
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile_for_training(learning_rate=schedule)
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "wide_translator.png")
    model.save(HERE / "wide_translator.keras")
    written = model.generate(x_test["source"], STEPS)
    accuracy = np.mean((written == y_test).all(axis=1))
    baseline = np.mean((x_test["source"] == y_test).all(axis=1))
    print(f"exact match: {accuracy:.3f} (copied word: {baseline:.3f})")


if __name__ == "__main__":
    main()
