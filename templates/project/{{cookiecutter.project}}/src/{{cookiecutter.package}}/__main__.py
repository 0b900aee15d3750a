"""`python -m {{ cookiecutter.package }}` runs the command `{{ cookiecutter.project }}`."""

from {{ cookiecutter.package }}.cli import main

if __name__ == "__main__":
    main(prog_name="{{ cookiecutter.project }}")
