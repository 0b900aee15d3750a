"""What each modeling layer of KerasHub is checked with, and why a few of them are not."""

from __future__ import annotations

from conformance.keras_layer_cases import Table, case
from scaffold.cases import Input

SEQUENCE = Input((2, 6, 8))
PADDED = Input((2, 6, 8), mask=True)
WORDS = Input((2, 6), "int32", high=7)
HEADS = Input((2, 6, 2, 4))

CASES: Table = {
    "AlibiBias": [case(Input((2, 2, 6, 6)))],
    "AnchorGenerator": [
        case(
            Input((2, 16, 24, 3)),
            "keeps-dtype",
            bounding_box_format="xyxy",
            min_level=2,
            max_level=3,
            num_scales=2,
            aspect_ratios=[0.5, 1.0],
            anchor_size=4.0,
        ),
    ],
    "BoxMatcher": [
        case(Input((2, 5, 3), high=1.0), thresholds=[0.4, 0.6], match_values=[-1, -2, 1]),
    ],
    "CachedMultiHeadAttention": [
        case(SEQUENCE, num_heads=2, key_dim=4, call={"value": SEQUENCE}),
    ],
    "FNetEncoder": [case(SEQUENCE, intermediate_dim=5, dropout=0.1)],
    "MaskedLMHead": [
        case(
            SEQUENCE,
            vocabulary_size=7,
            call={"mask_positions": Input((2, 3), "int32", high=6)},
        ),
    ],
    "NonMaxSuppression": [
        case(
            Input((2, 5, 4), high=1.0),
            "keeps-dtype",
            bounding_box_format="yxyx",
            from_logits=False,
            confidence_threshold=0.1,
            max_detections=3,
            call={"class_prediction": Input((2, 5, 2), high=1.0)},
        ),
    ],
    "PositionEmbedding": [case(SEQUENCE, sequence_length=9)],
    "RMSNormalization": [case(SEQUENCE, input_dim=8)],
    "ReversibleEmbedding": [
        case(WORDS, input_dim=7, output_dim=4),
        case(SEQUENCE, input_dim=7, output_dim=8, tie_weights=False, call={"reverse": True}),
    ],
    "RotaryEmbedding": [case(HEADS), case(HEADS, scaling_factor=2.0, rope_type="dynamic")],
    "SinePositionEncoding": [case(SEQUENCE)],
    "TokenAndPositionEmbedding": [
        case(WORDS, vocabulary_size=7, sequence_length=9, embedding_dim=4),
        case(WORDS, vocabulary_size=7, sequence_length=6, embedding_dim=4, mask_zero=True),
    ],
    "TransformerDecoder": [
        case(SEQUENCE, intermediate_dim=5, num_heads=2),
        case(
            PADDED,
            intermediate_dim=5,
            num_heads=2,
            dropout=0.1,
            normalize_first=True,
            call={"encoder_sequence": PADDED},
        ),
    ],
    "TransformerEncoder": [
        case(SEQUENCE, intermediate_dim=5, num_heads=2),
        case(PADDED, intermediate_dim=5, num_heads=2, dropout=0.1, normalize_first=True),
    ],
}

WITHOUT: dict[str, str] = {}
