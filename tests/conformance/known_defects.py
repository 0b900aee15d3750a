"""What the checks find in layers of Keras and KerasHub that is a defect there.

By heading of `docs/keras-defects.md`: class, backend, check.
"""

from __future__ import annotations

ALL = "all"
Place = tuple[str, str, str]

DEFECTS: dict[str, list[Place]] = {
    "The bias of a convolution is added along the wrong axis": [
        ("keras.Conv2D", "tensorflow", "compiled-equals-eager"),
    ],
    "LayerNormalization accepts only the last axes": [
        ("keras.LayerNormalization", "torch", "runs"),
    ],
    "Arguments missing from the config": [
        ("keras.SimpleRNN", ALL, "config-complete"),
        ("keras.CategoryEncoding", "tensorflow", "config-complete"),
        ("keras.CategoryEncoding", "jax", "config-complete"),
        ("keras.MaxNumBoundingBoxes", ALL, "config-complete"),
        ("keras.RandomGrayscale", ALL, "config-complete"),
    ],
    "SimpleRNN ignores its activity regularizer": [
        ("keras.SimpleRNN", ALL, "regularizers-wired"),
    ],
    "RandomShear can't be loaded": [
        ("keras.RandomShear", ALL, "config-round-trip"),
        ("keras.RandomShear", ALL, "clone-equal"),
    ],
    "Equalization can't be part of a Functional model": [
        *(
            ("keras.Equalization", ALL, check)
            for check in ("inside-functional", "loads-in-fresh-process", "clone-equal")
        ),
    ],
    "MaxNumBoundingBoxes changes the dtype of its labels": [
        ("keras.MaxNumBoundingBoxes", ALL, "symbolic-equals-eager"),
    ],
    "Layers that reject or drop common arguments": [
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
    "Pipeline doesn't declare its output shape": [
        ("keras.Pipeline", ALL, "inside-time-distributed"),
    ],
    "The scores of MultiHeadAttention have a mask that doesn't fit": [
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
    "GroupNormalization includes the padding": [
        ("keras.GroupNormalization", ALL, "padding-ignored"),
    ],
    "Normalization leaks from a model's first trace": [
        ("keras.Normalization", ALL, "nothing-leaks"),
    ],
    "AugMix draws from Python's generator": [
        ("keras.AugMix", ALL, "no-untracked-randomness"),
    ],
    "Layers that fail under other dtype policies": [
        ("keras.MelSpectrogram", "tensorflow", "dtype-policy"),
        ("keras.CutMix", "tensorflow", "dtype-policy"),
    ],
    "The labels of MixUp don't follow the dtype policy": [
        ("keras.MixUp", ALL, "dtype-policy"),
    ],
    "RandomBrightness writes into the caller's images": [
        ("keras.RandomBrightness", "torch", "inputs-not-changed"),
        ("keras.RandomColorJitter", "torch", "inputs-not-changed"),
    ],
    "RandomColorJitter computes in float32 whatever its dtype": [
        ("keras.RandomColorJitter", ALL, "dtype-policy"),
    ],
    "UnitNormalization of zeros is NaN in float16": [
        ("keras.UnitNormalization", ALL, "finite-in-low-precision"),
        ("keras.Dot", ALL, "finite-in-low-precision"),
    ],
    "ReversibleEmbedding doesn't cast inputs with `reverse=True`": [
        ("keras.ReversibleEmbedding", ALL, "dtype-policy"),
        ("keras_hub.ReversibleEmbedding", ALL, "dtype-policy"),
    ],
    "KerasHub: BoxMatcher changes the caller's list": [
        ("keras_hub.BoxMatcher", ALL, "clone-equal"),
    ],
    "KerasHub: RMSNormalization rejects common arguments": [
        ("keras_hub.RMSNormalization", ALL, "kwargs-forwarded"),
        ("keras_hub.RMSNormalization", ALL, "inside-time-distributed"),
    ],
    "KerasHub: NonMaxSuppression needs known sizes": [
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
    """Return the checks that are known to fail for a class, each with its heading.

    Args:
        name: The library and the class, such as `keras.SimpleRNN`.
        backend: The backend.
    """
    return {
        check: heading
        for (subject, where, check), heading in KNOWN.items()
        if (subject, where) == (name, backend)
    }
