"""Verifies that examples are up to date, well-formed, correct, and able to learn.

    build  ->  units (an example on a backend)  ->  steps, a process each  ->  results on the disk

A unit runs in its own folder, and its steps in separate processes with a time limit: hanging or
crashing is a result. `results.py` stores them, so that only what has changed is run again.
"""
