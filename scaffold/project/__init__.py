"""Whole projects: the questions of cookiecutter.json, the checked answers, and the files."""

from __future__ import annotations

from scaffold.project.questions import (
    QUESTIONS,
    Given,
    Question,
    load_questions,
    read_given,
    take_given,
    with_defaults,
    words_for,
)
from scaffold.project.rendering import render_project

__all__ = [
    "QUESTIONS",
    "Given",
    "Question",
    "load_questions",
    "read_given",
    "render_project",
    "take_given",
    "with_defaults",
    "words_for",
]
