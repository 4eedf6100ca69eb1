"""Stage 1: kinds of task from keywords and labelled examples, seven factors, and a confidence."""

import json
from dataclasses import replace

import pytest

from gateway.adapters.packaged import packaged_tasks
from gateway.pipeline.classify.classifier import Classifier
from gateway.pipeline.classify.complexity import WEIGHTS, complexity, factors
from gateway.pipeline.classify.stage import Classifying
from gateway.pipeline.classify.tasks import NO_TASKS, BadTasks, Task, read_tasks
from kb.bundled import load_bundled
from tests.gateway.pipeline.asked import asked

TASKS = packaged_tasks()
BY_WORDS = Classifier(TASKS)
BY_MEANING = Classifier(TASKS, load_bundled())

KEYWORDS = {
    "debug my program": "code_generation",
    "refactor it and review it": "code_generation",
    "please audit this": "code_review",
    "look up the weather": "research",
    "draft a narrative": "creative",
    "summarize it": "analysis",
    "run tool x": "tool_use",
    "good morning": "chat",
    "encoded reclassified": "chat",
    "escribe un poema": "creative",
    "explica esto": "analysis",
    "כתוב שיר": "creative",
    "נתח את זה": "analysis",
    "?!": "unknown",
}


@pytest.mark.parametrize(("question", "task"), KEYWORDS.items())
def test_keywords_decide_by_priority_and_whole_words(question: str, task: str) -> None:
    assert BY_WORDS.classify(question).task_type == task


MEANT = {
    "please compose some verses on the ocean": "creative",
    "which of these plans is better for us and why": "analysis",
    "how long until my order arrives": "chat",
    "can you check my order": "chat",
    "¿cuándo llega mi pedido?": "chat",
    "תחבר לי שיר על החורף": "creative",
    "is there a mistake in this source code": "code_review",
}


@pytest.mark.parametrize(("question", "task"), MEANT.items())
def test_the_nearest_examples_decide_by_meaning(question: str, task: str) -> None:
    assert BY_MEANING.classify(question).task_type == task


@pytest.mark.parametrize("task", [task for task in TASKS.tasks if task.examples])
def test_examples_are_told_apart_without_themselves(task: Task) -> None:
    """Each in turn is taken out of the labelled ones, and asked."""
    right = 0
    for example in task.examples:
        own = replace(task, examples=tuple(one for one in task.examples if one != example))
        rest = tuple(own if each is task else each for each in TASKS.tasks)
        made = Classifier(replace(TASKS, tasks=rest), load_bundled()).classify(example)
        right += made.task_type == task.name
    assert right / len(task.examples) > 0.6


def test_a_question_between_two_kinds_is_unsure_and_asks_for_a_tier_more() -> None:
    torn = BY_MEANING.classify("סכם לי את החוזה הזה ותסקור את הקוד")
    clear = BY_MEANING.classify("write a poem about the sea")
    assert clear.confidence > torn.confidence
    assert not clear.unsure


def test_there_are_seven_factors_and_a_harder_question_has_more_of_them() -> None:
    assert len(WEIGHTS) == 7
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    easy = "When are you open?"
    hard = """First explain why `sort(xs)` is slow, then compare it with a heap, because the list,
    which has a million elements (most of them equal), is sorted again whenever somebody writes;
    finally calculate the difference and design something better."""
    assert set(factors(easy)) == set(WEIGHTS)
    assert complexity(factors(easy)) < 0.3 < complexity(factors(hard)) <= 1
    assert complexity(factors("")) == 0
    assert factors("```x```")["code"] == 1.0


async def test_the_stage_names_the_workflow_and_keeps_the_profile() -> None:
    state = await Classifying(BY_WORDS).run(asked("write a poem"))
    assert state.task_type == "creative"
    assert state.profile is not None
    assert state.profile.keywords
    nothing = await Classifying(Classifier(NO_TASKS, load_bundled())).run(asked("write a poem"))
    assert nothing.task_type == "chat"


GOOD = {
    "default": "a",
    "unknown": "a",
    "tasks": [{"name": "a", "description": "", "keywords": {}, "examples": {}}],
}
BAD = {
    "not JSON": "{",
    "no tasks": json.dumps({"default": "a", "unknown": "a"}),
    "a default that is none": json.dumps({**GOOD, "default": "b"}),
    "one name twice": json.dumps({**GOOD, "tasks": GOOD["tasks"] * 2}),  # type: ignore[operator]
    "a task without a name": json.dumps({**GOOD, "tasks": [{}]}),
}


@pytest.mark.parametrize("case", BAD)
def test_tasks_of_another_form_are_refused(case: str) -> None:
    with pytest.raises(BadTasks):
        read_tasks(BAD[case])


def test_tasks_are_data() -> None:
    told = json.dumps(
        {
            **GOOD,
            "tasks": [
                *GOOD["tasks"],
                {
                    "name": "booking",
                    "description": "Tables.",
                    "keywords": {"en": ["table for"]},
                    "examples": {},
                },
            ],
        }
    )
    assert Classifier(read_tasks(told)).classify("a table for two").task_type == "booking"
