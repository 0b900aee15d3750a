"""Generating, training and proving examples: the part that runs Keras."""
