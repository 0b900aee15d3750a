"""Train `DigitsGAN`: `python train_digits_gan.py`.

The script trains on scikit-learn's 1,797 images of handwritten digits. It saves the
model to digits_gan.keras, the training curves to digits_gan.png and generated images to
digits_gan_samples.png. It requires scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from digits_gan import DigitsGAN

HERE = Path(__file__).parent
EPOCHS = 60
BATCH_SIZE = 32


def load_data():
    """Return images for training and images for testing.

    Replace this with your own data. The script loads scikit-learn's 1,797 images of
    handwritten digits.
    """
    images = load_digits().images[..., None].astype("float32") / 8 - 1
    return train_test_split(images, test_size=0.2, random_state=0)


def distance_to_nearest(images, others):
    """Return the mean distance of an image to the nearest of the others.

    It is small only if the others look like the images and are as diverse.
    """
    pairs = images[:, None] - others
    return np.sqrt((pairs**2).sum(axis=(2, 3, 4))).min(axis=1).mean()


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


def draw(images, path):
    """Plot 32 images, with values from 0 to 1, to a PNG file."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    images = ops.convert_to_numpy(images).clip(0, 1)
    for axes, image in zip(figure.subplots(4, 8).flat, images, strict=True):
        axes.imshow(image, cmap="gray", vmin=0, vmax=1)
        axes.axis("off")
    figure.savefig(path)


def main():
    keras.utils.set_random_seed(0)
    x_train, x_test = load_data()
    model = DigitsGAN(image_shape=x_train.shape[1:], latent_dim=16, filters=(48, 24))
    model.compile_for_training(learning_rate=1e-3)
    history = model.fit(
        x_train,
        validation_data=(x_test,),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "digits_gan.png")
    draw((model.sample(32, seed=0) + 1) / 2, HERE / "digits_gan_samples.png")
    model.save(HERE / "digits_gan.keras")
    made = ops.convert_to_numpy(model.sample(len(x_train), seed=0))
    distance = distance_to_nearest(x_test, made)
    # As many images of independent random pixels.
    draws = np.random.default_rng(0).normal(size=x_train.shape)
    noise = x_train.mean(axis=0) + x_train.std(axis=0) * draws
    baseline = distance_to_nearest(x_test, noise)
    print(f"distance to the nearest: {distance:.3f} (random pixels: {baseline:.3f})")


if __name__ == "__main__":
    main()
