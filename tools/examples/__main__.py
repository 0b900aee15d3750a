"""`python -m tools.examples`."""

from tools.examples.command import main

if __name__ == "__main__":
    main()
