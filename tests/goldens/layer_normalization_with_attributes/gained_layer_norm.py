"""`GainedLayerNorm`: layer normalization."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class GainedLayerNorm(keras.layers.Layer):
    """Layer normalization: `gamma * (inputs - mean) / sqrt(variance + epsilon) + beta`.

    `mean` and `variance` are computed from the input over the axes in `axis`, for each
    position along the other axes. Samples are thus independent of each other, and
    training and inference are the same. `gamma` and `beta` have the shape of the axes
    in `axis`.

    Computations use at least float32: the dtype policy only affects the output.

    Args:
        axis: Int, or list or tuple of ints, the axes to normalize over. Defaults to
            `1`.
        epsilon: Float, added to the variance to avoid dividing by zero. Defaults to
            `1e-05`.
        center: Bool, whether to add `beta`. Defaults to `False`.
        scale: Bool, whether to multiply by `gamma`. Defaults to `True`.
        beta_initializer: Initializer of `beta`. Defaults to `"zeros"`.
        gamma_initializer: Initializer of `gamma`. Defaults to `"he_normal"`.
        beta_regularizer: Regularizer of `beta`. Defaults to `None`.
        gamma_regularizer: Regularizer of `gamma`. Defaults to `"l2"`.
        beta_constraint: Constraint on `beta`. Defaults to `None`.
        gamma_constraint: Constraint on `gamma`. Defaults to `None`.
        gain: Float greater than 0. Defaults to `1.0`.
        noise_seed: Int, seed of `self.noise_seed_generator`, or `None` for a random
            seed. Defaults to `7`.
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

    >>> layer = GainedLayerNorm(epsilon=1e-5, axis=-1)
    >>> tuple(layer(keras.ops.ones((2, 3))).shape)
    (2, 3)

    Reference:
        [Ba et al., 2016](https://arxiv.org/abs/1607.06450). As
        `keras.layers.LayerNormalization`, but with its own arguments or defaults.
    """

    def __init__(
        self,
        axis=1,
        epsilon=1e-05,
        center=False,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="he_normal",
        beta_regularizer=None,
        gamma_regularizer="l2",
        beta_constraint=None,
        gamma_constraint=None,
        gain=1.0,
        noise_seed=7,
        **kwargs,
    ):
        super().__init__(**kwargs)
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not all(is_int(item) for item in axes):
            raise TypeError(
                "`axis` must be an int, or a list or tuple of ints. "
                f"Received: axis={axis!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
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
        self.gain = float(gain)
        self.noise_seed = noise_seed
        self.noise_seed_generator = keras.random.SeedGenerator(noise_seed)
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
        # TODO: use `self.gain` and `self.noise_seed_generator`: they have no effect
        # yet.
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
            "gain": self.gain,
            "noise_seed": self.noise_seed,
        }
