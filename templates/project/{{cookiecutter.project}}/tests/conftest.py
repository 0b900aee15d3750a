"""The package comes first: it says which backend Keras has here."""

import {{ cookiecutter.package }}  # noqa: F401
