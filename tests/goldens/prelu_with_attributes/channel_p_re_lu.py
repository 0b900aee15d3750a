"""`ChannelPReLU`: a ReLU with learned slopes."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class ChannelPReLU(keras.layers.Layer):
    """Parametric ReLU: `max(x, 0) + alpha * min(x, 0)`, with learned `alpha`.

    `alpha` has the input shape without the batch axis, with size 1 along `shared_axes`.

    Args:
        alpha_initializer: Initializer of `alpha`. Defaults to `"ones"`.
        alpha_regularizer: Regularizer of `alpha`. Defaults to `None`.
        alpha_constraint: Constraint on `alpha`. Defaults to `None`.
        shared_axes: Positive int or list of positive ints, axes along which to share
            the slope: `[1, 2]` for one slope per image channel. `None` for one slope
            per element. Defaults to `(1,)`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`, any rank, with all sizes known except along the batch axis and
        `shared_axes`.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, the input does not have all of
            `shared_axes`, or its sizes differ from those the layer was built with.

    Example:

    >>> layer = ChannelPReLU(alpha_initializer="ones", shared_axes=[1, 2])
    >>> tuple(layer(keras.ops.ones((2, 8, 8, 3))).shape)
    (2, 8, 8, 3)
    >>> tuple(layer.alpha.shape)
    (1, 1, 3)

    Reference:
        As `keras.layers.PReLU`, but with its own arguments or defaults.

        [He et al., 2015](https://arxiv.org/abs/1502.01852)
    """

    def __init__(
        self,
        alpha_initializer="ones",
        alpha_regularizer=None,
        alpha_constraint=None,
        shared_axes=(1,),
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        if is_int(shared_axes):
            shared_axes = [shared_axes]
        if shared_axes is not None and (
            not isinstance(shared_axes, (list, tuple))
            or not all(is_int(axis) and axis > 0 for axis in shared_axes)
        ):
            raise ValueError(
                "`shared_axes` must be a positive int, a list of them, or None. "
                f"Received: shared_axes={shared_axes!r}"
            )
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.alpha_regularizer = keras.regularizers.get(alpha_regularizer)
        self.alpha_constraint = keras.constraints.get(alpha_constraint)
        self.shared_axes = None if shared_axes is None else tuple(map(int, shared_axes))
        self.gain = float(gain)
        self.label = label
        self.supports_masking = True

    def build(self, input_shape):
        rank = len(input_shape)
        shared_axes = self.shared_axes or ()
        if any(axis >= rank for axis in shared_axes):
            raise ValueError(
                "The input must have all of `shared_axes`. Received: "
                f"input_shape={input_shape}, shared_axes={shared_axes}"
            )
        alpha_axes = {
            axis: input_shape[axis]
            for axis in range(1, rank)
            if axis not in shared_axes
        }
        self.alpha = self.add_weight(
            name="alpha",
            shape=[alpha_axes.get(axis, 1) for axis in range(1, rank)],
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        self.input_spec = keras.layers.InputSpec(ndim=rank, axes=alpha_axes)

    def call(self, inputs):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        negative = ops.relu(ops.negative(inputs))
        return ops.subtract(ops.relu(inputs), ops.multiply(self.alpha, negative))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "alpha_initializer": keras.initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": keras.regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": keras.constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
            "gain": self.gain,
            "label": self.label,
        }
