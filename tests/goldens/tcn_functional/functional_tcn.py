"""`FunctionalTCN`: a temporal convolutional network."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="FunctionalTCN.ResidualBlock"
)
class ResidualBlock(keras.layers.Layer):
    """Two dilated causal convolutions and a shortcut around them.

    The shortcut is a convolution with kernel size 1 if the channels differ.
    """

    def __init__(self, filters, kernel_size, dilation_rate=1, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.filters = filters
        self.kernel_size = kernel_size
        self.dilation_rate = dilation_rate
        self.dropout = dropout
        self.convs = [
            keras.layers.Conv1D(
                filters,
                kernel_size,
                padding="causal",
                data_format="channels_last",
                dilation_rate=dilation_rate,
                activation="relu",
                kernel_initializer="he_normal",
                dtype=self.dtype_policy,
                name=f"conv_{i}",
            )
            for i in range(2)
        ]
        self.drops = [
            keras.layers.SpatialDropout1D(
                dropout, dtype=self.dtype_policy, name=f"dropout_{i}"
            )
            for i in range(2)
        ]
        self.shortcut = None

    def build(self, input_shape):
        first, second = self.convs
        first.build(input_shape)
        second.build(self.compute_output_shape(input_shape))
        if input_shape[-1] != self.filters:
            self.shortcut = keras.layers.Conv1D(
                self.filters,
                1,
                data_format="channels_last",
                dtype=self.dtype_policy,
                name="shortcut",
            )
            self.shortcut.build(input_shape)

    def call(self, inputs, mask=None, training=None):
        if mask is not None:
            # Masked steps are zeros to each convolution, like the padding.
            seen = ops.cast(ops.expand_dims(mask, -1), self.compute_dtype)
            inputs = inputs * seen
        x = inputs
        for conv, drop in zip(self.convs, self.drops, strict=True):
            x = drop(conv(x), training=training)
            if mask is not None:
                x = x * seen
        if self.shortcut is not None:
            inputs = self.shortcut(inputs)
        return ops.relu(inputs + x)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "dilation_rate": self.dilation_rate,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable(
    package="golden", name="FunctionalTCN.LastStep"
)
class LastStep(keras.layers.Layer):
    """The last unmasked step of each sequence."""

    def call(self, inputs, mask=None):
        if mask is None:
            return inputs[:, -1]
        seen = ops.cast(mask, "int32")
        # Number the unmasked steps: the last one has the largest number.
        last = ops.argmax(seen * ops.cumsum(seen, axis=1), axis=1)
        return ops.squeeze(
            ops.take_along_axis(inputs, last[:, None, None], axis=1), axis=1
        )

    def compute_mask(self, inputs, mask=None):
        del inputs, mask  # The outputs have no steps to mask.

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


@keras.saving.register_keras_serializable(package="golden")
class FunctionalTCN(keras.Model):
    """Temporal convolutional network: dilated causal convolutions over the steps of a
    sequence.

    Block `i` has two causal convolutions with dilation rate `2**i`, each followed by
    `relu` and spatial dropout, and a shortcut around both. The receptive field is
    `1 + 2 * (kernel_size - 1) * (2**num_blocks - 1)` steps. The features are those of
    the last step.

    Masked steps count as zero padding. The weight normalization of the paper is
    omitted.

    Args:
        num_features: Positive int, size of the last axis of the inputs.
        num_classes: Positive int, number of classes; the model outputs a logit for
            each.
        filters: Positive int, channels of all convolutions. Defaults to `32`.
        kernel_size: Positive int, kernel size of the convolutions, which are dilated by
            `2**i` in block `i`. Defaults to `3`.
        num_blocks: Positive int, number of residual blocks. Defaults to `4`.
        dropout: Float in `[0, 1)`, fraction of the channels to drop after each
            convolution in training. Defaults to `0.0`.
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        `(batch, steps, num_features)`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = FunctionalTCN(num_features=8, num_classes=3, filters=16)
    >>> tuple(model(keras.ops.ones((2, 20, 8))).shape)
    (2, 3)

    Reference:
        [Bai et al., 2018](https://arxiv.org/abs/1803.01271)
    """

    def __init__(
        self,
        num_features,
        num_classes,
        filters=32,
        kernel_size=3,
        num_blocks=4,
        dropout=0.0,
        dtype=None,
        name=None,
        trainable=True,
    ):
        if not is_int(num_features) or num_features <= 0:
            raise ValueError(
                "`num_features` must be a positive int. "
                f"Received: num_features={num_features!r}"
            )
        if not is_int(num_classes) or num_classes <= 0:
            raise ValueError(
                "`num_classes` must be a positive int. "
                f"Received: num_classes={num_classes!r}"
            )
        if not is_int(filters) or filters <= 0:
            raise ValueError(
                f"`filters` must be a positive int. Received: filters={filters!r}"
            )
        if not is_int(kernel_size) or kernel_size <= 0:
            raise ValueError(
                "`kernel_size` must be a positive int. "
                f"Received: kernel_size={kernel_size!r}"
            )
        if not is_int(num_blocks) or num_blocks <= 0:
            raise ValueError(
                "`num_blocks` must be a positive int. "
                f"Received: num_blocks={num_blocks!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1). "
                f"Received: dropout={dropout!r}"
            )
        blocks = [
            ResidualBlock(
                filters,
                kernel_size,
                dilation_rate=2**i,
                dropout=dropout,
                dtype=dtype,
                name=f"block_{i}",
            )
            for i in range(num_blocks)
        ]
        last_step = LastStep(dtype=dtype, name="last_step")
        head = keras.layers.Dense(num_classes, dtype=dtype, name="head")
        inputs = keras.Input((None, num_features))
        x = inputs
        for block in blocks:
            x = block(x)
        x = last_step(x)
        outputs = head(x)
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.num_features = num_features
        self.num_classes = num_classes
        self.filters = filters
        self.kernel_size = kernel_size
        self.num_blocks = num_blocks
        self.dropout = float(dropout)

    def compute_mask(self, inputs, mask=None):
        del inputs, mask  # The outputs have no steps to mask.

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                "metrics": ["accuracy"],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_features": self.num_features,
            "num_classes": self.num_classes,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "num_blocks": self.num_blocks,
            "dropout": self.dropout,
        }
