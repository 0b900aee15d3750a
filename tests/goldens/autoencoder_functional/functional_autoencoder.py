"""`FunctionalAutoencoder`: an autoencoder."""

import keras


def is_int(value):
    """Return whether `value` is an int, but not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class FunctionalAutoencoder(keras.Model):
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
        dtype: Dtype or dtype policy of all layers. Defaults to Keras's global policy.
        name: String, name of the model. Defaults to a name derived from the class.
        trainable: Bool, whether the weights are trainable. Defaults to `True`.

    Input shape:
        `(batch, num_features)`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> model = FunctionalAutoencoder(num_features=30, latent_dim=4)
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
        dtype=None,
        name=None,
        trainable=True,
    ):
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
        encoder = keras.Sequential(name="encoder")
        for i, units in enumerate(hidden_units):
            encoder.add(
                keras.layers.Dense(
                    units, activation=activation, dtype=dtype, name=f"hidden_{i}"
                )
            )
        encoder.add(keras.layers.Dense(latent_dim, dtype=dtype, name="latent"))
        decoder = keras.Sequential(name="decoder")
        for i, units in enumerate(reversed(hidden_units)):
            decoder.add(
                keras.layers.Dense(
                    units, activation=activation, dtype=dtype, name=f"hidden_{i}"
                )
            )
        decoder.add(
            keras.layers.Dense(
                num_features, activation=output_activation, dtype=dtype, name="outputs"
            )
        )
        inputs = keras.Input((num_features,))
        outputs = decoder(encoder(inputs))
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.num_features = num_features
        self.latent_dim = latent_dim
        self.hidden_units = tuple(hidden_units)
        self.activation = keras.activations.get(activation)
        self.output_activation = keras.activations.get(output_activation)

    def encode(self, inputs):
        """Return the codes of the inputs, of shape `(batch, latent_dim)`."""
        return self.get_layer("encoder")(inputs)

    def decode(self, codes):
        """Return the reconstructions from codes, in the shape of the inputs."""
        return self.get_layer("decoder")(codes)

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
