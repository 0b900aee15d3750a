"""What proves the template `einsum_dense`."""

from __future__ import annotations

from random import Random

import numpy as np

from proofs import Call, DropIn, Proof

# Equations, the shape of inputs, an output shape, and the axes a bias can have. A size of `None`
# that the inputs know is not among them: ours fills it in, Keras leaves it unknown. Nor are dots on
# the left for three axes or more: Keras 3.15's static shape has them in reverse, all but the first.
EQUATIONS = [
    ("ab,bc->ac", (2, 5), 4, ["c"]),
    ("abc,cd->abd", (2, 3, 5), (3, 4), ["d", "b", "bd"]),
    ("abc,cd->abd", (2, 3, 5), (6, 4), ["d"]),
    ("abc,cde->abde", (2, 3, 5), [3, 4, 2], ["d", "e", "de", "be"]),
    ("abcd,cde->abe", (2, 3, 5, 4), (3, 4), ["e", "be"]),
    ("abc,dbc->ad", (2, 3, 5), 4, ["d"]),
    ("...x,xy->...y", (2, 5), 4, ["y"]),
    ("...x,xy->...y", (2, 3, 5), [4], ["y"]),
    ("...bc,bd->...dc", (2, 3, 5), (4, 5), ["d", "c", "dc"]),
    ("ab...,bc->ac...", (2, 5, 3, 2), 4, ["c"]),
    ("ab...,bc->ac...", (2, 5), 4, ["c", "x"]),
    ("abc->ab", (2, 3, 5), 3, ["b"]),
    ("abc,cde->abd", (2, 3, 5), (3, 4), ["d"]),
    ("abc,cd->abde", (2, 3, 5), (3, 4, 2), ["d"]),
]


def draw(pick: Random) -> Call:
    equation, shape, output_shape, axes = pick.choice(EQUATIONS)
    arguments = {
        "equation": equation,
        "output_shape": output_shape,
        "bias_axes": pick.choice([None, *axes]),
        "activation": pick.choice([None, "relu", "tanh"]),
        "bias_initializer": "random_normal",
        "dtype": pick.choice(["float32", "mixed_bfloat16", "mixed_float16", "bfloat16"]),
    }
    return Call(arguments, np.random.default_rng(0).normal(size=shape).astype("float32"))


PROOF = Proof(
    goldens={
        "einsum_dense": ["MyEinsumDense"],
        "einsum_dense_with_attributes": [
            "HeadsEinsumDense",
            *("equation=...x,xyz->...yz", "output_shape=4,8", "bias_axes=yz", "activation=relu"),
            *("gain:float=1.0{>0}", "mode:enum(sum,mean)=sum"),
        ],
    },
    drop_ins=[
        DropIn(
            golden="einsum_dense",
            name="MyEinsumDense",
            builtin="EinsumDense",
            draw=draw,
            plain={"equation": "ab,bc->ac", "output_shape": 4},
            refused={
                "output_shape": [2.5, None],
                "activation": ["nonsense"],
                "kernel_initializer": ["nonsense"],
                "bias_constraint": ["nonsense"],
                "unknown": [1],
            },
            speed=lambda: Call(
                {"equation": "abc,cde->abde", "output_shape": (64, 8, 32), "bias_axes": "de"},
                np.ones((16, 64, 256), "float32"),
            ),
            left_out=(
                *("lora_rank", "lora_alpha", "gptq_unpacked_column_size", "quantization_config"),
                "activity_regularizer",  # None of it is in no config of ours.
            ),
        ),
    ],
    judged={
        "[i for i, axis in enumerate(kernel) if axis not in outputs], -> [i for i, axis in enumerate(kernel) if axis in outputs],": (
            "a test is missing, of the axes that the initializer takes for inputs"
        ),
        "if not bias_axes or not {*bias_axes} <= {*outputs}: -> if not bias_axes or not {*bias_axes} < {*outputs}:": (
            "a test is missing, of a bias along all axes"
        ),
        "if not {*kernel} <= {*sizes} or not {*outputs} <= {*inputs, *kernel}: -> if not {*kernel} < {*sizes} or not {*outputs} <= {*inputs, *kernel}:": (
            "the inputs have an axis that the kernel has not, the batch"
        ),
        "if not {*kernel} <= {*sizes} or not {*outputs} <= {*inputs, *kernel}: -> if not {*kernel} <= {*sizes} or not {*outputs} < {*inputs, *kernel}:": (
            "a test is missing, of an equation that sums over nothing"
        ),
        'letters = "([a-zA-Z]+)" -> letters = "([a-za-z]+)"': (
            "a test is missing, of an equation in capitals"
        ),
    },
)
