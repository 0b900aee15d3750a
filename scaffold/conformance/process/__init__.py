"""Runs checks in separate processes, and passes messages between them."""
