"""The questions of cookiecutter.json: keys, choices, defaults and labels, and their answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaffold.errors import Place, UsageError
from scaffold.project.names import check_package, check_plain, check_project, check_seen, check_text
from scaffold.text import nearest, shown

QUESTIONS = "cookiecutter.json"


@dataclass(frozen=True)
class Given:
    """One answer as typed: `key=value`, or the value alone, which has no `text`."""

    key: str
    value: str
    text: str = ""

    def key_place(self) -> Place | None:
        return Place(self.text, 0, self.text.index("=")) if self.text else None

    def value_place(self) -> Place | None:
        start = self.text.find("=") + 1
        return Place(self.text, start, len(self.text)) if self.text else None


@dataclass(frozen=True)
class Question:
    """One key of cookiecutter.json.

    Args:
        key: The key.
        default: The default answer, as a template of the answers before.
        label: What is asked, in words.
        choices: The possible values, with their labels; empty if any text will do.
        taken: Names that the project or its dependencies already have.
    """

    key: str
    default: str
    label: str
    choices: Mapping[str, str]
    taken: Set[str] = frozenset()

    def read(self, value: str, place: Place | None = None) -> str:
        """Return `value` if it is a valid answer.

        Raises:
            UsageError: If it is not.
            UnsafeError: If it contains invisible characters, or would be run as a template.
        """
        check_seen(self.key, value)
        check_plain(self.key, value, place)
        if self.choices and value not in self.choices:
            raise UsageError(
                f"`{self.key}` can't be `{shown(value)}`{nearest(value, self.choices)}",
                fix=f"It must be one of {', '.join(self.choices)}.",
                place=place,
            )
        if self.key == "project":
            check_project(value, self.taken, place)
        elif self.key == "package":
            check_package(value, self.taken, place)
        elif not self.choices:
            check_text(self.key, value, place)
        return value

    def default_for(self, answers: Mapping[str, str]) -> str:
        """Return the default that follows from the answers before, not checked yet."""
        if "{" not in self.default:
            return self.default
        from jinja2 import StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        template = environment.from_string(self.default)
        return template.render(cookiecutter=answers)


def load_questions(folder: Path) -> tuple[Question, ...]:
    """Return the questions of the cookiecutter template in `folder`, in order."""
    data = json.loads((folder / QUESTIONS).read_text("utf-8"))
    labels, taken = data.get("__prompts__", {}), data.get("_taken", {})
    return tuple(
        _question(key, value, labels.get(key, key), frozenset(taken.get(key, ())))
        for key, value in data.items()
        if not key.startswith("_")
    )


def read_given(text: str) -> Given:
    """Read one `key=value` as typed.

    Raises:
        UsageError: If it is malformed.
        UnsafeError: If it contains invisible characters.
    """
    key, equals, value = text.partition("=")
    check_seen(shown(key.strip()), text)
    if not equals:
        raise UsageError(
            f"`{shown(text)}` is not key=value",
            fix="Write `backend=jax`, for example.",
            place=Place(text, 0, len(text)),
        )
    return Given(key.strip(), value.strip(), text)


def take_given(questions: Sequence[Question], given: Iterable[Given]) -> dict[str, str]:
    """Return the answers that were given, each checked.

    Raises:
        UsageError: If one is given twice, is unknown, or is not a valid answer.
        UnsafeError: If one contains invisible characters, or would be run as a template.
    """
    by_key = {question.key: question for question in questions}
    answers: dict[str, str] = {}
    for one in given:
        if one.key not in by_key:
            raise UsageError(
                f"unknown key `{shown(one.key)}`{nearest(one.key, by_key)}",
                fix=f"The keys are {', '.join(by_key)}.",
                place=one.key_place(),
            )
        if one.key in answers:
            raise UsageError(
                f"`{one.key}` is given twice",
                fix="Remove one of them.",
                place=one.key_place(),
            )
        answers[one.key] = by_key[one.key].read(one.value, one.value_place())
    return answers


def with_defaults(questions: Sequence[Question], given: Mapping[str, str]) -> dict[str, str]:
    """Return an answer to each question: the given one, else the default.

    Raises:
        UsageError: If a default that follows from another answer is invalid.
    """
    answers: dict[str, str] = {}
    for question in questions:
        if question.key in given:
            answers[question.key] = given[question.key]
        else:
            answers[question.key] = question.read(question.default_for(answers))
    return answers


def words_for(questions: Sequence[Question], answers: Mapping[str, str]) -> list[str]:
    """Return the answers as typed: the name, and everything but defaults."""
    first, *others = questions
    typed = (
        f"{question.key}={answers[question.key]}"
        for question in others
        if answers[question.key] != question.default_for(answers)
    )
    return [answers[first.key], *typed]


def _question(key: str, value: Any, label: Any, taken: Set[str]) -> Question:
    labels: dict[str, str] = label if isinstance(label, dict) else {"__prompt__": label}
    choices: list[str] = value if isinstance(value, list) else []
    return Question(
        key,
        default=str(choices[0] if choices else value),
        label=labels.get("__prompt__", key),
        choices={choice: labels.get(choice, choice) for choice in choices},
        taken=taken,
    )
