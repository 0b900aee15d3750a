"""A `python` that has already imported Keras: each start of it is a fork of a server.

Importing Keras takes seconds, and verifying an example starts many processes that do little else.
A fork is as isolated as a fresh process. If forks are not available, or would inherit a GPU,
`warm_python` returns the real interpreter.

    process --- argv, environment, folder, standard streams ---> server of its backend: fork
"""

from tools.warm.start import warm_python

__all__ = ["warm_python"]
