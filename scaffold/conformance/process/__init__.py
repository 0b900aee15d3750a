"""A run in processes of its own, and the messages between them."""
