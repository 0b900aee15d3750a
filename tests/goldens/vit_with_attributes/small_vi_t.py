"""`SmallViT`: a Vision Transformer."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(
    package="golden", name="SmallViT.PatchEmbedding"
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


@keras.saving.register_keras_serializable(package="golden", name="SmallViT.ClassToken")
class ClassToken(keras.layers.Layer):
    """Prepends a learned vector to the steps of the inputs."""

    def build(self, input_shape):
        self.token = self.add_weight(
            name="token", shape=(1, 1, input_shape[-1]), initializer="zeros"
        )

    def call(self, inputs):
        token = ops.repeat(self.token, ops.shape(inputs)[0], axis=0)
        return ops.concatenate([token, inputs], axis=1)

    def compute_output_shape(self, input_shape):
        batch, steps, dim = input_shape
        return (batch, None if steps is None else steps + 1, dim)


@keras.saving.register_keras_serializable(
    package="golden", name="SmallViT.PositionEmbedding"
)
class PositionEmbedding(keras.layers.Layer):
    """Adds a learned vector to each step of the inputs."""

    def build(self, input_shape):
        self.positions = self.add_weight(
            name="positions",
            shape=input_shape[1:],
            initializer=keras.initializers.RandomNormal(stddev=0.02),
        )

    def call(self, inputs):
        return inputs + self.positions

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(
    package="golden", name="SmallViT.EncoderBlock"
)
class EncoderBlock(keras.layers.Layer):
    """Self-attention, then an MLP, each on the normalized input and added to it."""

    def __init__(self, hidden_dim, num_heads, mlp_dim, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.mlp_dim = mlp_dim
        self.dropout = dropout
        dtype = self.dtype_policy
        self.attention_norm = keras.layers.LayerNormalization(
            epsilon=1e-6, dtype=dtype, name="attention_norm"
        )
        self.attention = keras.layers.MultiHeadAttention(
            num_heads, hidden_dim // num_heads, dtype=dtype, name="attention"
        )
        self.attention_dropout = keras.layers.Dropout(
            dropout, dtype=dtype, name="attention_dropout"
        )
        self.mlp_norm = keras.layers.LayerNormalization(
            epsilon=1e-6, dtype=dtype, name="mlp_norm"
        )
        self.mlp_hidden = keras.layers.Dense(
            mlp_dim, activation="gelu", dtype=dtype, name="mlp_hidden"
        )
        self.mlp_hidden_dropout = keras.layers.Dropout(
            dropout, dtype=dtype, name="mlp_hidden_dropout"
        )
        self.mlp_output = keras.layers.Dense(hidden_dim, dtype=dtype, name="mlp_output")
        self.mlp_output_dropout = keras.layers.Dropout(
            dropout, dtype=dtype, name="mlp_output_dropout"
        )

    def build(self, input_shape):
        self.attention_norm.build(input_shape)
        self.attention.build(input_shape, input_shape)
        self.mlp_norm.build(input_shape)
        self.mlp_hidden.build(input_shape)
        self.mlp_output.build((*input_shape[:-1], self.mlp_dim))

    def call(self, inputs, training=None):
        x = self.attention_norm(inputs)
        x = self.attention(x, x, training=training)
        x = inputs + self.attention_dropout(x, training=training)
        y = self.mlp_hidden(self.mlp_norm(x))
        y = self.mlp_output(self.mlp_hidden_dropout(y, training=training))
        return x + self.mlp_output_dropout(y, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_dim": self.hidden_dim,
            "num_heads": self.num_heads,
            "mlp_dim": self.mlp_dim,
            "dropout": self.dropout,
        }


@keras.saving.register_keras_serializable(package="golden")
class SmallViT(keras.Model):
    """Vision Transformer: a Transformer encoder over the patches of an image.

    The image is split into square patches, and each patch is projected to a vector. A
    learned class token is prepended. Learned position embeddings are added. Each
    encoder block is::

        x = x + attention(norm(x))
        x = x + mlp(norm(x))

    where `mlp` is two dense layers, the first with `"gelu"`. The output of the last
    block is normalized, and the class token represents the image.

    The default arguments are those of ViT-Ti/16 in [Touvron et al.,
    2021](https://arxiv.org/abs/2012.12877).

    Args:
        num_classes: Positive int, number of classes; the model outputs a logit for
            each. Defaults to `2`.
        patch_size: Positive int, height and width of the patches. Defaults to `4`.
        num_layers: Positive int, number of encoder blocks. Defaults to `3`.
        hidden_dim: Positive int, size of the patch embeddings. Defaults to `24`.
        num_heads: Positive int that divides `hidden_dim`, number of attention heads.
            Defaults to `4`.
        mlp_dim: Positive int, units of the hidden dense layer of each block. Defaults
            to `768`.
        dropout: Float in `[0, 1)`, dropout rate after the position embeddings, the
            attention and each dense layer of the blocks. Defaults to `0.1`.
        gain: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, height, width, channels)`, with a known height and width, both
        multiples of `patch_size`.

    Output shape:
        `(batch, num_classes)`, a logit for each class.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, or the height or width of the images is
            unknown or not a multiple of `patch_size`.

    Example:

    >>> model = SmallViT(
    ...     num_classes=3, patch_size=4, num_layers=2, hidden_dim=16, num_heads=2,
    ...     mlp_dim=32
    ... )
    >>> tuple(model(keras.ops.ones((2, 8, 8, 1))).shape)
    (2, 3)

    Reference:
        [Dosovitskiy et al., 2020](https://arxiv.org/abs/2010.11929)
    """

    def __init__(
        self,
        num_classes=2,
        patch_size=4,
        num_layers=3,
        hidden_dim=24,
        num_heads=4,
        mlp_dim=768,
        dropout=0.1,
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
        if not is_int(mlp_dim) or mlp_dim <= 0:
            raise ValueError(
                f"`mlp_dim` must be a positive int. Received: mlp_dim={mlp_dim!r}"
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
        if not is_int(hidden_dim) or hidden_dim <= 0:
            raise ValueError(
                "`hidden_dim` must be a positive int. "
                f"Received: hidden_dim={hidden_dim!r}"
            )
        if not is_int(num_heads) or num_heads <= 0 or hidden_dim % num_heads != 0:
            raise ValueError(
                "`num_heads` must be a positive int that divides `hidden_dim`. "
                f"Received: num_heads={num_heads!r}, hidden_dim={hidden_dim}"
            )
        self.num_classes = num_classes
        self.patch_size = patch_size
        self.num_layers = num_layers
        self.hidden_dim = hidden_dim
        self.num_heads = num_heads
        self.mlp_dim = mlp_dim
        self.dropout = float(dropout)
        self.gain = float(gain)
        self.label = label
        self.patch_embedding = PatchEmbedding(
            patch_size, hidden_dim, dtype=self.dtype_policy, name="patch_embedding"
        )
        self.class_token = ClassToken(dtype=self.dtype_policy, name="class_token")
        self.position_embedding = PositionEmbedding(
            dtype=self.dtype_policy, name="position_embedding"
        )
        self.embedding_dropout = keras.layers.Dropout(
            dropout, dtype=self.dtype_policy, name="embedding_dropout"
        )
        self.blocks = [
            EncoderBlock(
                hidden_dim,
                num_heads,
                mlp_dim,
                dropout,
                dtype=self.dtype_policy,
                name=f"block_{i}",
            )
            for i in range(num_layers)
        ]
        self.norm = keras.layers.LayerNormalization(
            epsilon=1e-6, dtype=self.dtype_policy, name="norm"
        )
        self.head = keras.layers.Dense(
            num_classes, dtype=self.dtype_policy, name="head"
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs, training=None):
        # TODO: use `self.gain` and `self.label`: they have no effect yet.
        x = self.patch_embedding(inputs)
        x = self.class_token(x)
        x = self.embedding_dropout(self.position_embedding(x), training=training)
        for block in self.blocks:
            x = block(x, training=training)
        x = self.norm(x)
        return self.head(x[:, 0])

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
            "num_heads": self.num_heads,
            "mlp_dim": self.mlp_dim,
            "dropout": self.dropout,
            "gain": self.gain,
            "label": self.label,
        }
