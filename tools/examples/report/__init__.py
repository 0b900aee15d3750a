"""What is told of the examples: the reports of a run, and the page of all of them."""
