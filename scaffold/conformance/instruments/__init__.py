"""What checks look with: nothing here knows of a check."""
