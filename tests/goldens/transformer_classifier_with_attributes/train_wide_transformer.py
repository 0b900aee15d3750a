"""Train `WideTransformer`: `python train_wide_transformer.py`.

The script trains on paragraphs of Python's own documentation as token ids, labeled with
one of three chapters. It saves the model to wide_transformer.keras and the training
curves to wide_transformer.png. It requires scikit-learn and matplotlib.
"""

import re
from collections import Counter
from pathlib import Path
from pydoc_data.topics import topics

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.model_selection import train_test_split

from wide_transformer import WideTransformer

HERE = Path(__file__).parent
EPOCHS = 5
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
    y = np.array([*labels.values()])
    train, test, y_train, y_test = train_test_split(
        passages, y, test_size=0.25, random_state=0
    )
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
    model = WideTransformer(
        vocabulary_size=VOCABULARY_SIZE,
        num_classes=len(CHAPTERS),
        sequence_length=STEPS,
    )
    model.compile_for_training()
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "wide_transformer.png")
    model.save(HERE / "wide_transformer.keras")
    accuracy = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
    baseline = majority_baseline(y_train, y_test)
    print(f"accuracy: {accuracy:.3f} (majority class: {baseline:.3f})")


if __name__ == "__main__":
    main()
