"""A `python` that has imported Keras already: each start of it is the fork of a server.

To import Keras takes seconds, and a proof of an example starts many processes that do little else.
A fork knows as little of an example as a fresh process, and cannot change the next one. Where there
are no forks, or they would inherit a GPU, `warm_python` gives the real interpreter.

    process --- argv, environment, folder, standard streams ---> server of its backend: fork
"""

from tools.warm.start import warm_python

__all__ = ["warm_python"]
