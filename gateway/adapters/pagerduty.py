"""A target that speaks PagerDuty's Events API v2: an escalation is an incident till it is answered.

It decides what PagerDuty's answers mean: 202 is success, 400 stays until a person has put something
right, and everything else is tried again. All tries carry one `dedup_key`, so that they are one
incident. It refuses to send anywhere but to PagerDuty's own hosts, or to an endpoint that the
operator listed; the settings check that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from core.escalation import as_asked_again
from core.messages import Escalation
from core.ports import Outcome
from core.truth import LeasedDelivery
from gateway.adapters.outbound import Outbound, Received, RefusedAddress
from gateway.adapters.standard_webhooks import retry_after_s
from gateway.escalation import pagerduty_event
from gateway.escalation.severity import SeverityRule, severity_of
from gateway.settings import TargetSettings

KIND: Final = "pagerduty"
RETRY_429_S: Final = 60.0
"""PagerDuty's limit on events counts a minute, and its 429 need not say when to come back."""


class PagerDutyTarget:
    """One service of one PagerDuty account."""

    kind = KIND

    def __init__(
        self,
        settings: TargetSettings,
        outbound: Outbound,
        *,
        site_names: Mapping[str, str],
        severity: Mapping[str, Sequence[SeverityRule]],
        console_url: str,
    ) -> None:
        self.name = settings.name
        self._url = settings.url.rstrip("/") + "/v2/enqueue"
        self._key = settings.token
        self._key_variable = settings.token_variable
        self._outbound = outbound
        self._site_names = site_names
        self._severity = severity
        self._console_url = console_url

    async def deliver(self, escalation: Escalation, at: float) -> Outcome:
        """Open the incident once, within 15 s."""
        event = pagerduty_event.trigger(
            escalation,
            severity_of(escalation, self._severity.get(escalation.site, ())),
            self._key.reveal(),
            self._site_names.get(escalation.site, escalation.site),
            self._console_url,
        )
        return await self._send(event, at)

    async def follow(self, delivery: LeasedDelivery, at: float) -> Outcome:
        """Close the incident once; or open it again for what was asked since.

        Where it is still open PagerDuty takes that for the same incident, and pages nobody.
        """
        escalation = delivery.escalation
        if delivery.action == "added":
            return await self.deliver(as_asked_again(escalation, delivery.about), at)
        return await self._send(pagerduty_event.resolve(escalation, self._key.reveal()), at)

    async def _send(self, event: Mapping[str, Any], at: float) -> Outcome:
        headers = {"content-type": "application/json", "user-agent": "Fanlight"}
        content = json.dumps(event, ensure_ascii=False, allow_nan=False).encode()
        try:
            received = await self._outbound.post(self._url, content=content, headers=headers)
        except RefusedAddress as exc:
            return Outcome(False, "refused_address", detail=f"{exc}.")
        except httpx.TimeoutException:
            return Outcome(False, "timeout", detail="PagerDuty did not answer in time.")
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            return Outcome(False, "unreachable", detail=f"No answer: {type(exc).__name__}.")
        return self._judged(received, at)

    def _judged(self, received: Received, at: float) -> Outcome:
        status = received.status
        if status == 202:
            return Outcome(True, "delivered", status, "PagerDuty took it.")
        if status == 400:
            detail = (
                f"PagerDuty refused the event{self._reasons(received.body)}. "
                f"Set {self._key_variable} to the key of an Events API v2 integration there."
            )
            return Outcome(False, "refused", status, detail, give_up=True)
        asked = retry_after_s(received.headers.get("retry-after"), at)
        if status == 429:
            detail = "PagerDuty gets too many events of this integration; it is tried again."
            return Outcome(False, "rate_limited", status, detail, asked or RETRY_429_S)
        outcome = "redirected" if 300 <= status < 400 else "rejected"
        return Outcome(False, outcome, status, f"PagerDuty answered {status}.", asked)

    def _reasons(self, body: bytes) -> str:
        """What PagerDuty says is wrong, in brief, on one line and without the key."""
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            return ""
        errors = said.get("errors") if isinstance(said, dict) else None
        if not isinstance(errors, list) or not errors:
            return ""
        text = "; ".join(str(one) for one in errors[:3]).replace(self._key.reveal(), "…")
        return ": " + "".join(one if one.isprintable() else " " for one in text)[:200]
