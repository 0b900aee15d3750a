"""Train `MyVAE`: `python train_my_vae.py`.

The script trains on scikit-learn's 1,797 images of handwritten digits. It saves the
model to my_vae.keras, the training curves to my_vae.png and generated images to
my_vae_samples.png. It requires scikit-learn and matplotlib.
"""

from pathlib import Path

import keras
from keras import ops
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from my_vae import MyVAE

HERE = Path(__file__).parent
EPOCHS = 30
BATCH_SIZE = 32


def load_data():
    """Return `(x, y)` for training and `(x, y)` for testing.

    Replace this with your own data. The script loads scikit-learn's 1,797 images of
    handwritten digits.
    """
    images = load_digits().images[..., None].astype("float32") / 16
    x_train, x_test = train_test_split(images, test_size=0.2, random_state=0)
    return (x_train, x_train), (x_test, x_test)  # Images are their own targets.


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
    (x_train, y_train), (x_test, y_test) = load_data()
    model = MyVAE(image_shape=x_train.shape[1:])
    model.compile_for_training()
    history = model.fit(
        x_train,
        y_train,
        validation_data=(x_test, y_test),
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        verbose=2,
    )
    plot(history.history, HERE / "my_vae.png")
    draw(model.sample(32, seed=0), HERE / "my_vae_samples.png")
    model.save(HERE / "my_vae.keras")
    means, _ = model.encode(x_test)
    restored = ops.convert_to_numpy(model.decode(means))
    error = ((restored - x_test) ** 2).mean() ** 0.5
    baseline = ((x_train.mean(axis=0) - x_test) ** 2).mean() ** 0.5
    print(f"root mean squared error: {error:.3f} (mean image: {baseline:.3f})")


if __name__ == "__main__":
    main()
