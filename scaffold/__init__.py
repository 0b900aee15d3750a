"""Complete, tested custom Keras 3 layers and models from templates."""

__version__ = "0.1.0"
