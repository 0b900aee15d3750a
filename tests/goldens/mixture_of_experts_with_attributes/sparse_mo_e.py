"""`SparseMoE`: a sparse mixture of experts."""

import numbers

import keras
from keras import ops


def is_int(value):
    """Return whether `value` is a Python or NumPy int, but not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


@keras.saving.register_keras_serializable(package="golden")
class SparseMoE(keras.layers.Layer):
    """Sparse mixture of experts: feed-forward networks selected by a router.

    Each token `x`, a vector along the last axis, is sent to the `top_k` experts to
    which the router gives the highest probabilities, and their outputs are summed with
    these as weights::

        p = softmax(x @ router)
        expert(e) = activation(x @ W1[e] + b1[e]) @ W2[e] + b2[e]
        outputs = sum(p[e] * expert(e) for e in top_k(p))

    In training, the layer adds the load-balancing loss of the Switch Transformer, which
    is `c` if all experts get equally many tokens, and up to `c * num_experts / top_k`
    if a few get all::

        c * num_experts * sum(f[e] * P[e] for each expert e)

    Here `f[e]` is the fraction of the choices that selected expert `e`, and `P[e]` the
    mean of `p[e]`, both over all unmasked tokens.

    All experts process all tokens, and the outputs of those not selected are multiplied
    by 0. All shapes are thus static and no token is dropped, but the cost is that of
    `num_experts` experts, not of `top_k`.

    Args:
        num_experts: Positive int, number of experts. Defaults to `8`.
        intermediate_dim: Positive int, hidden units of each expert. Defaults to `32`.
        top_k: Positive int, number of experts per token, at most `num_experts`.
            Defaults to `2`.
        router_aux_loss_coef: Non-negative float, factor `c` of the load-balancing loss.
            Defaults to `0.01`.
        activation: Activation function of the hidden units or its name, `None` for the
            identity. Defaults to `"gelu"`.
        kernel_initializer: Initializer of the kernels of the router and the experts.
            Defaults to `"he_normal"`.
        bias_initializer: Initializer of the experts' biases. The router has none.
            Defaults to `"zeros"`.
        scale: Float greater than 0. Defaults to `1.0`.
        label: Str. Defaults to `"mine"`.
        **kwargs: Base layer keyword arguments: `name`, `dtype` and `trainable`.

    Input shape:
        `(batch, ..., dim)`, with rank at least 2 and `dim` known. `mask` has this shape
        without the last axis.

    Output shape:
        Same shape as the input.

    Raises:
        TypeError: If `label` has the wrong type.
        ValueError: If an argument is invalid, or the input has rank 1.

    Example:

    >>> layer = SparseMoE(4, 32, top_k=2)
    >>> tuple(layer(keras.ops.ones((2, 5, 8)), training=True).shape)
    (2, 5, 8)
    >>> len(layer.losses)
    1

    Reference:
        [Fedus et al., 2021](https://arxiv.org/abs/2101.03961)
    """

    def __init__(
        self,
        num_experts=8,
        intermediate_dim=32,
        top_k=2,
        router_aux_loss_coef=0.01,
        activation="gelu",
        kernel_initializer="he_normal",
        bias_initializer="zeros",
        scale=1.0,
        label="mine",
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not is_int(num_experts) or num_experts <= 0:
            raise ValueError(
                "`num_experts` must be a positive int. "
                f"Received: num_experts={num_experts!r}"
            )
        if not is_int(intermediate_dim) or intermediate_dim <= 0:
            raise ValueError(
                "`intermediate_dim` must be a positive int. "
                f"Received: intermediate_dim={intermediate_dim!r}"
            )
        if not is_int(top_k) or top_k <= 0:
            raise ValueError(
                f"`top_k` must be a positive int. Received: top_k={top_k!r}"
            )
        if (
            not isinstance(router_aux_loss_coef, numbers.Real)
            or not router_aux_loss_coef >= 0
        ):
            raise ValueError(
                "`router_aux_loss_coef` must be a non-negative float. "
                f"Received: router_aux_loss_coef={router_aux_loss_coef!r}"
            )
        if not isinstance(scale, numbers.Real) or not scale > 0:
            raise ValueError(
                f"`scale` must be a float greater than 0. Received: scale={scale!r}"
            )
        if not isinstance(label, str):
            raise TypeError(f"`label` must be a str. Received: label={label!r}")
        if top_k > num_experts:
            raise ValueError(
                "`top_k` must be at most `num_experts`. "
                f"Received: top_k={top_k!r}, num_experts={num_experts!r}"
            )
        self.num_experts = int(num_experts)
        self.intermediate_dim = int(intermediate_dim)
        self.top_k = int(top_k)
        self.router_aux_loss_coef = float(router_aux_loss_coef)
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.scale = float(scale)
        self.label = label
        self.router = keras.layers.Dense(
            self.num_experts,
            use_bias=False,
            kernel_initializer=self.kernel_initializer.clone(),
            dtype=self.dtype_policy,
            name="router",
        )
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape):
        dim = input_shape[-1]
        self.router.build(input_shape)
        self.intermediate_kernel = self._add_kernels(
            "intermediate_kernel", dim, self.intermediate_dim
        )
        self.intermediate_bias = self._add_biases(
            "intermediate_bias", self.intermediate_dim
        )
        self.output_kernel = self._add_kernels(
            "output_kernel", self.intermediate_dim, dim
        )
        self.output_bias = self._add_biases("output_bias", dim)

    def call(self, inputs, mask=None, training=None):
        # TODO: use `self.scale` and `self.label`: they have no effect yet.
        # In the variables' dtype, since a narrow one would tie experts.
        logits = ops.cast(self.router(inputs), self.variable_dtype)
        probabilities = ops.softmax(logits)
        chosen = ops.one_hot(
            ops.top_k(probabilities, self.top_k)[1],
            self.num_experts,
            dtype=self.variable_dtype,
        )
        chosen = ops.sum(chosen, axis=-2)
        if training:
            self.add_loss(self._load_balancing_loss(probabilities, chosen, mask))
        gates = ops.cast(probabilities * chosen, self.compute_dtype)
        hidden = ops.tensordot(inputs, self.intermediate_kernel, axes=[[-1], [1]])
        hidden = self.activation(hidden + self.intermediate_bias)
        hidden = hidden * ops.expand_dims(gates, -1)
        outputs = ops.tensordot(hidden, self.output_kernel, axes=[[-2, -1], [0, 1]])
        return outputs + ops.matmul(gates, self.output_bias)

    def _load_balancing_loss(self, probabilities, chosen, mask):
        if mask is None:
            counted = ops.ones_like(probabilities[..., :1])
        else:
            counted = ops.cast(ops.expand_dims(mask, -1), probabilities.dtype)
        tokens = ops.maximum(ops.sum(counted), 1)
        axes = tuple(range(len(probabilities.shape) - 1))
        fractions = ops.sum(counted * chosen, axis=axes) / (tokens * self.top_k)
        means = ops.sum(counted * probabilities, axis=axes) / tokens
        loss = self.num_experts * ops.sum(fractions * means)
        return self.router_aux_loss_coef * loss

    def _add_kernels(self, name, rows, columns):
        """Add a kernel for each expert, stacked in one weight."""
        initializer = self.kernel_initializer.clone()

        def draw(shape, dtype=None):
            # Side by side, so that the initializer sees the fan-in of one expert.
            experts, rows, columns = shape
            kernels = initializer((rows, experts * columns), dtype=dtype)
            kernels = ops.reshape(kernels, (rows, experts, columns))
            return ops.swapaxes(kernels, 0, 1)

        shape = (self.num_experts, rows, columns)
        return self.add_weight(name=name, shape=shape, initializer=draw)

    def _add_biases(self, name, size):
        return self.add_weight(
            name=name,
            shape=(self.num_experts, size),
            initializer=self.bias_initializer.clone(),
        )

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "num_experts": self.num_experts,
            "intermediate_dim": self.intermediate_dim,
            "top_k": self.top_k,
            "router_aux_loss_coef": self.router_aux_loss_coef,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "scale": self.scale,
            "label": self.label,
        }
