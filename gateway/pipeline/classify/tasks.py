"""The kinds of task, as data: names, descriptions, keywords and labelled examples a language.

Decides the form of the file; which tasks there are is the file's. Their order is the keywords'
priority. Refuses a file that is not of that form, by what is wrong with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from core.errors import FanlightError
from kb.features import stems

FILE: Final = "tasks.json"
"""The tasks that come with this package, beside this module."""


class BadTasks(FanlightError):
    """The kinds of task are not of their form."""


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of task. `keywords` are phrases by their stems, in any language."""

    name: str
    description: str
    keywords: tuple[tuple[str, ...], ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tasks:
    """All kinds, in the order of their keywords' priority.

    `default` is what a question is where nothing says more, `unknown` what a text without a known
    word is.
    """

    tasks: tuple[Task, ...]
    default: str
    unknown: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a question is.

    `complexity` and `confidence` are in [0, 1]; `keywords` are those that were found, and `factors`
    what the complexity is made of.
    """

    task_type: str
    complexity: float
    keywords: tuple[str, ...]
    confidence: float
    factors: Mapping[str, float] = field(default_factory=dict)

    @property
    def unsure(self) -> bool:
        """Whether it had better be answered a tier higher."""
        return self.confidence < LEAST_SURE


LEAST_SURE: Final = 0.5
"""Confidence below which a question is answered a tier higher."""

NO_TASKS: Final = Tasks((), "chat", "chat")
"""Every question is a chat."""


def read_tasks(text: str) -> Tasks:
    """Tasks from JSON; raises `BadTasks`."""
    try:
        told = json.loads(text)
        tasks = tuple(_task(each) for each in told["tasks"])
        made = Tasks(tasks, str(told["default"]), str(told["unknown"]))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise BadTasks(f"tasks are not of their form: {error!r}") from error
    names = [task.name for task in made.tasks]
    for name in (made.default, made.unknown):
        if name not in names:
            raise BadTasks(f"{name!r} is no task: name one of {', '.join(names)}")
    if len(set(names)) < len(names):
        raise BadTasks("two tasks have one name")
    return made


def _task(told: Mapping[str, Any]) -> Task:
    keywords = [tuple(stems(each)) for some in told["keywords"].values() for each in some]
    examples = [str(each) for some in told["examples"].values() for each in some]
    return Task(
        str(told["name"]), str(told["description"]), tuple(filter(None, keywords)), tuple(examples)
    )
