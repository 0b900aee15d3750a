"""Attributes: the arguments of a generated constructor, as `name:type=default{constraint}`.

A new type is one class, listed in `TYPES`, and one macro file named after its keyword.
"""

from __future__ import annotations

from scaffold.generation.attributes.base import REQUIRED, Attribute, AttributeType, Default, Value
from scaffold.generation.attributes.keras_objects import (
    Activation,
    Initializer,
    LayerType,
    Regularizer,
    Seed,
    WeightConstraint,
)
from scaffold.generation.attributes.numeric import Float, Int, Ints
from scaffold.generation.attributes.text import Bool, Choice, Str

__all__ = ["REQUIRED", "TYPES", "Attribute", "AttributeType", "Default", "Value"]

TYPES: dict[str, type[AttributeType]] = {
    kind.keyword: kind
    for kind in (
        Int,
        Float,
        Bool,
        Str,
        Choice,
        Ints,
        Activation,
        Initializer,
        Regularizer,
        WeightConstraint,
        Seed,
        LayerType,
    )
}
