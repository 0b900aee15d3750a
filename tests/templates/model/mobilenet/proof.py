"""Proof for the template `mobilenet`."""

from __future__ import annotations

from proofs import Proof, Size

PROOF = Proof(
    goldens={
        "mobilenet": ["MyMobileNet"],
        "mobilenet_functional": ["FunctionalMobileNet", "--style=functional"],
        "mobilenet_features": ["FeaturesMobileNet", "--head=none"],
        "mobilenet_embedding": ["EmbeddingMobileNet", "--head=embedding", "--style=functional"],
        "mobilenet_with_attributes": [
            "SmallMobileNet",
            *("num_classes=2", "alpha=0.5", "filters=16,32", "num_blocks=1,2", "strides=1,2"),
            *("expansions=1,4", "activation=silu", "data_format=channels_first"),
            *("gain:float=1.0{>0}", "label:str=mine"),
        ],
    },
    sizes=[
        Size(
            "mobilenet",
            "num_classes=1000, data_format='channels_last'",
            "(224, 224, 3)",
            3_538_984,
            "keras.applications.MobileNetV2(weights=None)",
        ),
        Size(
            "mobilenet",
            "num_classes=1000, alpha=0.35, data_format='channels_last'",
            "(224, 224, 3)",
            1_691_208,
            "keras.applications.MobileNetV2(weights=None, alpha=0.35)",
        ),
        Size(
            "mobilenet_functional",
            "(224, 224, 3), num_classes=1000, alpha=1.4, data_format='channels_last'",
            None,
            6_156_712,
            "keras.applications.MobileNetV2(weights=None, alpha=1.4)",
        ),
    ],
    judged={
        "return nearest + 8 if nearest < 0.9 * alpha * channels else nearest -> return nearest + 8 if (nearest < 0.9 * alpha * channels) and False else nearest": "a test is missing, of a width that is rounded up",
        "return nearest + 8 if nearest < 0.9 * alpha * channels else nearest -> return nearest + 8 if nearest < 0.9 * alpha / channels else nearest": "a test is missing, of a width that is rounded up",
        "return nearest + 8 if nearest < 0.9 * alpha * channels else nearest -> return nearest + 9 if nearest < 0.9 * alpha * channels else nearest": "a test is missing, of a width that is rounded up",
        "return nearest + 8 if nearest < 0.9 * alpha * channels else nearest -> return nearest - 8 if nearest < 0.9 * alpha * channels else nearest": "a test is missing, of a width that is rounded up",
        "return nearest + 8 if nearest < 0.9 * alpha * channels else nearest -> return nearest + 8 if nearest <= 0.9 * alpha * channels else nearest": "no width is nine tenths of another to the last digit",
    },
)
