"""`FancyPooling`: 2D average pooling."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def int_tuple(value, length, name):
    """Return the argument `name` as a tuple of `length` positive ints.

    A single int is repeated. Raises `ValueError` for anything else.
    """
    values = (value,) * length if is_int(value) else value
    if (
        not isinstance(values, (list, tuple))
        or len(values) != length
        or not all(is_int(item) and item > 0 for item in values)
    ):
        raise ValueError(
            f"`{name}` must be a positive int, or a tuple of positive ints of length "
            f"{length}. Received: {name}={value!r}"
        )
    return tuple(map(int, values))


@keras.saving.register_keras_serializable(package="golden")
class FancyPooling(keras.layers.Layer):
    """2D average pooling: the mean of each window of a channel.

    With strides `s` and `u, v` over the window::

        outputs[i, j, c] = mean over u, v of
            inputs[i * s[0] + u, j * s[1] + v, c]

    `"valid"` means no padding. `"same"` pads evenly on both sides, with one more
    position at the end if the padding is odd, so that the output has size
    `ceil(size / stride)` along each axis. Padded positions are ignored. If the padding
    is odd, Keras's `average_pool` on Torch repeats the values at the edges instead and
    includes them in the mean.

    Args:
        pool_size: Positive int or tuple of length 2, size of the pooling window.
            Defaults to `(3, 2)`.
        strides: Positive int or tuple of length 2, stride of the window; `None` for
            `pool_size`. Defaults to `(2, 2)`.
        padding: `"valid"` or `"same"`, case-insensitive. Defaults to `"same"`.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `"channels_first"`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`.

    Output shape:
        `(batch, new_height, new_width, channels)` or
        `(batch, channels, new_height, new_width)`.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, the input does not have rank 4, or a
            symbolic input is smaller than the window.

    Example:

    >>> layer = FancyPooling(
    ...     2, data_format="channels_last", strides=None, padding="valid"
    ... )
    >>> tuple(layer(keras.ops.ones((4, 28, 20, 3))).shape)
    (4, 14, 10, 3)

    Reference:
        As `keras.layers.AveragePooling2D`, but with its own arguments or defaults.
    """

    def __init__(
        self,
        pool_size=(3, 2),
        strides=(2, 2),
        padding="same",
        data_format="channels_first",
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
        pool_size = int_tuple(pool_size, 2, "pool_size")
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        strides = pool_size if strides is None else int_tuple(strides, 2, "strides")
        padding = str(padding).lower()
        if padding not in ("valid", "same"):
            raise ValueError(
                f"`padding` must be 'valid' or 'same'. Received: padding={padding!r}"
            )
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.pool_size = pool_size
        self.strides = strides
        self.padding = padding
        self.data_format = data_format
        self.gain = float(gain)
        self.label = label
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def call(self, inputs):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        return ops.average_pool(
            inputs,
            pool_size=self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )

    def compute_output_shape(self, input_shape):
        channels_last = self.data_format == "channels_last"
        sizes = input_shape[1:-1] if channels_last else input_shape[2:]
        if self.padding == "valid":
            sizes = [
                None if size is None else size - pool + 1
                for size, pool in zip(sizes, self.pool_size, strict=True)
            ]
            if any(size is not None and size <= 0 for size in sizes):
                raise ValueError(
                    "The input is smaller than the window. Received: "
                    f"input_shape={input_shape}, pool_size={self.pool_size}"
                )
        sizes = [
            None if size is None else -(-size // stride)
            for size, stride in zip(sizes, self.strides, strict=True)
        ]
        if channels_last:
            return (input_shape[0], *sizes, input_shape[-1])
        return (*input_shape[:2], *sizes)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "gain": self.gain,
            "label": self.label,
        }
