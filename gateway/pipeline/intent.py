"""What follows from an intent before a model is asked.

Decides that a command about memory is answered with what is true, by no model, and that a question
of several parts is looked up part by part, the best of each part first, and how many passages a
look-up of a fact or of a document is worth. Refuses nothing.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

from core.encoding import timestamp
from core.intents.intents import COMMANDS, Rules
from core.messages import Turn
from gateway.pipeline.state import DOCUMENT_PASSAGES, Part, TurnState
from kb import Hit

EACH = 2
"""Entries that are looked up for each part."""
FACT_PASSAGES = 2
"""Passages for a look-up of a fact: docs/pipeline.md has what that costs."""


def commanded(state: TurnState, rules: Rules) -> Turn | None:
    """The turn that a command about memory ends in; None where it is none."""
    kind = rules.kind(state.request.question)
    reply = rules.reply(kind, state.response.locale) if kind in COMMANDS else None
    if kind is None or reply is None:
        return None
    return Turn(
        id=state.request.turn_id,
        conversation_id=state.request.conversation_id,
        reply=reply,
        confidence=1.0,
        escalate=False,
        reasons=(f"memory_{kind}",),
        source="kb",
        created_at=timestamp(state.clock()),
    )


def by_parts(state: TurnState, rules: Rules) -> TurnState:
    """The state with what each part of its question finds, where it has several."""
    parts = rules.parts(state.request.question)
    if not parts:
        return state
    index, locale = state.site.index, state.response.locale
    each = [index.search(part, locale=locale, limit=EACH) for part in parts]
    found: dict[str, Hit] = {}
    for row in zip_longest(*each):
        for hit in row:
            if hit is not None:
                found.setdefault(hit.entry.id, hit)
    for hit in state.response.hits:
        found.setdefault(hit.entry.id, hit)
    asked = tuple(
        Part(part, tuple(hit.entry.id for hit in hits))
        for part, hits in zip(parts, each, strict=True)
    )
    response = replace(state.response, hits=tuple(found.values()))
    return replace(state, response=response, parts=asked)


def reaching(state: TurnState, rules: Rules) -> TurnState:
    """The state with as many passages as its question is worth.

    Who asks what a document says gets more of it; a fact stands in the first two, as a rule, and
    fewer of them are read sooner. Several questions in one, and all others, get the usual number.
    """
    kind = None if state.parts else rules.kind(state.request.question)
    reach = {"factual": FACT_PASSAGES, "document": DOCUMENT_PASSAGES}.get(kind or "")
    return state if reach is None else replace(state, reach=reach)
