"""Layers and models with one seeded defect each, taken from what people really reported."""
