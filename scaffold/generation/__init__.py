"""Generation: specs, templates, their attributes, and the files that they make."""
