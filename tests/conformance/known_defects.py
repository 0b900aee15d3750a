"""What the checks find on layers of Keras and KerasHub that is a defect there.

By the heading of `docs/keras-defects.md` under which it stands: class, backend, check.
"""

from __future__ import annotations

ALL = "all"
Place = tuple[str, str, str]

DEFECTS: dict[str, list[Place]] = {
    "The bias of a convolution is added along the wrong axis": [
        ("keras.Conv2D", "tensorflow", "compiled-equals-eager"),
    ],
    "LayerNormalization takes no axes but the last ones": [
        ("keras.LayerNormalization", "torch", "runs"),
    ],
    "Arguments that the config leaves out": [
        ("keras.SimpleRNN", ALL, "config-complete"),
        ("keras.CategoryEncoding", "tensorflow", "config-complete"),
        ("keras.CategoryEncoding", "jax", "config-complete"),
        ("keras.MaxNumBoundingBoxes", ALL, "config-complete"),
        ("keras.RandomGrayscale", ALL, "config-complete"),
    ],
    "The activity regularizer of SimpleRNN does nothing": [
        ("keras.SimpleRNN", ALL, "regularizers-wired"),
    ],
    "RandomShear does not load": [
        ("keras.RandomShear", ALL, "config-round-trip"),
        ("keras.RandomShear", ALL, "clone-equal"),
    ],
    "Equalization can't be part of a Functional model": [
        *(
            ("keras.Equalization", ALL, check)
            for check in ("inside-functional", "loads-in-fresh-process", "clone-equal")
        ),
    ],
    "The labels of MaxNumBoundingBoxes change their dtype": [
        ("keras.MaxNumBoundingBoxes", ALL, "symbolic-equals-eager"),
    ],
    "Arguments of every layer that some refuse or drop": [
        *(
            (f"keras.{name}", ALL, "kwargs-forwarded")
            for name in (
                *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
                *("Discretization", "Pipeline"),
                *("HashedCrossing", "IntegerLookup", "StringLookup"),
            )
        ),
        ("keras.HashedCrossing", ALL, "unknown-argument-refused"),
    ],
    "Ranges come back as lists": [
        (f"keras.{name}", ALL, "config-round-trip")
        for name in (
            *("AugMix", "ContrastLimitedAdaptiveHistogramEqualization", "RandAugment"),
            *("RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing"),
            *("RandomGaussianBlur", "RandomHue", "RandomInvert"),
        )
    ],
    "Pipeline does not say its output's shape": [
        ("keras.Pipeline", ALL, "inside-time-distributed"),
    ],
    "The scores of MultiHeadAttention carry a mask that does not fit": [
        ("keras.MultiHeadAttention", ALL, "fit-lowers-loss"),
    ],
    "Layers that fail on images of unknown size": [
        (f"{name}", "tensorflow", "unknown-dimensions")
        for name in (
            *("keras.UpSampling2D", "keras.CutMix", "keras.RandomCrop", "keras.RandomErasing"),
            *("keras.RandomElasticTransform", "keras.RandomPerspective"),
            "keras.ContrastLimitedAdaptiveHistogramEqualization",
            "keras_hub.AlibiBias",
        )
    ],
    "GroupNormalization counts the padding in": [
        ("keras.GroupNormalization", ALL, "padding-ignored"),
    ],
    "Normalization leaks out of a model's first trace": [
        ("keras.Normalization", ALL, "nothing-leaks"),
    ],
    "AugMix draws from Python's generator": [
        ("keras.AugMix", ALL, "no-untracked-randomness"),
    ],
    "Layers that fail under another dtype policy": [
        ("keras.MelSpectrogram", "tensorflow", "dtype-policy"),
        ("keras.CutMix", "tensorflow", "dtype-policy"),
    ],
    "The labels of MixUp do not follow the dtype policy": [
        ("keras.MixUp", ALL, "dtype-policy"),
    ],
    "RandomBrightness writes into the caller's images": [
        ("keras.RandomBrightness", "torch", "inputs-not-changed"),
        ("keras.RandomColorJitter", "torch", "inputs-not-changed"),
    ],
    "RandomColorJitter computes in float32 whatever its dtype": [
        ("keras.RandomColorJitter", ALL, "dtype-policy"),
    ],
    "UnitNormalization of zeros is not a number in float16": [
        ("keras.UnitNormalization", ALL, "finite-in-low-precision"),
        ("keras.Dot", ALL, "finite-in-low-precision"),
    ],
    "ReversibleEmbedding does not cast what it turns back": [
        ("keras.ReversibleEmbedding", ALL, "dtype-policy"),
        ("keras_hub.ReversibleEmbedding", ALL, "dtype-policy"),
    ],
    "KerasHub: BoxMatcher changes the list that it is given": [
        ("keras_hub.BoxMatcher", ALL, "clone-equal"),
    ],
    "KerasHub: RMSNormalization takes nothing but its size": [
        ("keras_hub.RMSNormalization", ALL, "kwargs-forwarded"),
        ("keras_hub.RMSNormalization", ALL, "inside-time-distributed"),
    ],
    "KerasHub: NonMaxSuppression needs sizes that it counts in Python": [
        ("keras_hub.NonMaxSuppression", "tensorflow", "unknown-batch"),
        ("keras_hub.NonMaxSuppression", "jax", "unknown-dimensions"),
    ],
}

BACKENDS = ("tensorflow", "jax", "torch")
KNOWN: dict[Place, str] = {
    (name, backend, check): heading
    for heading, places in DEFECTS.items()
    for name, where, check in places
    for backend in (BACKENDS if where == ALL else (where,))
}


def known(name: str, backend: str) -> dict[str, str]:
    """The checks that are known to fail for a class, each with its heading.

    Args:
        name: The library and the class, such as `keras.SimpleRNN`.
        backend: The backend.
    """
    return {
        check: heading
        for (subject, where, check), heading in KNOWN.items()
        if (subject, where) == (name, backend)
    }
