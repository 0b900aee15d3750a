"""Import the package first: it sets the backend of Keras."""

import {{ cookiecutter.package }}  # noqa: F401
