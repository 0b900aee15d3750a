"""What a spec becomes: templates, their attributes, and the files that they give."""
