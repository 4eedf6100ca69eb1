"""What the personalities' desk takes and gives, field by field. Unknown fields are refused.

A personality is checked by the very rules that files are (`gateway.pipeline.personality.form`);
here only its size is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints, WithJsonSchema

from core.encoding import timestamp
from core.personalities import PersonalityEdit
from gateway import wire
from gateway.personality.desk import Choice, Item, Preview
from gateway.personality.layer import Action
from gateway.pipeline.answer import Answered
from gateway.pipeline.personality.form import Flaw

BODY_BYTES = 64 * 1024
"""A personality whose every text is as long as it may be, in any script."""

# What is checked, and told all at once, is checked by the form; this says what it is.
_FORM: Final = {"allOf": [{"$ref": "#/components/schemas/Personality"}]}
Document = Annotated[dict[str, Any], WithJsonSchema(_FORM)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class PersonalityBody(wire.Body):
    """`POST /v1/personalities/<site>/items` and `…/told`: a personality in the form of a file."""

    personality: Document


class ChangedPersonalityBody(PersonalityBody):
    """`PUT /v1/personalities/<site>/items/<name>`; `based_on` is the `number` it had."""

    based_on: Annotated[int, Field(ge=0), wire.Integral] | None = None


class UndoPersonalityBody(wire.Body):
    """`POST …/items/<name>/undo`; `based_on` is the `number` it has, 0 where it was removed."""

    based_on: Annotated[int, Field(ge=0), wire.Integral]


class ChoiceBody(wire.Body):
    """`PUT /v1/personalities/<site>/choice`; null: the chat speaks as its model does."""

    name: Name | None


class TryPersonalityBody(wire.Body):
    """`POST /v1/personalities/<site>/try`; without a personality by the one that is in use."""

    question: wire.Question
    locale: wire.Locale | None = None
    personality: Document | None = None


def choice_document(choice: Choice) -> dict[str, Any]:
    """Which personality a site uses, and by whose word."""
    chosen = choice.chosen
    return {
        "configured": choice.configured,
        "chosen": chosen and {
            "name": chosen.name, "author": chosen.author, "at": timestamp(chosen.at),
        },
        "in_use": choice.in_use,
    }  # fmt: skip


def item_document(item: Item, in_use: str | None) -> dict[str, Any]:
    """A personality as the console reads it."""
    personality, edit = item.personality, item.edit
    return {
        "name": item.name,
        "origin": item.origin,
        "in_use": item.name == in_use,
        "personality": personality and personality.document(),
        "flaws": flaw_documents(item.flaws),
        "left_out": flaw_documents(personality.left_out if personality else ()),
        "author": edit and edit.author,
        "at": edit and timestamp(edit.at),
        "number": item.number,
        "undoable": item.undoable,
    }


def history_document(history: Sequence[tuple[PersonalityEdit, Action]]) -> list[dict[str, Any]]:
    """What was done to a personality, newest first."""
    return [
        {
            "at": timestamp(edit.at),
            "author": edit.author,
            "action": action,
            "personality": edit.document and dict(edit.document),
        }
        for edit, action in history
    ]


def preview_document(preview: Preview) -> dict[str, Any]:
    """What a model would be told."""
    return {
        "told": dict(preview.told),
        "flaws": flaw_documents(preview.flaws),
        "left_out": flaw_documents(preview.left_out),
    }


def tried_document(answered: Answered, threshold: float) -> dict[str, Any]:
    """What a visitor would be told; `fallback` in its place where a person would be asked."""
    turn = answered.turn
    return {
        "reply": turn.reply,
        "source": turn.source,
        "model": turn.model,
        "confidence": turn.confidence,
        "threshold": threshold,
        "escalates": turn.escalate,
        "fallback": turn.fallback_text or answered.fallback_text if turn.escalate else None,
    }


def flaw_documents(flaws: Sequence[Flaw]) -> list[dict[str, str]]:
    """What is wrong, each with the field that it is about; "" is the whole."""
    return [{"field": flaw.field, "detail": flaw.text} for flaw in flaws]
