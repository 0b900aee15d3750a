"""Tools for maintainers: the examples and their verification, and regenerating files."""
