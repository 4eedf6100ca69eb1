"""A target that speaks Standard Webhooks (standardwebhooks.com, version 1): signed, at least once.

It decides what an answer means: any 2xx is success, 410 asks for no more, and everything else,
redirects included, is a failure to be tried again. It refuses secrets that are no `whsec_…` key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from core.digest import sha256_hex
from core.escalation import part_of
from core.messages import AddedTurn, Escalation
from core.ports import Outcome
from core.truth import LeasedDelivery
from gateway.adapters.outbound import Outbound, Received, RefusedAddress
from gateway.escalation.payload import contact_left, created, turn_added
from gateway.settings import TargetSettings

KIND = "webhook"
SECRET_PREFIX = "whsec_"  # noqa: S105 - how a secret begins
SHORTEST_KEY, LONGEST_KEY = 24, 64
"""Bytes, as the specification has them."""


def signing_key(secret: str) -> bytes:
    """The key within `whsec_<base64>`; raises `ValueError` that says what is wrong with it."""
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"a webhook secret begins with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as exc:
        raise ValueError(f"a webhook secret is {SECRET_PREFIX} and then base64") from exc
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise ValueError(
            f"a webhook secret holds {SHORTEST_KEY} to {LONGEST_KEY} bytes, this one {len(key)}"
        )
    return key


def signature(key: bytes, message_id: str, seconds: int, body: bytes) -> str:
    """The `webhook-signature` over id, time and body: version 1, HMAC-SHA256."""
    signed = b".".join((message_id.encode(), str(seconds).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii")


def retry_after_s(value: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` asks for, in either form of RFC 9110, else None."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # no date, or none that fits
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.fromtimestamp(now, UTC)).total_seconds())


class StandardWebhooksTarget:
    """One webhook; raises `ValueError` for a secret that cannot sign."""

    kind = KIND

    def __init__(self, settings: TargetSettings, outbound: Outbound) -> None:
        self.name = settings.name
        self._url = settings.url
        self._key = signing_key(settings.secret.reveal())
        self._outbound = outbound

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        """Try once, within 15 s; every attempt of an escalation has the same `webhook-id`."""
        return await self._send(f"msg_{escalation.id}", created(escalation), at)

    async def follow(self, delivery: LeasedDelivery, at: float) -> Outcome:
        """Tell once of a later turn or a contact, under a `webhook-id` that stays the same."""
        turn = part_of(delivery.escalation, delivery.about)
        if delivery.action == "added" and isinstance(turn, AddedTurn):
            return await self._send(f"msg_{turn.id}", turn_added(delivery.escalation, turn), at)
        if delivery.action == "contact" and turn is not None and turn.contact:
            # Another contact is another message.
            message_id = f"msg_{turn.id}_{sha256_hex(turn.contact)[:12]}"
            return await self._send(message_id, contact_left(delivery.escalation, turn), at)
        return Outcome(True, "nothing_to_tell", detail="What it is about was erased.")

    async def _send(self, message_id: str, body: bytes, at: float) -> Outcome:
        seconds = int(at)
        headers = {
            "content-type": "application/json",
            "user-agent": "Fanlight",
            "webhook-id": message_id,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signature(self._key, message_id, seconds, body),
        }
        try:
            # The status says it all; a body that never ends must not undo a success.
            received = await self._outbound.post(
                self._url, content=body, headers=headers, read_bytes=0
            )
        except RefusedAddress as exc:
            return Outcome(False, "refused_address", detail=f"{exc}.")
        except httpx.TimeoutException:
            return Outcome(False, "timeout", detail="The target did not answer in time.")
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            return Outcome(False, "unreachable", detail=f"No answer: {type(exc).__name__}.")
        return _judged(received, at)


def _judged(received: Received, at: float) -> Outcome:
    status = received.status
    detail = f"The target answered {status}."
    if 200 <= status < 300:
        return Outcome(True, "delivered", status, detail)
    if status == 410:
        return Outcome(False, "gone", status, "The target wants no more (410).", disable=True)
    outcome = "redirected" if 300 <= status < 400 else "rejected"
    asked = retry_after_s(received.headers.get("retry-after"), at)
    return Outcome(False, outcome, status, detail, asked)
