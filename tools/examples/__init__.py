"""Generates, trains and verifies examples: the part that runs Keras."""
