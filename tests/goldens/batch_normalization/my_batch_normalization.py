"""`MyBatchNormalization`: batch normalization."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="golden")
class MyBatchNormalization(keras.layers.Layer):
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
            axes. Defaults to `-1`.
        momentum: Float, momentum of the moving statistics. Defaults to `0.99`.
        epsilon: Float, added to the variance to avoid dividing by zero. Defaults to
            `0.001`.
        center: Bool, whether to add `beta`. Defaults to `True`.
        scale: Bool, whether to multiply by `gamma`. Defaults to `True`.
        beta_initializer: Initializer of `beta`. Defaults to `"zeros"`.
        gamma_initializer: Initializer of `gamma`. Defaults to `"ones"`.
        moving_mean_initializer: Initializer of `moving_mean`. Defaults to `"zeros"`.
        moving_variance_initializer: Initializer of `moving_variance`. Defaults to
            `"ones"`.
        beta_regularizer: Regularizer of `beta`. Defaults to `None`.
        gamma_regularizer: Regularizer of `gamma`. Defaults to `None`.
        beta_constraint: Constraint on `beta`. Defaults to `None`.
        gamma_constraint: Constraint on `gamma`. Defaults to `None`.
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

    >>> layer = MyBatchNormalization(momentum=0.9)
    >>> y = layer(keras.ops.array([[10.0, 40.0], [30.0, 80.0]]), training=True)
    >>> keras.ops.convert_to_numpy(y).round(2).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    >>> keras.ops.convert_to_numpy(layer.moving_mean).round(2).tolist()
    [2.0, 6.0]

    Reference:
        [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167). Drop-in for
        `keras.layers.BatchNormalization`, without `renorm`, `renorm_clipping`,
        `renorm_momentum` and `synchronized`.
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=0.001,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
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
        }

    @classmethod
    def from_config(cls, config):
        # Unsupported arguments of the built-in, with the values that have no effect.
        left_out = {
            "renorm": [False],
            "renorm_clipping": [None],
            "renorm_momentum": [0.99],
            "synchronized": [False],
        }
        for name, values in left_out.items():
            if name in config and config[name] not in values:
                raise ValueError(
                    f"`{name}` is not supported and must be {values[0]!r}. "
                    f"Received: {name}={config[name]!r}"
                )
        kept = {name: config[name] for name in config if name not in left_out}
        return super().from_config(kept)
