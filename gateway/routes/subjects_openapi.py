"""What the calls for a visitor's rights answer, for `/openapi.json`. It decides nothing."""

from __future__ import annotations

from typing import Any, Final, get_args

from core.subjects import Signal

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_PERHAPS: Final[dict[str, Any]] = {"type": ["string", "null"]}
_TRUE: Final[dict[str, Any]] = {"const": True}
_SHARE: Final[dict[str, Any]] = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_YES_NO: Final[dict[str, Any]] = {"type": "boolean"}
_SIGNAL: Final[dict[str, Any]] = {"enum": list(get_args(Signal))}


def _whole(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with exactly these members."""
    return {
        "type": "object",
        "required": sorted(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_ANY: Final[dict[str, Any]] = {"type": "object"}

_TURN: Final = _whole(
    {
        **dict.fromkeys(("id", "conversation_id", "question", "locale", "reply", "source"), _TEXT),
        **dict.fromkeys(("reasoning", "model"), _PERHAPS),
        "confidence": _SHARE,
        "escalate": _YES_NO,
        "reasons": _list(_TEXT),
        "citations": _list(_ANY),
        "disclaimers": _list(_TEXT),
        "usage": {"type": ["object", "null"]},
        "created_at": _TIME,
    }
)
_ESCALATION: Final = _whole(
    {
        **dict.fromkeys(("id", "conversation_id", "turn_id", "question", "fallback_text"), _TEXT),
        **dict.fromkeys(("reason", "locale"), _TEXT),
        "provenance": {"enum": ["server", "client"]},
        "status": {"enum": ["queued", "delivered", "resolved", "failed"]},
        "confidence": _SHARE,
        "tail": _list(_ANY),
        "contact": _PERHAPS,
        "contact_consent": {"type": ["object", "null"]},
        "created_at": _TIME,
        "deliveries": _list(_whole(dict.fromkeys(("kind", "action", "state"), _TEXT))),
        "replies": _list(_ANY),
        "added": _list(_ANY),
    }
)
_FEEDBACK: Final = _whole(
    {"turn_id": _TEXT, "signal": _SIGNAL, "text": _PERHAPS, "created_at": _TIME}
)
_EVENT: Final = _whole({"id": _COUNT, "conversation_id": _TEXT, "name": _TEXT, "data": _ANY})

_TRAJECTORY: Final = _whole(
    {
        "turn_id": _TEXT,
        "conversation_id": _TEXT,
        "request_sha256": _TEXT,
        "reply_sha256": _TEXT,
        "source": _TEXT,
        "confidence": _SHARE,
        "escalated": _YES_NO,
        "reasons": _list(_TEXT),
        "channel": _TEXT,
        "locale": _TEXT,
        "total_ms": {"type": "number", "minimum": 0},
        "task_type": _PERHAPS,
        "complexity": {"type": ["number", "null"]},
        "estimated_micros": _COUNT,
        "cost_micros": _COUNT,
        "prompt_tokens": _COUNT,
        "completion_tokens": _COUNT,
        "first_token_ms": {"type": ["number", "null"]},
        "scores": _ANY,
        "outcome": {"type": ["number", "null"], "minimum": -1, "maximum": 1},
        "created_at": _TIME,
    }
)

EXPORT: Final = _whole(
    {
        "exported_at": _TIME,
        "site": _TEXT,
        "subject": _TEXT,
        "conversations": _list(_TEXT),
        "turns": _list(_TURN),
        "trajectories": _list(_TRAJECTORY),
        "escalations": _list(_ESCALATION),
        "feedback": _list(_FEEDBACK),
        "events": _list(_EVENT),
        "sessions": _list(_whole({"sid": _TEXT, "head": _TEXT, "gaps": _COUNT})),
        "receipts": _list(_TEXT),
        "next": _PERHAPS,
        "spending": _list(
            _whole(
                {
                    "period": {"enum": ["day", "month"]},
                    "began_at": _TIME,
                    "spent_usd": {"type": "number", "minimum": 0},
                }
            )
        ),
    }
)
"""A page of everything that is held of a visitor; `next` is the cursor of the following one."""

MARKED: Final = _whole({"turn_id": _TEXT, "signal": _SIGNAL})
ERASED: Final = _whole({"erased": _TRUE})
