"""{{ cookiecutter.description }}"""

import os

# Keras reads this when it is imported first.
os.environ.setdefault("KERAS_BACKEND", "{{ cookiecutter.backend }}")
