"""The margins of the generated training tests, over many seeds."""
