"""`GainedBatchNorm`: batch normalization."""

import numbers

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class GainedBatchNorm(keras.layers.Layer):
    """Batch normalization: `gamma * (inputs - mean) / sqrt(variance + epsilon) + beta`.

    With `training=True`, `mean` and `variance` are computed from the batch, per channel
    over all other axes, and the moving statistics are updated::

        moving_mean = momentum * moving_mean + (1 - momentum) * mean
        moving_variance = momentum * moving_variance + (1 - momentum) * variance

    Otherwise, and whenever `trainable` is `False`, they are the moving statistics,
    which are not updated.

    A `mask` has the shape of the inputs without the last axis: masked values are
    normalized, but excluded from the statistics. Computations use at least float32.

    Args:
        axis: Int, the axis of the channels; statistics are computed over all other
            axes. Defaults to `1`.
        momentum: Float, momentum of the moving statistics. Defaults to `0.9`.
        epsilon: Float, added to the variance to avoid dividing by zero. Defaults to
            `1e-05`.
        center: Bool, whether to add `beta`. Defaults to `True`.
        scale: Bool, whether to multiply by `gamma`. Defaults to `False`.
        beta_initializer: Initializer of `beta`. Defaults to `"he_normal"`.
        gamma_initializer: Initializer of `gamma`. Defaults to `"ones"`.
        moving_mean_initializer: Initializer of `moving_mean`. Defaults to `"zeros"`.
        moving_variance_initializer: Initializer of `moving_variance`. Defaults to
            `"ones"`.
        beta_regularizer: Regularizer of `beta`. Defaults to `"l2"`.
        gamma_regularizer: Regularizer of `gamma`. Defaults to `None`.
        beta_constraint: Constraint on `beta`. Defaults to `None`.
        gamma_constraint: Constraint on `gamma`. Defaults to `None`.
        gain: Float greater than 0. Defaults to `1.0`.
        noise_seed: Int, seed of `self.noise_seed_generator`, or `None` for a random
            seed. Defaults to `7`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        Any, with a known number of channels, the size of `axis`.

    Output shape:
        Same shape as the input.

    Raises:
        ValueError: If an argument is invalid, the input has no axis `axis`, its number
            of channels is unknown, its rank or channels differ from those the layer was
            built with, or the rank of a mask is not one less than that of the input.

    Example:

    >>> layer = GainedBatchNorm(momentum=0.9, axis=-1)
    >>> tuple(layer(keras.ops.ones((2, 3)), training=True).shape)
    (2, 3)

    Reference:
        [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167). As
        `keras.layers.BatchNormalization`, but with its own arguments or defaults.
    """

    def __init__(
        self,
        axis=1,
        momentum=0.9,
        epsilon=1e-05,
        center=True,
        scale=False,
        beta_initializer="he_normal",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer="l2",
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        gain=1.0,
        noise_seed=7,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.moving_mean_initializer = keras.initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = keras.initializers.get(
            moving_variance_initializer
        )
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.gain = float(gain)
        self.noise_seed = noise_seed
        self.noise_seed_generator = keras.random.SeedGenerator(noise_seed)
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # Raises for a shape without the axis.
        channels = input_shape[self.axis]
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
        self.moving_mean = self.add_weight(
            name="moving_mean",
            shape=shape,
            initializer=self.moving_mean_initializer,
            trainable=False,
            autocast=False,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=shape,
            initializer=self.moving_variance_initializer,
            trainable=False,
            autocast=False,
        )
        self.input_spec = keras.layers.InputSpec(
            ndim=len(input_shape), axes={self.axis: channels}
        )

    def call(self, inputs, training=None, mask=None):
        # TODO: use `self.gain` and `self.noise_seed_generator`: they have no effect
        # yet.
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                "`mask` must have one fewer axis than the inputs. "
                f"Received: mask.shape={mask.shape}, inputs.shape={inputs.shape}"
            )
        dtype = keras.backend.result_type(inputs.dtype, "float32")
        inputs = ops.cast(inputs, dtype)
        mean = ops.cast(self.moving_mean, dtype)
        variance = ops.cast(self.moving_variance, dtype)
        if training and self.trainable:
            old_mean, old_variance = mean, variance
            mean, variance = self._moments(inputs, mask)
            momentum = self.momentum
            self.moving_mean.assign(momentum * old_mean + (1 - momentum) * mean)
            self.moving_variance.assign(
                momentum * old_variance + (1 - momentum) * variance
            )
        outputs = ops.batch_normalization(
            inputs,
            mean,
            variance,
            axis=self.axis,
            offset=None if self.beta is None else ops.cast(self.beta, dtype),
            scale=None if self.gamma is None else ops.cast(self.gamma, dtype),
            epsilon=self.epsilon,
        )
        return ops.cast(outputs, self.compute_dtype)

    def _moments(self, inputs, mask):
        """Return the mean and variance of each channel, where `mask` is true."""
        axes = [*range(len(inputs.shape))]
        del axes[self.axis]
        if mask is None:
            return ops.moments(inputs, axes=axes)
        mask = ops.expand_dims(ops.cast(mask, "bool"), -1)
        mask = ops.broadcast_to(mask, ops.shape(inputs))
        count = ops.sum(ops.cast(mask, inputs.dtype), axis=axes)
        count = ops.add(count, keras.config.epsilon())  # Everything may be masked.
        # Masked values are replaced, not multiplied by 0, since they may be NaN.
        mean = ops.sum(ops.where(mask, inputs, 0), axis=axes) / count
        shape = [1] * len(inputs.shape)
        shape[self.axis] = -1
        centered = ops.where(mask, inputs - ops.reshape(mean, shape), 0)
        return mean, ops.sum(ops.square(centered), axis=axes) / count

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
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": keras.initializers.serialize(
                self.moving_mean_initializer
            ),
            "moving_variance_initializer": keras.initializers.serialize(
                self.moving_variance_initializer
            ),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
            "gain": self.gain,
            "noise_seed": self.noise_seed,
        }
