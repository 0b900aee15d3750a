"""A layer of Keras to derive from, as its source says it is: nothing of Keras is imported."""

from __future__ import annotations

from scaffold.base_layer.classes import modules_named
from scaffold.base_layer.handed_on import HandedOn
from scaffold.base_layer.read import constructor, own_class, public_layers, public_names, read_base
from scaffold.base_layer.sample import Sample
from scaffold.base_layer.signature import BaseLayer, Parameter, Signature
from scaffold.base_layer.template import on_base

__all__ = [
    "BaseLayer",
    "HandedOn",
    "Parameter",
    "Sample",
    "Signature",
    "constructor",
    "modules_named",
    "on_base",
    "own_class",
    "public_layers",
    "public_names",
    "read_base",
]
