"""`FancyDepthwiseConv`: 2D depthwise convolution."""

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
class FancyDepthwiseConv(keras.layers.Layer):
    """2D depthwise convolution: `activation(depthwise_conv(inputs, kernel) + bias)`.

    Each channel is convolved separately with `m = depth_multiplier` kernels. With
    strides `s`, dilation rates `d` and inputs padded according to `padding`::

        depthwise_conv(inputs, kernel)[i, j, c * m + k] = sum over u, v of
            kernel[u, v, c, k] *
            inputs[i * s[0] + u * d[0], j * s[1] + v * d[1], c]

    `"valid"` means no padding. `"same"` pads evenly with zeros on both sides, with one
    more at the end if the padding is odd, so that the output has size
    `ceil(size / stride)` along each axis.

    TensorFlow requires equal strides along both axes, except with dilation.

    Args:
        kernel_size: Positive int or tuple of length 2, size of the kernel. Defaults to
            `(3, 2)`.
        strides: Positive int or tuple of length 2, stride of the convolution. Defaults
            to `(2, 2)`.
        padding: `"valid"` or `"same"`, case-insensitive. Defaults to `"same"`.
        depth_multiplier: Positive int, number of output channels per input channel.
            Defaults to `2`.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `"channels_first"`.
        dilation_rate: Positive int or tuple of length 2, spacing between kernel
            elements in the input. Defaults to `(1, 1)`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `"relu"`.
        use_bias: Bool, whether to add a bias. Defaults to `False`.
        depthwise_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        depthwise_regularizer: Regularizer of `kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `None`.
        activity_regularizer: Regularizer of the output. Defaults to `None`.
        depthwise_constraint: Constraint on `kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        gain: Float greater than 0. Defaults to `1.0`.
        mode: 'sum' or 'mean'. Defaults to `"sum"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`.

    Output shape:
        `(batch, new_height, new_width, channels * m)` or
        `(batch, channels * m, new_height, new_width)`.

    Raises:
        ValueError: If an argument is invalid, the input does not have rank 4 or is
            smaller than the kernel, or its number of channels is unknown or not the one
            the layer was built with.

    Example:

    >>> layer = FancyDepthwiseConv(
    ...     3, strides=2, padding="same", data_format="channels_last",
    ...     depth_multiplier=1
    ... )
    >>> tuple(layer(keras.ops.ones((4, 28, 20, 3))).shape)
    (4, 14, 10, 3)

    Reference:
        As `keras.layers.DepthwiseConv2D`, but with its own arguments or defaults.
    """

    def __init__(
        self,
        kernel_size=(3, 2),
        strides=(2, 2),
        padding="same",
        depth_multiplier=2,
        data_format="channels_first",
        dilation_rate=(1, 1),
        activation="relu",
        use_bias=False,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        gain=1.0,
        mode="sum",
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        kernel_size = int_tuple(kernel_size, 2, "kernel_size")
        strides = int_tuple(strides, 2, "strides")
        if not is_int(depth_multiplier) or depth_multiplier <= 0:
            raise ValueError(
                "`depth_multiplier` must be a positive int. "
                f"Received: depth_multiplier={depth_multiplier!r}"
            )
        dilation_rate = int_tuple(dilation_rate, 2, "dilation_rate")
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if mode not in ("sum", "mean"):
            raise ValueError(f"`mode` must be 'sum' or 'mean'. Received: mode={mode!r}")
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
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.depth_multiplier = int(depth_multiplier)
        self.data_format = data_format
        self.dilation_rate = dilation_rate
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.depthwise_initializer = keras.initializers.get(depthwise_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.depthwise_regularizer = keras.regularizers.get(depthwise_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.depthwise_constraint = keras.constraints.get(depthwise_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.gain = float(gain)
        self.mode = mode
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Raises for a bad rank or size.
        channel_axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[channel_axis]
        if channels is None:
            raise ValueError(
                "The number of input channels must be known. "
                f"Received: input_shape={input_shape}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(channels * self.depth_multiplier,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels})

    def call(self, inputs):
        # TODO: use `self.gain` and `self.mode`: they have no effect yet.
        outputs = ops.depthwise_conv(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        if self.bias is not None:
            if self.data_format == "channels_last":
                outputs = ops.add(outputs, self.bias)
            else:
                # The bias comes first: as the second argument, TensorFlow's `ops.add`
                # broadcasts it along the last axis if that has the same size.
                bias = ops.reshape(self.bias, (-1, 1, 1))
                outputs = ops.add(bias, outputs)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 4:
            raise ValueError(
                f"The input must have 4 axes. Received: input_shape={input_shape}"
            )
        channels_last = self.data_format == "channels_last"
        sizes = input_shape[1:-1] if channels_last else input_shape[2:]
        if self.padding == "valid":
            sizes = [
                None if size is None else size - dilation * (kernel - 1)
                for size, kernel, dilation in zip(
                    sizes, self.kernel_size, self.dilation_rate, strict=True
                )
            ]
            if any(size is not None and size <= 0 for size in sizes):
                raise ValueError(
                    "The input is smaller than the kernel. Received: "
                    f"input_shape={input_shape}, kernel_size={self.kernel_size}, "
                    f"dilation_rate={self.dilation_rate}"
                )
        sizes = [
            None if size is None else -(-size // stride)
            for size, stride in zip(sizes, self.strides, strict=True)
        ]
        channels = input_shape[-1] if channels_last else input_shape[1]
        if channels is not None:
            channels *= self.depth_multiplier
        if channels_last:
            return (input_shape[0], *sizes, channels)
        return (input_shape[0], channels, *sizes)

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "depth_multiplier": self.depth_multiplier,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "depthwise_initializer": keras.initializers.serialize(
                self.depthwise_initializer
            ),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "depthwise_regularizer": keras.regularizers.serialize(
                self.depthwise_regularizer
            ),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "depthwise_constraint": keras.constraints.serialize(
                self.depthwise_constraint
            ),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "gain": self.gain,
            "mode": self.mode,
        }
