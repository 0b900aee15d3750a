"""{{ cookiecutter.description }}"""

import os

# Keras reads this when it is first imported.
os.environ.setdefault("KERAS_BACKEND", "{{ cookiecutter.backend }}")
