"""Layers and models with one seeded defect each, taken from real reports."""
