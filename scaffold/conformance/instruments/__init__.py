"""Instruments that checks use; nothing here depends on a check."""
