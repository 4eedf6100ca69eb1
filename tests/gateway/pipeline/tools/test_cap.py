"""Results that fit: whole items are left out, and it is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.prompting.budget import estimate
from gateway.pipeline.tools.cap import LEFT_OUT, MOST_BYTES, TooLarge, fitting, octets

ITEMS = st.lists(st.one_of(st.text(max_size=80), st.lists(st.integers(), max_size=9)), max_size=40)


def test_what_fits_is_left_as_it_is() -> None:
    result = {"results": ["a", "b"]}
    assert fitting(result, [(octets, MOST_BYTES)]).result is result


def test_items_are_left_out_from_the_end_and_it_is_said() -> None:
    result = {"results": [{"text": "א" * 10_000} for _ in range(10)], "note": "kept"}
    found = fitting(result, [(octets, MOST_BYTES)])
    assert octets(found.text) <= MOST_BYTES
    assert found.result["results"] == result["results"][:3]
    assert (found.result["note"], found.left_out) == ("kept", 7)
    assert found.result[LEFT_OUT] == "7 of 10 results did not fit"


def test_the_list_that_takes_most_gives_way() -> None:
    result = {"small": ["x"], "large": ["y" * 300] * 9}
    found = fitting(result, [(octets, 1_000)])
    assert found.result["small"] == ["x"]
    assert found.result[LEFT_OUT].endswith("of 9 large did not fit")


def test_what_is_too_large_without_any_item_is_refused() -> None:
    with pytest.raises(TooLarge):
        fitting({"text": "x" * 2_000, "items": [1]}, [(octets, 1_000)])


@pytest.mark.parametrize("value", [{"x": float("nan")}, {"x": object()}])
def test_what_is_no_json_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        fitting(value, [(octets, 100)])


@given(one=ITEMS, two=ITEMS, most=st.integers(300, 3_000), tokens=st.integers(200, 900))
def test_every_limit_holds_and_no_item_is_ever_cut(
    one: list[object], two: list[object], most: int, tokens: int
) -> None:
    result = {"one": one, "two": two}
    found = fitting(result, [(octets, most), (estimate, tokens)])
    assert octets(found.text) <= most
    assert estimate(found.text) <= tokens
    told = json.loads(found.text)
    for name, items in (("one", one), ("two", two)):
        assert told[name] == json.loads(json.dumps(items))[: len(told[name])]
    missing = len(one) + len(two) - len(told["one"]) - len(told["two"])
    assert found.left_out == missing
    assert (LEFT_OUT in told) == bool(missing)
