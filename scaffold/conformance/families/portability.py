"""Portability."""
