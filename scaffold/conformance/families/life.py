"""Life."""
