"""`MyAutoencoder`: an autoencoder."""

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class MyAutoencoder(keras.Model):
    """Autoencoder: encodes inputs to a short code and decodes it back.

    The encoder has hidden dense layers and a linear layer that outputs the code; the
    decoder has the same hidden layers in reverse. `encode` returns the codes of inputs,
    `decode` the reconstructions from codes.

    Args:
        num_features: Positive int, size of the last axis of the inputs.
        latent_dim: Positive int, size of the code. Defaults to `16`.
        hidden_units: Tuple of positive ints, units of each hidden layer of the encoder;
            reversed in the decoder. Defaults to `(128, 64)`.
        activation: Activation function of the hidden layers or its name, `None` for the
            identity. Defaults to `"relu"`.
        output_activation: Activation function of the outputs or its name, `None` for
            the identity. Defaults to `None`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, num_features)`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = MyAutoencoder(num_features=30, latent_dim=4)
    >>> x = keras.ops.ones((2, 30))
    >>> tuple(model.encode(x).shape), tuple(model(x).shape)
    ((2, 4), (2, 30))

    Reference:
        [Hinton and Salakhutdinov, 2006](https://doi.org/10.1126/science.1127647)
    """

    def __init__(
        self,
        num_features,
        latent_dim=16,
        hidden_units=(128, 64),
        activation="relu",
        output_activation=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(num_features) or num_features <= 0:
            raise ValueError(
                "`num_features` must be a positive int. "
                f"Received: num_features={num_features!r}"
            )
        if not is_int(latent_dim) or latent_dim <= 0:
            raise ValueError(
                "`latent_dim` must be a positive int. "
                f"Received: latent_dim={latent_dim!r}"
            )
        if not isinstance(hidden_units, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in hidden_units
        ):
            raise ValueError(
                "`hidden_units` must be a tuple of positive ints. "
                f"Received: hidden_units={hidden_units!r}"
            )
        self.num_features = num_features
        self.latent_dim = latent_dim
        self.hidden_units = tuple(hidden_units)
        self.activation = keras.activations.get(activation)
        self.output_activation = keras.activations.get(output_activation)
        self.input_spec = keras.layers.InputSpec(shape=(None, num_features))
        self.encoder = keras.Sequential(name="encoder")
        for i, units in enumerate(hidden_units):
            self.encoder.add(
                keras.layers.Dense(
                    units,
                    activation=activation,
                    dtype=self.dtype_policy,
                    name=f"hidden_{i}",
                )
            )
        self.encoder.add(
            keras.layers.Dense(latent_dim, dtype=self.dtype_policy, name="latent")
        )
        self.decoder = keras.Sequential(name="decoder")
        for i, units in enumerate(reversed(hidden_units)):
            self.decoder.add(
                keras.layers.Dense(
                    units,
                    activation=activation,
                    dtype=self.dtype_policy,
                    name=f"hidden_{i}",
                )
            )
        self.decoder.add(
            keras.layers.Dense(
                num_features,
                activation=output_activation,
                dtype=self.dtype_policy,
                name="outputs",
            )
        )

    def build(self, input_shape):
        # A symbolic call builds every sub-layer: one that is not built here would get
        # random weights when a saved model is loaded.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs):
        return self.decode(self.encode(inputs))

    def encode(self, inputs):
        """Return the codes of the inputs, of shape `(batch, latent_dim)`."""
        return self.encoder(inputs)

    def decode(self, codes):
        """Return the reconstructions from codes, in the shape of the inputs."""
        return self.decoder(codes)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_features)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile the model with a suitable optimizer, loss and metrics.

        Args:
            learning_rate: Float or schedule, learning rate of the default optimizer.
            **kwargs: Arguments of `compile`, which override the defaults.
        """
        self.compile(
            **{
                "optimizer": keras.optimizers.Adam(learning_rate),
                "loss": "mse",
                "metrics": ["mae"],
                **kwargs,
            }
        )

    def get_config(self):
        return {
            **super().get_config(),
            "num_features": self.num_features,
            "latent_dim": self.latent_dim,
            "hidden_units": self.hidden_units,
            "activation": keras.activations.serialize(self.activation),
            "output_activation": keras.activations.serialize(self.output_activation),
        }
