"""`MyGroupNormalization`: group normalization."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyGroupNormalization(keras.layers.Layer):
    """Group normalization: `gamma * (inputs - mean) / sqrt(variance + epsilon) + beta`.

    The channels are split into `groups` groups of equal size. `mean` and `variance` are
    computed per sample and group, over its channels and all other axes but the first.
    Samples are thus independent of each other, and training and inference are the same.
    `gamma` and `beta` have one value per channel.

    The mask is passed on, but masked values are included in the statistics.
    Computations use at least float32: the dtype policy only affects the output.

    Args:
        groups: Positive int that divides the number of channels; `-1` for one group per
            channel (instance normalization). Defaults to `32`.
        axis: Int, the axis of the channels. Defaults to `-1`.
        epsilon: Float, added to the variance to avoid dividing by zero. Defaults to
            `0.001`.
        center: Bool, whether to add `beta`. Defaults to `True`.
        scale: Bool, whether to multiply by `gamma`. Defaults to `True`.
        beta_initializer: Initializer of `beta`. Defaults to `"zeros"`.
        gamma_initializer: Initializer of `gamma`. Defaults to `"ones"`.
        beta_regularizer: Regularizer of `beta`. Defaults to `None`.
        gamma_regularizer: Regularizer of `gamma`. Defaults to `None`.
        beta_constraint: Constraint on `beta`. Defaults to `None`.
        gamma_constraint: Constraint on `gamma`. Defaults to `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, with rank at least 2 and a known number of channels, the size of
        `axis`.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `axis` has the wrong type.
        ValueError: If an argument is invalid, the input has no axis `axis`, its number
            of channels is unknown or not a multiple of `groups`, or its rank or
            channels differ from those the layer was built with.

    Example:

    >>> layer = MyGroupNormalization(groups=2)
    >>> y = layer(keras.ops.array([[10.0, 30.0, 200.0, 800.0]]))
    >>> keras.ops.convert_to_numpy(y).round(2).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]

    Reference:
        [Wu and He, 2018](https://arxiv.org/abs/1803.08494). Drop-in for
        `keras.layers.GroupNormalization`, but `groups` remains -1 when the layer is
        built.
    """

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=0.001,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(axis):
            raise TypeError(f"`axis` must be an int. Received: axis={axis!r}")
        if not is_int(groups) or (groups <= 0 and groups != -1):
            raise ValueError(
                "`groups` must be a positive int, or -1 for one group per channel. "
                f"Received: groups={groups!r}"
            )
        self.groups = int(groups)
        self.axis = int(axis)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.supports_masking = True
        self.autocast = False

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Raises for a shape without the axis.
        channels = input_shape[self.axis]
        groups = channels if self.groups == -1 else self.groups
        if channels is None or channels % groups != 0:
            raise ValueError(
                "The number of input channels must be a known multiple of `groups`. "
                f"Received: input_shape={input_shape}, groups={self.groups}"
            )
        self._split = (groups, channels // groups)
        shape = (channels,)
        self.gamma = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        self.beta = None
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )
        self.input_spec = keras.layers.InputSpec(
            ndim=len(input_shape), axes={self.axis: channels}
        )

    def call(self, inputs):
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        shape, rank = ops.shape(inputs), len(inputs.shape)
        axis = self.axis % rank
        split_shape = (*shape[:axis], *self._split, *shape[axis + 1 :])
        outputs = ops.reshape(ops.cast(inputs, dtype), split_shape)
        others = [i for i in range(1, rank + 1) if i != axis]
        mean, variance = ops.moments(outputs, axes=others, keepdims=True)
        along_channels = (*[1] * axis, *self._split, *[1] * (rank - axis - 1))
        # Factored so that only one product and one sum are as large as the inputs.
        factor = ops.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            gamma = ops.reshape(self.gamma, along_channels)
            factor = factor * ops.cast(gamma, dtype)
        offset = -mean * factor
        if self.beta is not None:
            beta = ops.reshape(self.beta, along_channels)
            offset = offset + ops.cast(beta, dtype)
        outputs = ops.reshape(outputs * factor + offset, shape)
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        if not -len(input_shape) <= self.axis < len(input_shape):
            raise ValueError(
                "`axis` must be an axis of the input. "
                f"Received: axis={self.axis}, input_shape={input_shape}"
            )
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
        }
