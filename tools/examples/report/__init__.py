"""Reports on the examples: the reports of a run, and the page of all examples."""
