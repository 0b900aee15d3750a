"""`MyMixer`: an MLP-Mixer."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="MyMixer.PatchEmbedding"
)
class PatchEmbedding(keras.layers.Layer):
    """Embedding of square image patches, row by row."""

    def __init__(self, patch_size, hidden_dim, **kwargs):
        super().__init__(**kwargs)
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.projection = keras.layers.Conv2D(
            hidden_dim,
            patch_size,
            strides=patch_size,
            data_format="channels_last",
            dtype=self.dtype_policy,
            name="projection",
        )

    def build(self, input_shape):
        if any(size is None or size % self.patch_size for size in input_shape[1:3]):
            raise ValueError(
                "Height and width must be known and multiples of `patch_size`. "
                f"Received: input_shape={input_shape}, patch_size={self.patch_size}"
            )
        self.input_spec = keras.layers.InputSpec(shape=(None, *input_shape[1:]))
        self.projection.build(input_shape)

    def call(self, inputs):
        patches = self.projection(inputs)
        return ops.reshape(patches, (ops.shape(patches)[0], -1, self.hidden_dim))

    def compute_output_shape(self, input_shape):
        batch, rows, columns, _ = self.projection.compute_output_shape(input_shape)
        steps = None if rows is None or columns is None else rows * columns
        return (batch, steps, self.hidden_dim)

    def get_config(self):
        return {
            **super().get_config(),
            "patch_size": self.patch_size,
            "hidden_dim": self.hidden_dim,
        }


@keras.saving.register_keras_serializable(package="golden", name="MyMixer.MixerBlock")
class MixerBlock(keras.layers.Layer):
    """An MLP over the steps, then an MLP over the features, each added to its input."""

    def __init__(self, tokens_mlp_dim, channels_mlp_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.tokens_mlp_dim = tokens_mlp_dim
        self.channels_mlp_dim = channels_mlp_dim
        self.dropout = dropout

    def build(self, input_shape):
        # Created here, in the order of use: the sizes depend on the input shape.
        batch, steps, dim = input_shape
        self.tokens_norm = self._norm("tokens_norm")
        self.tokens_norm.build(input_shape)
        self.tokens_mlp = self._mlp("tokens_mlp", self.tokens_mlp_dim, steps)
        self.tokens_mlp.build((batch, dim, steps))
        self.channels_norm = self._norm("channels_norm")
        self.channels_norm.build(input_shape)
        self.channels_mlp = self._mlp("channels_mlp", self.channels_mlp_dim, dim)
        self.channels_mlp.build(input_shape)

    def call(self, inputs, training=None):
        x = ops.transpose(self.tokens_norm(inputs), (0, 2, 1))
        x = self.tokens_mlp(x, training=training)
        x = inputs + ops.transpose(x, (0, 2, 1))
        return x + self.channels_mlp(self.channels_norm(x), training=training)

    def _norm(self, name):
        return keras.layers.LayerNormalization(
            epsilon=1e-6, dtype=self.dtype_policy, name=name
        )

    def _mlp(self, name, hidden_dim, output_dim):
        dtype = self.dtype_policy
        return keras.Sequential(
            [
                keras.layers.Dense(
                    hidden_dim, activation="gelu", dtype=dtype, name="hidden"
                ),
                keras.layers.Dropout(self.dropout, dtype=dtype, name="hidden_dropout"),
                keras.layers.Dense(output_dim, dtype=dtype, name="output"),
                keras.layers.Dropout(self.dropout, dtype=dtype, name="output_dropout"),
            ],
            name=name,
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "tokens_mlp_dim": self.tokens_mlp_dim,
            "channels_mlp_dim": self.channels_mlp_dim,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable(package="golden")
class MyMixer(keras.Model):
    """MLP-Mixer: dense layers over the patches of an image and over their features.

    The image is split into square patches, and each patch is projected to a vector.
    Each block is::

        x = x + transpose(tokens_mlp(transpose(norm(x))))
        x = x + channels_mlp(norm(x))

    where `transpose` swaps patches and features, and each MLP is two dense layers, the
    first with `"gelu"`. The output of the last block is normalized and averaged over
    the patches.

    The default arguments are those of Mixer-S/16.

    Args:
        num_classes: Positive int, number of classes; the model outputs a logit for
            each.
        patch_size: Positive int, height and width of the patches. Defaults to `16`.
        num_layers: Positive int, number of mixer blocks. Defaults to `8`.
        hidden_dim: Positive int, size of the patch embeddings. Defaults to `512`.
        tokens_mlp_dim: Positive int, units of the hidden dense layer over the patches.
            Defaults to `256`.
        channels_mlp_dim: Positive int, units of the hidden dense layer over the
            features. Defaults to `2048`.
        dropout: Float in `[0, 1)`, dropout rate after each dense layer of the blocks.
            Defaults to `0.0`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, height, width, channels)`, with a known height and width, both
        multiples of `patch_size`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        ValueError: If an argument is invalid, or the height or width of the images is
            unknown or not a multiple of `patch_size`.

    Example:

    >>> model = MyMixer(
    ...     num_classes=3, patch_size=4, num_layers=2, hidden_dim=16, tokens_mlp_dim=8,
    ...     channels_mlp_dim=32
    ... )
    >>> tuple(model(keras.ops.ones((2, 8, 8, 1))).shape)
    (2, 3)

    Reference:
        [Tolstikhin et al., 2021](https://arxiv.org/abs/2105.01601)
    """

    def __init__(
        self,
        num_classes,
        patch_size=16,
        num_layers=8,
        hidden_dim=512,
        tokens_mlp_dim=256,
        channels_mlp_dim=2048,
        dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(num_classes) or num_classes <= 0:
            raise ValueError(
                "`num_classes` must be a positive int. "
                f"Received: num_classes={num_classes!r}"
            )
        if not is_int(patch_size) or patch_size <= 0:
            raise ValueError(
                "`patch_size` must be a positive int. "
                f"Received: patch_size={patch_size!r}"
            )
        if not is_int(num_layers) or num_layers <= 0:
            raise ValueError(
                "`num_layers` must be a positive int. "
                f"Received: num_layers={num_layers!r}"
            )
        if not is_int(hidden_dim) or hidden_dim <= 0:
            raise ValueError(
                "`hidden_dim` must be a positive int. "
                f"Received: hidden_dim={hidden_dim!r}"
            )
        if not is_int(tokens_mlp_dim) or tokens_mlp_dim <= 0:
            raise ValueError(
                "`tokens_mlp_dim` must be a positive int. "
                f"Received: tokens_mlp_dim={tokens_mlp_dim!r}"
            )
        if not is_int(channels_mlp_dim) or channels_mlp_dim <= 0:
            raise ValueError(
                "`channels_mlp_dim` must be a positive int. "
                f"Received: channels_mlp_dim={channels_mlp_dim!r}"
            )
        if not isinstance(dropout, numbers.Real) or not 0 <= dropout < 1:
            raise ValueError(
                "`dropout` must be a float in the range [0, 1). "
                f"Received: dropout={dropout!r}"
            )
        self.num_classes = num_classes
        self.patch_size = patch_size
        self.num_layers = num_layers
        self.hidden_dim = hidden_dim
        self.tokens_mlp_dim = tokens_mlp_dim
        self.channels_mlp_dim = channels_mlp_dim
        self.dropout = float(dropout)
        self.patch_embedding = PatchEmbedding(
            patch_size, hidden_dim, dtype=self.dtype_policy, name="patch_embedding"
        )
        self.blocks = [
            MixerBlock(
                tokens_mlp_dim,
                channels_mlp_dim,
                dropout,
                dtype=self.dtype_policy,
                name=f"block_{i}",
            )
            for i in range(num_layers)
        ]
        self.norm = keras.layers.LayerNormalization(
            epsilon=1e-6, dtype=self.dtype_policy, name="norm"
        )
        self.pool = keras.layers.GlobalAveragePooling1D(
            data_format="channels_last", dtype=self.dtype_policy, name="pool"
        )
        self.head = keras.layers.Dense(
            num_classes, dtype=self.dtype_policy, name="head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        x = self.patch_embedding(inputs)
        for block in self.blocks:
            x = block(x, training=training)
        x = self.pool(self.norm(x))
        return self.head(x)

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
            "patch_size": self.patch_size,
            "num_layers": self.num_layers,
            "hidden_dim": self.hidden_dim,
            "tokens_mlp_dim": self.tokens_mlp_dim,
            "channels_mlp_dim": self.channels_mlp_dim,
            "dropout": self.dropout,
        }
