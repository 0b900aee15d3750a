"""`python -m scaffold`, the same as the command `scaffold`."""

from scaffold.cli import entry

if __name__ == "__main__":
    entry()
