"""`MyDeformableConv2D`: 2D deformable convolution."""

import itertools
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


def neighbors(positions, size):
    """Return the indices of the two pixels around each position, with their weights.

    Indices start at 1; 0 and `size + 1` mean outside.
    """
    before = ops.floor(positions)
    # `floor` has no gradient: all of it flows through the weight.
    weight = positions - before
    index = ops.cast(before, "int32") + 1
    return (
        (ops.clip(index, 0, size + 1), 1 - weight),
        (ops.clip(index + 1, 0, size + 1), weight),
    )


def sample(images, rows, columns):
    """Return the pixels at fractional positions, interpolated bilinearly, 0 outside.

    `rows` and `columns` have shape `(batch, new_height, new_width, *kernel_size)`; the
    result has an additional last axis of channels.
    """
    batch, height, width, channels = ops.shape(images)
    padded = ops.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    pixels = ops.reshape(padded, (-1, channels))
    image = ops.reshape(ops.arange(batch), (-1, 1, 1, 1, 1))
    outputs = 0.0
    for (row, row_weight), (column, column_weight) in itertools.product(
        neighbors(rows, height), neighbors(columns, width)
    ):
        index = (image * (height + 2) + row) * (width + 2) + column
        weight = ops.cast(row_weight * column_weight, images.dtype)
        outputs += ops.expand_dims(weight, -1) * ops.take(pixels, index, axis=0)
    return outputs


@keras.saving.register_keras_serializable(package="golden")
class MyDeformableConv2D(keras.layers.Layer):
    """2D deformable convolution: `activation(deformable_conv(inputs, kernel) + bias)`.

    Each kernel position is shifted by offsets, which are computed by a convolution with
    the same kernel size. With strides `s` and inputs padded according to `padding`::

        offsets = conv(inputs, offset_kernel) + offset_bias
        row[i, j, u, v] = i * s[0] + u + offsets[i, j, u, v, 0]
        column[i, j, u, v] = j * s[1] + v + offsets[i, j, u, v, 1]
        deformable_conv(inputs, kernel)[i, j, f] = sum over u, v, c of
            inputs[row[i, j, u, v], column[i, j, u, v], c] * kernel[u, v, c, f]

    Inputs are interpolated bilinearly between pixels and are 0 outside the image. All
    offsets are initially 0, so that the layer starts as a plain convolution.

    Args:
        filters: Positive int, number of output channels.
        kernel_size: Positive int or tuple of length 2, size of the kernel.
        strides: Positive int or tuple of length 2, stride of the convolution. Defaults
            to `(1, 1)`.
        padding: `"valid"` or `"same"`. Defaults to `"valid"`.
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
        `(batch, height, width, channels)`, with `channels` known.

    Output shape:
        `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: If an argument is invalid, the input does not have rank 4 or is
            smaller than the kernel, or its number of channels is unknown or not the one
            the layer was built with.

    Example:

    >>> layer = MyDeformableConv2D(8, 3, strides=2, padding="same")
    >>> tuple(layer(keras.ops.ones((4, 28, 20, 3))).shape)
    (4, 14, 10, 8)

    Reference:
        [Dai et al., 2017](https://arxiv.org/abs/1703.06211)
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
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
        if padding not in ("valid", "same"):
            raise ValueError(
                f"`padding` must be 'valid' or 'same'. Received: padding={padding!r}"
            )
        self.filters = int(filters)
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
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
        channels = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.filters),
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
        rows, columns = self.kernel_size
        offsets = 2 * rows * columns
        self.offset_kernel = self.add_weight(
            name="offset_kernel",
            shape=(rows, columns, channels, offsets),
            initializer="zeros",
        )
        self.offset_bias = self.add_weight(
            name="offset_bias", shape=(offsets,), initializer="zeros"
        )
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels})

    def call(self, inputs):
        batch, height, width, _ = ops.shape(inputs)
        offsets = ops.add(self.conv(inputs, self.offset_kernel), self.offset_bias)
        # Half precision is too coarse for the positions in a large image.
        offsets = ops.cast(offsets, keras.backend.result_type(offsets.dtype, "float32"))
        _, new_height, new_width, _ = ops.shape(offsets)
        offsets = ops.reshape(
            offsets, (batch, new_height, new_width, *self.kernel_size, 2)
        )
        rows = ops.expand_dims(self.window(0, height, new_height), (1, 3))
        columns = ops.expand_dims(self.window(1, width, new_width), 1)
        patches = sample(
            inputs, ops.add(rows, offsets[..., 0]), ops.add(columns, offsets[..., 1])
        )
        outputs = ops.tensordot(patches, self.kernel, axes=3)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias)
        if self.activation is not None:
            outputs = self.activation(outputs)
        return outputs

    def conv(self, inputs, kernel):
        """Return the plain convolution with `kernel`, with strides and padding."""
        return ops.conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding,
            data_format="channels_last",
        )

    def window(self, axis, size, output_size):
        """Return the positions without offsets along an axis: `(output_size, taps)`."""
        stride, taps = self.strides[axis], self.kernel_size[axis]
        starts = stride * ops.arange(output_size)
        if self.padding == "same":
            starts -= ops.maximum((output_size - 1) * stride + taps - size, 0) // 2
        return ops.expand_dims(starts, 1) + ops.arange(taps)

    def compute_output_shape(self, input_shape):
        kernel = keras.KerasTensor((*self.kernel_size, input_shape[-1], self.filters))
        return self.conv(keras.KerasTensor(input_shape), kernel).shape

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
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
