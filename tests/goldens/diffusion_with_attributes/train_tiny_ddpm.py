"""Train `TinyDDPM`: `python train_tiny_ddpm.py`.

The script trains on scikit-learn's 1,797 images of handwritten digits. It saves the
model to tiny_ddpm.keras, the training curves to tiny_ddpm.png and generated images to
tiny_ddpm_samples.png. It requires scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
from keras import ops
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tiny_ddpm import TinyDDPM

HERE = Path(__file__).parent
EPOCHS = 20
BATCH_SIZE = 32


def load_data():
    """Return images for training and images for testing.

    Replace this with your own data. The script loads scikit-learn's 1,797 images of
    handwritten digits.
    """
    images = load_digits().images[..., None].astype("float32") / 8 - 1
    return train_test_split(images, test_size=0.2, random_state=0)


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
    model = TinyDDPM(
        image_shape=x_train.shape[1:], filters=24, num_blocks=3, num_steps=100
    )
    model.compile_for_training()
    history = model.fit(
        x_train,
        validation_data=(x_test,),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "tiny_ddpm.png")
    draw((model.sample(32, seed=0) + 1) / 2, HERE / "tiny_ddpm_samples.png")
    model.save(HERE / "tiny_ddpm.keras")
    error = model.evaluate(x_test, verbose=0)
    baseline = (model.test_noise**2).mean()
    print(f"squared error of the noise: {error:.3f} (predicting 0: {baseline:.3f})")


if __name__ == "__main__":
    main()
