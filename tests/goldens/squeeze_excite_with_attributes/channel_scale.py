"""`ChannelScale`: squeeze-and-excitation."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class ChannelScale(keras.layers.Layer):
    """Squeeze-and-excitation: `inputs * expand(reduce(mean(inputs)))`.

    The means of the channels over the image are passed through two dense layers:
    `reduce`, to a few units, and `expand`, back to the number of channels. The weight
    of each channel thus depends on all channels.

    Args:
        filters: Positive int, number of input and output channels. Defaults to `16`.
        bottleneck_filters: Positive int, units of `reduce`; `None` for a quarter of
            `filters`, at least 1. Defaults to `None`.
        squeeze_activation: Activation function of `reduce` or its name, `None` for the
            identity. Defaults to `"gelu"`.
        excite_activation: Activation function of `expand` or its name, `None` for the
            identity. Defaults to `"sigmoid"`.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `"channels_first"`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, height, width, filters)` for `"channels_last"`,
        `(batch, filters, height, width)` for `"channels_first"`.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, or the input does not have rank 4 or
            `filters` channels.

    Example:

    >>> layer = ChannelScale(16, data_format="channels_last")
    >>> tuple(layer(keras.ops.ones((2, 8, 8, 16))).shape)
    (2, 8, 8, 16)

    Reference:
        [Hu et al., 2018](https://arxiv.org/abs/1709.01507)
    """

    def __init__(
        self,
        filters=16,
        bottleneck_filters=None,
        squeeze_activation="gelu",
        excite_activation="sigmoid",
        data_format="channels_first",
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(filters) or filters <= 0:
            raise ValueError(
                f"`filters` must be a positive int. Received: filters={filters!r}"
            )
        if bottleneck_filters is not None and (
            not is_int(bottleneck_filters) or bottleneck_filters <= 0
        ):
            raise ValueError(
                "`bottleneck_filters` must be a positive int, or None. "
                f"Received: bottleneck_filters={bottleneck_filters!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        if data_format is None:
            data_format = keras.config.image_data_format()
        data_format = str(data_format).lower()
        if data_format not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.filters = int(filters)
        self.bottleneck_filters = (
            None if bottleneck_filters is None else int(bottleneck_filters)
        )
        self.squeeze_activation = keras.activations.get(squeeze_activation)
        self.excite_activation = keras.activations.get(excite_activation)
        self.data_format = data_format
        self.gain = float(gain)
        self.label = label
        channel_axis = -1 if data_format == "channels_last" else 1
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: filters})
        self.pool = keras.layers.GlobalAveragePooling2D(
            data_format=data_format, dtype=self.dtype_policy, name="pool"
        )
        self.reduce = keras.layers.Dense(
            self.bottleneck_filters or max(self.filters // 4, 1),
            activation=self.squeeze_activation,
            dtype=self.dtype_policy,
            name="reduce",
        )
        self.expand = keras.layers.Dense(
            self.filters,
            activation=self.excite_activation,
            dtype=self.dtype_policy,
            name="expand",
        )

    def build(self, input_shape):
        self.pool.build(input_shape)
        self.reduce.build((input_shape[0], self.filters))
        self.expand.build((input_shape[0], self.reduce.units))

    def call(self, inputs):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        weights = self.expand(self.reduce(self.pool(inputs)))
        if self.data_format == "channels_last":
            weights = ops.reshape(weights, (-1, 1, 1, self.filters))
        else:
            weights = ops.reshape(weights, (-1, self.filters, 1, 1))
        return ops.multiply(inputs, weights)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "bottleneck_filters": self.bottleneck_filters,
            "squeeze_activation": keras.activations.serialize(self.squeeze_activation),
            "excite_activation": keras.activations.serialize(self.excite_activation),
            "data_format": self.data_format,
            "gain": self.gain,
            "label": self.label,
        }
