"""Whether examples are what they promise: up to date, well-formed, right, and able to learn.

    build  ->  units (an example on a backend)  ->  steps, a process each  ->  results on the disk

A unit runs in a folder of its own, and its steps in processes of their own with a time limit: what
hangs or dies is a result. `results.py` keeps them, so that only what has changed is done again.
"""
