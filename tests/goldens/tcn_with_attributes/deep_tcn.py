"""`DeepTCN`: a temporal convolutional network."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="DeepTCN.ResidualBlock"
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


@keras.saving.register_keras_serializable(package="golden", name="DeepTCN.LastStep")
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
class DeepTCN(keras.Model):
    """Temporal convolutional network: dilated causal convolutions over the steps of a
    sequence.

    Block `i` has two causal convolutions with dilation rate `2**i`, each followed by
    `relu` and spatial dropout, and a shortcut around both. The receptive field is
    `1 + 2 * (kernel_size - 1) * (2**num_blocks - 1)` steps. The features are those of
    the last step.

    Masked steps count as zero padding. The weight normalization of the paper is
    omitted.

    Args:
        num_classes: Positive int, number of classes; the model outputs a logit for
            each. Defaults to `2`.
        filters: Positive int, channels of all convolutions. Defaults to `24`.
        kernel_size: Positive int, kernel size of the convolutions, which are dilated by
            `2**i` in block `i`. Defaults to `5`.
        num_blocks: Positive int, number of residual blocks. Defaults to `6`.
        dropout: Float in `[0, 1)`, fraction of the channels to drop after each
            convolution in training. Defaults to `0.2`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, steps, num_features)`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid.

    Example:

    >>> model = DeepTCN(num_classes=3, filters=16)
    >>> tuple(model(keras.ops.ones((2, 20, 8))).shape)
    (2, 3)

    Reference:
        [Bai et al., 2018](https://arxiv.org/abs/1803.01271)
    """

    def __init__(
        self,
        num_classes=2,
        filters=24,
        kernel_size=5,
        num_blocks=6,
        dropout=0.2,
        gain=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
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
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        self.num_classes = num_classes
        self.filters = filters
        self.kernel_size = kernel_size
        self.num_blocks = num_blocks
        self.dropout = float(dropout)
        self.gain = float(gain)
        self.label = label
        self.blocks = [
            ResidualBlock(
                filters,
                kernel_size,
                dilation_rate=2**i,
                dropout=dropout,
                dtype=self.dtype_policy,
                name=f"block_{i}",
            )
            for i in range(num_blocks)
        ]
        self.last_step = LastStep(dtype=self.dtype_policy, name="last_step")
        self.head = keras.layers.Dense(
            num_classes, dtype=self.dtype_policy, name="head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, mask=None, training=None):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        x = inputs
        for block in self.blocks:
            x = block(x, mask=mask, training=training)
        x = self.last_step(x, mask=mask)
        return self.head(x)

    def compute_mask(self, inputs, mask=None):
        del inputs, mask  # The outputs have no steps to mask.

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_classes)

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
            "num_classes": self.num_classes,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "num_blocks": self.num_blocks,
            "dropout": self.dropout,
            "gain": self.gain,
            "label": self.label,
        }
