"""`BranchNetConv`: 2D convolution."""

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
class BranchNetConv(keras.layers.Layer):
    """2D convolution: `activation(conv(inputs, kernel) + bias)`.

    With strides `s`, dilation rates `d` and inputs padded according to `padding`::

        conv(inputs, kernel)[i, j, f] = sum over u, v, c of
            inputs[i * s[0] + u * d[0], j * s[1] + v * d[1], c] * kernel[u, v, c, f]

    `"valid"` means no padding. `"same"` pads evenly with zeros on both sides, with one
    more at the end if the padding is odd, so that the output has size
    `ceil(size / stride)` along each axis.

    With `groups` above 1, the channels are split into that many groups, and each group
    is convolved separately with `filters // groups` filters.

    Args:
        filters: Positive int, number of output channels.
        kernel_size: Positive int or tuple of length 2, size of the kernel.
        strides: Positive int or tuple of length 2, stride of the convolution. Defaults
            to `(1, 1)`.
        padding: `"valid"` or `"same"`, case-insensitive. Defaults to `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`, case-insensitive; `None`
            for `keras.config.image_data_format()`. Defaults to `None`.
        dilation_rate: Positive int or tuple of length 2, spacing between kernel
            elements in the input. Defaults to `(1, 1)`.
        groups: Positive int that divides the number of input channels and `filters`.
            Defaults to `1`.
        activation: Activation function or its name, `None` for the identity. Defaults
            to `None`.
        use_bias: Bool, whether to add a bias. Defaults to `True`.
        kernel_initializer: Initializer of `kernel`. Defaults to `"glorot_uniform"`.
        bias_initializer: Initializer of `bias`. Defaults to `"zeros"`.
        kernel_regularizer: Regularizer of `kernel`. Defaults to `None`.
        bias_regularizer: Regularizer of `bias`. Defaults to `None`.
        activity_regularizer: Regularizer of the output. Defaults to `None`.
        kernel_constraint: Constraint on `kernel`. Defaults to `None`.
        bias_constraint: Constraint on `bias`. Defaults to `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, height, width, channels)` for `"channels_last"`,
        `(batch, channels, height, width)` for `"channels_first"`. Without oneDNN,
        TensorFlow supports `"channels_first"` on a CPU only in models compiled with
        `jit_compile=True`.

    Output shape:
        `(batch, new_height, new_width, filters)` or
        `(batch, filters, new_height, new_width)`.

    Raises:
        ValueError: If an argument is invalid, `strides` and `dilation_rate` are both
            above 1, the input does not have rank 4 or is smaller than the kernel, or
            its number of channels is unknown, not a multiple of `groups`, or not the
            one the layer was built with.

    Example:

    >>> layer = BranchNetConv(
    ...     8, 3, strides=2, padding="same", data_format="channels_last"
    ... )
    >>> tuple(layer(keras.ops.ones((4, 28, 20, 3))).shape)
    (4, 14, 10, 8)

    Reference:
        Drop-in for `keras.layers.Conv2D`, without `lora_rank`, `lora_alpha`,
        `quantization_config` and `enable_lora`.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        if not is_int(filters) or filters <= 0:
            raise ValueError(
                f"`filters` must be a positive int. Received: filters={filters!r}"
            )
        kernel_size = int_tuple(kernel_size, 2, "kernel_size")
        strides = int_tuple(strides, 2, "strides")
        dilation_rate = int_tuple(dilation_rate, 2, "dilation_rate")
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
        if not is_int(groups) or groups <= 0 or filters % groups != 0:
            raise ValueError(
                "`groups` must be a positive int that divides `filters`. "
                f"Received: groups={groups!r}, filters={filters}"
            )
        if max(strides) > 1 and max(dilation_rate) > 1:
            raise ValueError(
                "`strides` and `dilation_rate` cannot both be above 1. "
                f"Received: strides={strides!r}, dilation_rate={dilation_rate!r}"
            )
        self.filters = int(filters)
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.data_format = data_format
        self.dilation_rate = dilation_rate
        self.groups = int(groups)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Raises for a bad rank or size.
        channel_axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[channel_axis]
        if channels is None or channels % self.groups != 0:
            raise ValueError(
                "The number of input channels must be a known multiple of `groups`. "
                f"Received: input_shape={input_shape}, groups={self.groups}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={channel_axis: channels})

    def call(self, inputs):
        outputs = ops.conv(
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
                # broadcasts it along the last axis if that has size `filters`.
                bias = ops.reshape(self.bias, (self.filters, 1, 1))
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
        if channels_last:
            return (input_shape[0], *sizes, self.filters)
        return (input_shape[0], self.filters, *sizes)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }

    @classmethod
    def from_config(cls, config):
        # Unsupported arguments of the built-in, with the values that have no effect.
        left_out = {
            "lora_rank": [None],
            "lora_alpha": [None],
            "quantization_config": [None],
        }
        for name, values in left_out.items():
            if name in config and config[name] not in values:
                raise ValueError(
                    f"`{name}` is not supported and must be {values[0]!r}. "
                    f"Received: {name}={config[name]!r}"
                )
        kept = {name: config[name] for name in config if name not in left_out}
        return super().from_config(kept)
