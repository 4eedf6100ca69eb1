"""Escalation: one id for a site, subject and turn, and what the gateway says on its own."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.encoding import is_id, new_id
from core.escalation import (
    FollowUp,
    as_asked_again,
    by_gateway,
    escalation_id,
    follow_ups,
    happened,
    overtaken,
    reason_of,
)
from core.messages import ChatRequest, EscalationReason, MemoryTurn, Turn
from core.scope import Scope, anonymous
from tests.gateway.escalation.samples import an_added_turn, an_escalation

RANDOM = st.binary(min_size=10, max_size=10)
TURN_IDS = st.builds(lambda ms, random: new_id("t", ms, random), st.integers(0, 2**48 - 1), RANDOM)
NAMES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=9)
SCOPES = st.builds(Scope, NAMES, NAMES)
TURN_ID = "t_" + "0" * 32
CONVERSATION = "c_" + "0" * 32


def turn(reply: str = "Perhaps.", reasons: tuple[str, ...] = ("low_confidence",)) -> Turn:
    return Turn(TURN_ID, CONVERSATION, reply, 0.3, True, reasons, "cloud", "now")


def test_a_visitor_without_an_account_is_known_by_the_key() -> None:
    assert anonymous("site_demo", "abc") == Scope("site_demo", "anon:abc")


@given(SCOPES, TURN_IDS)
def test_the_id_is_always_the_same_and_has_the_turns_time(scope: Scope, turn_id: str) -> None:
    made = escalation_id(scope, turn_id)
    assert is_id(made, "e")
    assert made == escalation_id(scope, turn_id)
    assert made[2:14] == turn_id[2:14]


@given(SCOPES, TURN_IDS, SCOPES, TURN_IDS)
def test_another_site_subject_or_turn_has_another_id(
    scope: Scope, turn_id: str, other_scope: Scope, other_id: str
) -> None:
    same = (scope, turn_id) == (other_scope, other_id)
    made, other = escalation_id(scope, turn_id), escalation_id(other_scope, other_id)
    assert (made == other) == same


def test_names_cannot_be_shifted_between_site_and_subject() -> None:
    assert escalation_id(Scope("ab", "c"), TURN_ID) != escalation_id(Scope("a", "bc"), TURN_ID)


@pytest.mark.parametrize(
    ("reply", "reasons", "reason"),
    [
        ("Perhaps.", ("low_confidence",), "low_confidence"),
        (" \n", ("no_model",), "empty"),
        ("", ("always",), "always"),
        ("Yes.", ("kb_confident", "always"), "always"),
    ],
)
def test_the_reason_is_the_wires(
    reply: str, reasons: tuple[str, ...], reason: EscalationReason
) -> None:
    assert reason_of(turn(reply, reasons)) == reason


def test_the_gateway_says_what_it_knows() -> None:
    tail = (MemoryTurn("user", "Before"),)
    asked = ChatRequest(
        TURN_ID, CONVERSATION, "Question?", "es", None, tail, None, stream=True, max_tokens=1
    )
    said = by_gateway(turn(), asked, "Ask a person", now=0)
    assert (said.turn_id, said.conversation_id) == (TURN_ID, CONVERSATION)
    assert (said.question, said.fallback_text) == ("Question?", "Ask a person")
    assert (said.reason, said.confidence) == ("low_confidence", 0.3)
    assert (said.conversation_tail, said.locale) == (tail, "es")
    assert (said.contact, said.receipt) == (None, None)
    assert said.timestamp == "1970-01-01T00:00:00.000Z"


HAPPENED: list[FollowUp] = [("added", "e_2"), ("reply", "h_1"), ("added", "e_3"), ("resolve", "")]


def test_what_followed_is_told_in_the_order_in_which_it_came() -> None:
    added, replies = [(3.0, "e_3"), (1.0, "e_2")], [(2.0, "h_1")]
    assert happened(added, replies, resolved=True) == HAPPENED
    assert happened(added, replies, resolved=False) == HAPPENED[:-1]
    assert happened((), (), resolved=False) == []


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("slack", HAPPENED),
        ("pagerduty", [("resolve", "")]),
        ("webhook", [("added", "e_2"), ("added", "e_3")]),
        ("unheard of", []),
    ],
)
def test_each_kind_of_target_hears_its_own(kind: str, told: list[FollowUp]) -> None:
    assert follow_ups(kind, HAPPENED) == told


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, []), (1, [("added", "e_2")]), (2, [("resolve", "h_1")]), (3, [("added", "e_3")])],
)
def test_an_incident_hears_the_last_word_alone(count: int, told: list[FollowUp]) -> None:
    assert follow_ups("pagerduty", HAPPENED[:count]) == told


def test_a_contact_is_no_word_of_an_incident() -> None:
    assert follow_ups("pagerduty", [("reply", "h_1"), ("contact", "e_1")]) == [("resolve", "h_1")]


def test_an_incident_alone_forgets_what_was_overtaken() -> None:
    assert overtaken("pagerduty", [("resolve", "")]) == {"added", "resolve"}
    assert overtaken("pagerduty", []) == frozenset()
    assert overtaken("slack", HAPPENED) == frozenset()


def test_a_case_is_asked_again_in_the_words_of_its_later_turn() -> None:
    turn = an_added_turn()
    case = replace(an_escalation(), added=(turn,))
    again = as_asked_again(case, turn.id)
    assert (again.id, again.question) == (case.id, turn.question)
    assert (again.created_at, again.reason) == (turn.created_at, turn.reason)
    assert as_asked_again(case, "e_none") == case
