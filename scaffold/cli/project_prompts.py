"""The answers about a project: as arguments with completion, and as prompts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from scaffold.cli.asking import prompt
from scaffold.errors import ScaffoldError
from scaffold.generation.catalog import Catalog
from scaffold.project import QUESTIONS, Given, Question, load_questions, read_given, words_for


class AnswerParam(click.ParamType[Given]):
    """The parameter type of `key=value`."""

    name = "key=value"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Given:
        return value if isinstance(value, Given) else read_given(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem[Any]]:
        _, *questions = load_questions(template_folder())
        words = [f"{question.key}=" for question in questions]
        if "=" in incomplete:
            words = [f"{one.key}={choice}" for one in questions for choice in one.choices]
        return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def template_folder() -> Path:
    """Return the folder of the cookiecutter template."""
    folders = (folder / "project" for folder in Catalog.builtin().folders)
    return next(folder for folder in folders if (folder / QUESTIONS).is_file())


def ask(questions: Sequence[Question], given: Mapping[str, str]) -> dict[str, str]:
    """Return an answer to each question: the given one, else the user's, checked at once."""
    answers: dict[str, str] = {}
    for question in questions:
        if question.key in given:
            answers[question.key] = given[question.key]
        else:
            answers[question.key] = _ask_one(question, answers)
    if answers != given:
        words = shlex.join(words_for(questions, answers))
        click.echo(f"To repeat without prompts: scaffold project {words} --no-input", err=True)
    return answers


def _ask_one(question: Question, answers: Mapping[str, str]) -> str:
    width = max(map(len, question.choices), default=0)
    for choice, label in question.choices.items():
        click.echo(f"  {choice:<{width}}  {label}", err=True)
    default: str | None = question.default_for(answers)
    try:
        question.read(str(default))
    except ScaffoldError:
        default = None
    answer: str = prompt(f"{question.label} ({question.key}=...)", question.read, default=default)
    return answer
