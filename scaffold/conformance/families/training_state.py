"""Training_state."""
