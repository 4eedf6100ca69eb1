"""What PagerDuty is sent of an escalation: its Events API v2, as JSON of at most 512 kB.

It decides the key that makes all tries one incident and closes that same one, and what is cut where
a text is too long. It says nothing that the visitor did not write or the gateway did not judge.
"""

from __future__ import annotations

from typing import Any, Final

from core.messages import Escalation
from gateway.escalation.severity import Severity

SUMMARY_LIMIT: Final = 1_024
KEY_LIMIT: Final = 255
DETAIL_LIMIT: Final = 8_000
CLIENT: Final = "Fanlight"


def dedup_key(escalation: Escalation) -> str:
    """The one key of an escalation's incident. A site's key has 61 characters, an id 34."""
    return f"esc:{escalation.site}:{escalation.id}"[:KEY_LIMIT]


def trigger(
    escalation: Escalation, severity: Severity, routing_key: str, site_name: str, console_url: str
) -> dict[str, Any]:
    """The event that opens an incident; sent again it changes nothing."""
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key(escalation),
        "client": CLIENT,
        "client_url": f"{console_url}/#{escalation.id}",
        "payload": {
            "summary": _cut(f"{site_name}: {_one_line(escalation.question)}", SUMMARY_LIMIT),
            "source": escalation.site,
            "severity": severity,
            "timestamp": escalation.created_at,
            "component": "chat",
            "group": escalation.site,
            "class": escalation.reason,
            "custom_details": _details(escalation),
        },
    }


def resolve(escalation: Escalation, routing_key: str) -> dict[str, Any]:
    """The event that closes that incident; where there is none it changes nothing."""
    return {
        "routing_key": routing_key,
        "event_action": "resolve",
        "dedup_key": dedup_key(escalation),
    }


def _details(escalation: Escalation) -> dict[str, object]:
    return {
        "question": _cut(escalation.question, DETAIL_LIMIT),
        "shown_meanwhile": _cut(escalation.fallback_text, DETAIL_LIMIT),
        "reason": escalation.reason,
        "confidence": escalation.confidence,
        "judged_by": escalation.provenance,
        "locale": escalation.locale,
        "contact": escalation.contact,
        "before": [f"{turn.role}: {_cut(turn.content, DETAIL_LIMIT)}" for turn in escalation.tail],
        "escalation_id": escalation.id,
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str, limit: int) -> str:
    """The text within the limit, without what UTF-8 cannot hold."""
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
