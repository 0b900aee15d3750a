"""Measurements: `make bench`, `make mutation`, `make keras-tests`."""
