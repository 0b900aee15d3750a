"""Train `MyTextRegressor`: `python train_my_text_regressor.py`.

The script trains on paragraphs of Python's own documentation as token ids, labeled with
one of three chapters. It saves the model to my_text_regressor.keras and the training
curves to my_text_regressor.png. It requires scikit-learn and matplotlib.
"""

import math
import re
from collections import Counter
from pathlib import Path
from pydoc_data.topics import topics

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.model_selection import train_test_split

from my_text_regressor import MyTextRegressor

HERE = Path(__file__).parent
EPOCHS = 10
BATCH_SIZE = 32

STEPS = 48
VOCABULARY_SIZE = 1000
# Topics of the documentation: the data model, statements, strings.
CHAPTERS = [
    ["specialnames"],
    ["compound"],
    ["formatstrings", "string-methods", "strings"],
]


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads paragraphs of Python's own
    documentation as token ids, labeled with one of three chapters.
    """
    labels = {}
    for label, names in enumerate(CHAPTERS):
        for paragraph in "\n\n".join(topics[name] for name in names).split("\n\n"):
            words = tuple(re.findall("[a-z]+", paragraph.lower())[:STEPS])
            # No duplicates: the test data must be unseen.
            if len(words) >= 8 and words not in labels:
                labels[words] = label
    passages = list(labels)
    y = np.array([[len("".join(words)) / len(words)] for words in passages])
    train, test, y_train, y_test = train_test_split(
        passages, y, test_size=0.25, random_state=0
    )
    mean, deviation = y_train.mean(), y_train.std()  # Of the word lengths.
    y_train, y_test = (y_train - mean) / deviation, (y_test - mean) / deviation
    counts = Counter(word for words in train for word in words)
    # 0 is for padding, 1 for rare words.
    common = [word for word, _ in counts.most_common(VOCABULARY_SIZE - 2)]
    ids = {word: token for token, word in enumerate(common, start=2)}
    return (as_tokens(train, ids), y_train), (as_tokens(test, ids), y_test)


def as_tokens(passages, ids):
    """Return the token ids of each passage, padded with 0."""
    x = np.zeros((len(passages), STEPS), "int32")
    for row, words in zip(x, passages, strict=True):
        row[: len(words)] = [ids.get(word, 1) for word in words]
    return x


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
    model = MyTextRegressor(
        vocabulary_size=VOCABULARY_SIZE, num_outputs=1, sequence_length=STEPS
    )
    # With a constant rate, the error fluctuates between epochs.
    steps = EPOCHS * math.ceil(len(y_train) / BATCH_SIZE)
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, steps)
    model.compile_for_training(learning_rate=schedule)
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "my_text_regressor.png")
    model.save(HERE / "my_text_regressor.keras")
    error = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["mae"]
    baseline = abs(y_test - y_train.mean(axis=0)).mean()
    print(f"mean absolute error: {error:.3f} (training mean: {baseline:.3f})")


if __name__ == "__main__":
    main()
