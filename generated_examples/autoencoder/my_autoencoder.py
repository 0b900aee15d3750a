"""`MyAutoencoder`: an autoencoder."""

import keras


def is_int(value):
    """Return whether `value` is an int, and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="examples")
class MyAutoencoder(keras.Model):
    """Autoencoder: an encoder to a short code, and a decoder back.

    The encoder is dense layers and a last one, without activation, to the code; the
    decoder is the same in reverse. `encode` gives the code of inputs, `decode` what a
    code stands for.

    Args:
        num_features: Positive int, size of the last axis of the inputs.
        latent_dim: Positive int, size of the code. Defaults to `16`.
        hidden_units: Tuple of positive ints, units of each hidden layer of the encoder;
            the decoder has them in reverse. Defaults to `(128, 64)`.
        activation: Activation function of the hidden layers or its name, `None` for the
            identity. Defaults to `"relu"`.
        output_activation: Activation function of the outputs or its name, `None` for
            the identity. Defaults to `None`.
        **kwargs: `name`, `dtype` and `trainable` of `keras.Model`.

    Input shape:
        `(batch, num_features)`.

    Output shape:
        That of the input.

    Raises:
        ValueError: If an argument is none of the values above.

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
        # A symbolic pass builds every sub-layer: what is not built here comes back from
        # a saved model with random weights.
        self.call(keras.Input(batch_shape=input_shape))

    def call(self, inputs):
        return self.decode(self.encode(inputs))

    def encode(self, inputs):
        """Return the codes of inputs, of shape `(batch, latent_dim)`."""
        return self.encoder(inputs)

    def decode(self, codes):
        """Return what codes stand for, of the shape of inputs."""
        return self.decoder(codes)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.num_features)

    def compile_for_training(self, learning_rate=1e-3, **kwargs):
        """Compile with an optimizer, a loss and metrics that suit the model.

        Args:
            learning_rate: Float or schedule, that of this optimizer.
            **kwargs: Arguments of `compile`, some of which may replace these.
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
