"""What is measured: `make bench`, `make mutation`, `make keras-tests`."""
