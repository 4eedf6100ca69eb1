"""The calls about how sites' chats speak, as the console's `/openapi.json` describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.pipeline.personality.form import (
    FIELDS,
    MOST_ITEMS,
    REQUIRED,
    SECTIONS,
    Choice,
    Flag,
    Kind,
    Texts,
)
from gateway.routes.operations import (
    COUNT,
    FLAG,
    SHARE,
    TEXT,
    TEXT_OR_NULL,
    TIME,
    TIME_OR_NULL,
    Operation,
    Schema,
    list_of,
    object_of,
    one_of,
    or_null,
    ref,
)
from gateway.routes.personalities import CHOICE, ITEM, ITEMS, PATH, SITE, TOLD, TRY
from gateway.routes.personality_wire import (
    ChangedPersonalityBody,
    ChoiceBody,
    PersonalityBody,
    TryPersonalityBody,
    UndoPersonalityBody,
)


def _field(kind: Kind) -> Schema:
    if isinstance(kind, Choice):
        return one_of(*kind.words)
    if isinstance(kind, Flag):
        return FLAG
    text = {**TEXT, "maxLength": kind.most}
    return {**list_of(text), "maxItems": MOST_ITEMS} if isinstance(kind, Texts) else text


def _form() -> Schema:
    """A personality, from the table by which one is checked."""
    properties: dict[str, Any] = {}
    for section in SECTIONS:
        if section in FIELDS:
            properties[section] = _field(FIELDS[section])
            continue
        names = (name for name in FIELDS if name.startswith(f"{section}."))
        fields = {name.partition(".")[2]: _field(FIELDS[name]) for name in names}
        properties[section] = {"type": "object", "properties": fields}
    properties["identity"]["required"] = ["name"]
    return {"type": "object", "required": list(REQUIRED), "properties": properties}


_FLAWS: Final = list_of(object_of(field=TEXT, detail=TEXT))
_CHOICE: Final = {
    "configured": TEXT_OR_NULL,
    "chosen": or_null(object_of(name=TEXT_OR_NULL, author=TEXT, at=TIME)),
    "in_use": TEXT_OR_NULL,
}
_SITE: Final = {
    "site": TEXT, "name": TEXT, "locales": list_of(TEXT), "default_locale": TEXT, "models": FLAG,
    **_CHOICE,
}  # fmt: skip

PERSONALITY_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Personality": _form(),
    "SpeakingSites": object_of(sites=list_of(object_of(**_SITE))),
    "SpeakingSite": object_of(
        **_SITE, limits={"type": "object", "additionalProperties": COUNT}, most_texts=COUNT,
        items=list_of(ref("KeptPersonality")),
    ),
    "KeptPersonality": object_of(
        name=TEXT, origin=one_of("console", "folder", "fanlight"), in_use=FLAG,
        personality=or_null(ref("Personality")), flaws=_FLAWS, left_out=_FLAWS,
        author=TEXT_OR_NULL, at=TIME_OR_NULL, number=COUNT, undoable=FLAG,
    ),
    "WholePersonality": {
        "allOf": [
            ref("KeptPersonality"),
            object_of(
                history=list_of(
                    object_of(
                        at=TIME, author=TEXT,
                        action=one_of("created", "edited", "removed", "restored"),
                        personality=or_null(ref("Personality")),
                    )
                )
            ),
        ]
    },
    "PersonalityChoice": object_of(**_CHOICE),
    "PersonalityTold": object_of(
        told={"type": "object", "additionalProperties": TEXT}, flaws=_FLAWS, left_out=_FLAWS
    ),
    "PersonalityTried": object_of(
        reply=TEXT, source=TEXT, model=TEXT_OR_NULL, confidence=SHARE, threshold=SHARE,
        escalates=FLAG, fallback=TEXT_OR_NULL,
    ),
}  # fmt: skip

PERSONALITIES: Final = (
    Operation("get", PATH, "List sites and how they speak", {200: "SpeakingSites"}),
    Operation("get", SITE, "Say how a site speaks", {200: "SpeakingSite"}),
    Operation("post", ITEMS, "Keep a new personality", {201: "KeptPersonality"}, PersonalityBody),
    Operation("get", ITEM, "Read a personality", {200: "WholePersonality"}),
    Operation(
        "put", ITEM, "Write a personality anew", {200: "KeptPersonality"}, ChangedPersonalityBody
    ),
    Operation("delete", ITEM, "Remove a personality", {204: None}),
    Operation(
        "post", f"{ITEM}/undo", "Take back its newest edit", {200: "KeptPersonality", 204: None},
        UndoPersonalityBody,
    ),
    Operation("put", CHOICE, "Choose a personality", {200: "PersonalityChoice"}, ChoiceBody),
    Operation(
        "delete", CHOICE, "Let the configuration choose again", {200: "PersonalityChoice"}
    ),
    Operation(
        "post", TOLD, "Say what a model would be told", {200: "PersonalityTold"}, PersonalityBody
    ),
    Operation(
        "post", TRY, "Answer a question by a personality", {200: "PersonalityTried"},
        TryPersonalityBody,
    ),
)  # fmt: skip
