"""The pipeline's data that comes with this package: kinds of task, topics of risk, disclaimers."""

from __future__ import annotations

from importlib.resources import files

from core import risk
from core.intents import intents
from core.intents.intents import Rules
from core.risk import read_topics
from gateway.pipeline import disclaimers
from gateway.pipeline.classify import tasks
from gateway.pipeline.classify.tasks import Tasks
from gateway.pipeline.disclaimers import Disclaimers


def packaged_disclaimers() -> Disclaimers:
    """What Fanlight itself says beside replies on topics of risk."""
    topics = read_topics((files("core") / risk.FILE).read_text(encoding="utf-8"))
    told = (files("gateway.pipeline") / disclaimers.FILE).read_text(encoding="utf-8")
    return disclaimers.read_disclaimers(told, topics)


def packaged_tasks() -> Tasks:
    """The kinds of task that Fanlight itself knows."""
    told = (files("gateway.pipeline.classify") / tasks.FILE).read_text(encoding="utf-8")
    return tasks.read_tasks(told)


def packaged_intents() -> Rules:
    """The intents that Fanlight itself knows, in three languages."""
    told = (files("core.intents") / intents.FILE).read_text(encoding="utf-8")
    return intents.read_rules(told)
