"""`python -m scaffold`: the same as the `scaffold` command."""

from scaffold.cli import entry

if __name__ == "__main__":
    entry()
