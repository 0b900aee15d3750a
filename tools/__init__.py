"""What maintainers run: the examples and their proofs, and what renews written files."""
