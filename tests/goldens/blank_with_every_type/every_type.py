"""`EveryType`: TODO, a short description."""

import numbers

import keras


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def int_tuple(value, length, name):
    """Return the argument `name` as a tuple of `length` ints.

    A single int is repeated. Raises `ValueError` for anything else.
    """
    values = (value,) * length if is_int(value) else value
    if (
        not isinstance(values, (list, tuple))
        or len(values) != length
        or not all(is_int(item) for item in values)
    ):
        raise ValueError(
            f"`{name}` must be an int, or a tuple of ints of length "
            f"{length}. Received: {name}={value!r}"
        )
    return tuple(map(int, values))


@keras.saving.register_keras_serializable(package="golden")
class EveryType(keras.layers.Layer):
    """TODO: what `EveryType` computes, as a formula. So far: `inputs`.

    Args:
        width: Positive int.
        inner: Layer applied to the inputs first.
        depth: Int in the range [1, 10), or `None`. Defaults to `None`.
        gain: Float greater than 0. Defaults to `1.0`.
        rate: Float in the range [0, 1). Defaults to `0.5`.
        flag: Bool. Defaults to `False`.
        label: Str. Defaults to `'it\\'s "{x}"'`.
        mode: 'sum' or 'mean'. Defaults to `"sum"`.
        window: Int, or a tuple of 2 ints. Defaults to `(3, 3)`.
        offsets: Int in the range [-1, 40), or a tuple of 3 ints in the range [-1, 40).
            Defaults to `(1, 2, 3)`.
        sizes: Tuple of positive ints. Defaults to `(1, 2)`.
        act: Activation function or its name. Defaults to `"relu"`.
        scale_initializer: Initializer or its name. Defaults to `"ones"`.
        penalty: Regularizer or its name. Defaults to `"l2"`.
        limit: Constraint or its name, or `None`. Defaults to `None`.
        noise_seed: Int, seed of `self.noise_seed_generator`, or `None` for a random
            seed. Defaults to `None`.
        make: Layer applied to the inputs first, or `None`. Defaults to `None`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ...)`.

    Output shape:
        The output shape of its last layer.

    Raises:
        TypeError: If `inner` or `flag` or `label` or `make` has the wrong type.
        ValueError: If an argument is invalid.

    Example:

    >>> layer = EveryType(width=2, inner=keras.layers.Identity())
    >>> tuple(layer(keras.ops.ones((2, 3))).shape)
    (2, 3)
    """

    def __init__(
        self,
        width,
        inner,
        depth=None,
        gain=1.0,
        rate=0.5,
        flag=False,
        label='it\'s "{x}"',
        mode="sum",
        window=(3, 3),
        offsets=(1, 2, 3),
        sizes=(1, 2),
        act="relu",
        scale_initializer="ones",
        penalty="l2",
        limit=None,
        noise_seed=None,
        make=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(width) or width <= 0:
            raise ValueError(
                f"`width` must be a positive int. Received: width={width!r}"
            )
        if not isinstance(inner, keras.layers.Layer):
            raise TypeError(f"`inner` must be a layer. Received: inner={inner!r}")
        if depth is not None and (not is_int(depth) or not 1 <= depth < 10):
            raise ValueError(
                "`depth` must be an int in the range [1, 10), or None. "
                f"Received: depth={depth!r}"
            )
        if not isinstance(gain, numbers.Real) or not gain > 0:
            raise ValueError(
                f"`gain` must be a float greater than 0. Received: gain={gain!r}"
            )
        if not isinstance(rate, numbers.Real) or not 0 <= rate < 1:
            raise ValueError(
                f"`rate` must be a float in the range [0, 1). Received: rate={rate!r}"
            )
        if not isinstance(flag, bool):
            raise TypeError(f"`flag` must be a bool. Received: flag={flag!r}")
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        if mode not in ("sum", "mean"):
            raise ValueError(f"`mode` must be 'sum' or 'mean'. Received: mode={mode!r}")
        window = int_tuple(window, 2, "window")
        offsets = int_tuple(offsets, 3, "offsets")
        if not all(-1 <= item < 40 for item in offsets):
            raise ValueError(
                "`offsets` must be an int in the range [-1, 40), or a tuple of 3 ints "
                "in the range [-1, 40). "
                f"Received: offsets={offsets!r}"
            )
        if not isinstance(sizes, (list, tuple)) or not all(
            is_int(item) and item > 0 for item in sizes
        ):
            raise ValueError(
                f"`sizes` must be a tuple of positive ints. Received: sizes={sizes!r}"
            )
        if make is not None and not isinstance(make, keras.layers.Layer):
            raise TypeError(f"`make` must be a layer, or None. Received: make={make!r}")
        self.width = int(width)
        self.inner = inner
        self.depth = None if depth is None else int(depth)
        self.gain = float(gain)
        self.rate = float(rate)
        self.flag = flag
        self.label = label
        self.mode = mode
        self.window = window
        self.offsets = offsets
        self.sizes = tuple(map(int, sizes))
        self.act = keras.activations.get(act)
        self.scale_initializer = keras.initializers.get(scale_initializer)
        self.penalty = keras.regularizers.get(penalty)
        self.limit = keras.constraints.get(limit)
        self.noise_seed = noise_seed
        self.noise_seed_generator = keras.random.SeedGenerator(noise_seed)
        self.make = make

    def build(self, input_shape):
        if not self.inner.built:
            self.inner.build(input_shape)
        input_shape = self.inner.compute_output_shape(input_shape)
        if self.make is not None:
            if not self.make.built:
                self.make.build(input_shape)
            input_shape = self.make.compute_output_shape(input_shape)
        # TODO: create the weights here, with
        # `self.add_weight(name="kernel", shape=...)`.
        super().build(input_shape)

    def call(self, inputs, training=None):
        inputs = self.inner(inputs, training=training)
        if self.make is not None:
            inputs = self.make(inputs, training=training)
        # TODO: use `self.width`, `self.depth`, `self.gain`, `self.rate`, `self.flag`,
        # `self.label`, `self.mode`, `self.window`, `self.offsets`, `self.sizes`,
        # `self.act`, `self.scale_initializer`, `self.penalty`, `self.limit` and
        # `self.noise_seed_generator`: they have no effect yet.
        # TODO: compute the outputs from the inputs, with `keras.ops`.
        return inputs

    def compute_output_shape(self, input_shape):
        input_shape = self.inner.compute_output_shape(input_shape)
        if self.make is not None:
            input_shape = self.make.compute_output_shape(input_shape)
        # TODO: return the shape of the outputs; `None` means an unknown size.
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "width": self.width,
            "inner": keras.saving.serialize_keras_object(self.inner),
            "depth": self.depth,
            "gain": self.gain,
            "rate": self.rate,
            "flag": self.flag,
            "label": self.label,
            "mode": self.mode,
            "window": self.window,
            "offsets": self.offsets,
            "sizes": self.sizes,
            "act": keras.activations.serialize(self.act),
            "scale_initializer": keras.initializers.serialize(self.scale_initializer),
            "penalty": keras.regularizers.serialize(self.penalty),
            "limit": keras.constraints.serialize(self.limit),
            "noise_seed": self.noise_seed,
            "make": keras.saving.serialize_keras_object(self.make),
        }

    @classmethod
    def from_config(cls, config):
        inner = keras.saving.deserialize_keras_object(config["inner"])
        make = keras.saving.deserialize_keras_object(config["make"])
        return cls(**{**config, "inner": inner, "make": make})
