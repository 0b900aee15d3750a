"""`MyLayerNormalization`: layer normalization."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MyLayerNormalization(keras.layers.Layer):
    """Layer normalization: `gamma * (inputs - mean) / sqrt(variance + epsilon) + beta`.

    `mean` and `variance` are computed from the input over the axes in `axis`, for each
    position along the other axes. Samples are thus independent of each other, and
    training and inference are the same. `gamma` and `beta` have the shape of the axes
    in `axis`.

    Computations use at least float32: the dtype policy only affects the output.

    Args:
        axis: Int, or list or tuple of ints, the axes to normalize over. Defaults to
            `-1`.
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
        Any, with known sizes along `axis`.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `axis` has the wrong type.
        ValueError: If an argument is invalid, or the input does not have all axes in
            `axis` or their sizes are unknown.

    Example:

    >>> layer = MyLayerNormalization(epsilon=1e-5)
    >>> y = layer(keras.ops.array([[1.0, 3.0], [2.0, 6.0]]))
    >>> keras.ops.convert_to_numpy(y).round(3).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]

    Reference:
        [Ba et al., 2016](https://arxiv.org/abs/1607.06450). Drop-in for
        `keras.layers.LayerNormalization`, without `rms_scaling`.
    """

    def __init__(
        self,
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
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not all(is_int(item) for item in axes):
            raise TypeError(
                "`axis` must be an int, or a list or tuple of ints. "
                f"Received: axis={axis!r}"
            )
        self.axis = list(axis) if isinstance(axis, tuple) else axis
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
        shape = tuple(input_shape[axis] for axis in self._axes_of(input_shape))
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

    def call(self, inputs):
        axes, rank = self._axes_of(inputs.shape), len(inputs.shape)
        last = [*range(rank - len(axes), rank)]
        # `ops.layer_normalization` fails on Torch unless the axes are the last ones.
        if axes != last:
            inputs = ops.moveaxis(inputs, axes, last)
        outputs = ops.layer_normalization(
            inputs, self.gamma, self.beta, axis=last, epsilon=self.epsilon
        )
        if axes != last:
            outputs = ops.moveaxis(outputs, last, axes)
        return ops.cast(outputs, self.compute_dtype)

    def _axes_of(self, shape):
        """Return the axes in `axis` as sorted non-negative ints."""
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        if not all(-len(shape) <= axis < len(shape) for axis in axes):
            raise ValueError(
                "`axis` must be axes of the input. "
                f"Received: axis={self.axis}, input_shape={shape}"
            )
        return sorted(axis % len(shape) for axis in axes)

    def compute_output_shape(self, input_shape):
        self._axes_of(input_shape)  # Raises for a shape without them.
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
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

    @classmethod
    def from_config(cls, config):
        # Unsupported arguments of the built-in, with the values that have no effect.
        left_out = {"rms_scaling": [False]}
        for name, values in left_out.items():
            if name in config and config[name] not in values:
                raise ValueError(
                    f"`{name}` is not supported and must be {values[0]!r}. "
                    f"Received: {name}={config[name]!r}"
                )
        kept = {name: config[name] for name in config if name not in left_out}
        return super().from_config(kept)
