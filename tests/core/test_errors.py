"""The error tree and the problem document (RFC 9457)."""

import json

import pytest

from core.errors import (
    PROBLEM_BASE,
    Conflict,
    Exists,
    FanlightError,
    NotFound,
    Problem,
    Unavailable,
)


@pytest.mark.parametrize("kind", [Unavailable, Conflict, Exists, NotFound, Problem])
def test_every_error_of_ours_has_one_root(kind: type[Exception]) -> None:
    assert issubclass(kind, FanlightError)


def test_what_exists_already_is_a_conflict_of_its_own() -> None:
    assert issubclass(Exists, Conflict)


def test_a_problem_without_more_has_four_members() -> None:
    problem = Problem("gone", 410, "Gone", "It was here.")
    assert problem.document() == {
        "type": f"{PROBLEM_BASE}gone",
        "title": "Gone",
        "status": 410,
        "detail": "It was here.",
    }
    assert str(problem) == "Gone: It was here."


def test_a_problem_names_the_field_the_remedy_and_its_evidence() -> None:
    problem = Problem(
        "stale", 401, "Stale", "Too old.", "created", "Sign again.", {"server_time": "now"}
    )
    assert problem.document() == {
        "type": f"{PROBLEM_BASE}stale",
        "title": "Stale",
        "status": 401,
        "detail": "Too old.",
        "field": "created",
        "remedy": "Sign again.",
        "server_time": "now",
    }
    assert str(problem) == "Stale (created): Too old."


def test_headers_are_for_the_response_alone() -> None:
    problem = Problem("slow", 429, "Slow", "Wait.", headers={"retry-after": "1"})
    assert "retry-after" not in json.dumps(problem.document())


def test_a_problem_can_be_raised_and_told_apart() -> None:
    one, two = Problem("a", 400, "A", "a"), Problem("a", 400, "A", "a")
    with pytest.raises(Problem) as caught:
        raise one
    assert caught.value is one
    assert one != two
