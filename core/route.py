"""The route: who answers next, as a pure function of signals.

The knowledge base where the gate trusts it; the visitor where it asks back. Of the rest, what is
high-stakes, sensitive or unknown goes to the gateway's model, as everything does where no model is
on the visitor's device. A quick follow-up, and all that is known while the network is gone, is the
device's. With neither, a person later. It does no I/O, keeps no state, and refuses no combination
of signals: each leads somewhere, with stable codes that say why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from core.gate import Verdict

Target = Literal["kb", "clarify", "local", "cloud", "escalate"]
Engine = Literal["none", "absent", "loading", "kept", "ready", "busy", "failed"]
"""The model on the visitor's device: none fits or is wanted; it could be fetched; it is being
fetched; it is on the device, not in memory; it can answer now; it is answering; it has failed."""
Network = Literal["online", "slow", "offline"]
Policy = Literal["off", "auto", "prefer"]
"""What a site, or its visitor, makes of answers from the device: never, where they fit, first."""

ENGINES: tuple[str, ...] = get_args(Engine)
NETWORKS: tuple[str, ...] = get_args(Network)
POLICIES: tuple[str, ...] = get_args(Policy)

KNOWN = 0.15
"""The likelihood of the best entry from which there is something to ground a reply in."""
LOW_BATTERY = 0.2


@dataclass(frozen=True, slots=True)
class Signals:
    """What a route is chosen by, beside the verdict.

    `follow_up`: the question is short and goes on from one before; `told`: that one was answered
    from an entry, which grounds this one too. `risk` names the topics of risk that it touches;
    `sensitive`: it has something in it that redaction takes out. `battery` is the share that is
    left, None where that is unknown or on mains. `metered`: the visitor may pay for each megabyte.
    `cloud`: the gateway has a model to ask.
    """

    network: Network = "online"
    engine: Engine = "none"
    follow_up: bool = False
    told: bool = False
    risk: tuple[str, ...] = ()
    sensitive: bool = False
    battery: float | None = None
    data_saver: bool = False
    metered: bool = False
    site: Policy = "auto"
    visitor: Policy = "auto"
    cloud: bool = True


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers, with the stable codes that say why, and who is next where that comes to nothing.

    `otherwise` is None where nobody is: the answer is shown as it is.
    """

    target: Target
    reasons: tuple[str, ...]
    otherwise: Target | None = None


def route(verdict: Verdict, signals: Signals) -> Route:
    """Route a judged question."""
    if verdict.answers:
        return Route("kb", ("kb_confident",))
    if verdict.choices:
        return Route("clarify", verdict.reasons)
    if signals.network == "offline":
        return _offline(verdict, signals)
    return _online(verdict, signals)


def _offline(verdict: Verdict, signals: Signals) -> Route:
    reasons = (*verdict.reasons, "offline")
    if _without(signals):
        return Route("escalate", reasons)
    against = _stakes(signals) or _unknown(verdict, signals) or _not_at_hand(signals)
    if against:
        return Route("escalate", (*reasons, against))
    return Route("local", reasons, "escalate")


def _online(verdict: Verdict, signals: Signals) -> Route:
    reasons = verdict.reasons
    if _without(signals):
        return Route("cloud", reasons, "escalate")
    against = _stakes(signals) or _unknown(verdict, signals) or _not_now(signals)
    if against:
        return Route("cloud", (*reasons, against), _after_cloud(against, signals))
    wanted = _wanted(signals)
    if wanted:
        return Route("local", (*reasons, wanted), "cloud")
    return Route("cloud", (*reasons, "not_follow_up"), "local")


def _without(signals: Signals) -> bool:
    """Whether the device has no part in it: nothing fits, or nobody wants it to."""
    return signals.engine == "none" or "off" in {signals.site, signals.visitor}


def _stakes(signals: Signals) -> str:
    """Why this is not for a small model, whoever wants it to be."""
    if signals.risk:
        return "high_stakes"
    return "sensitive" if signals.sensitive else ""


def _unknown(verdict: Verdict, signals: Signals) -> str:
    """Why there is nothing to ground a reply in."""
    if signals.follow_up and signals.told:
        return ""
    known = verdict.hit is not None and verdict.hit.confidence >= KNOWN
    return "" if known else "unknown"


def _not_at_hand(signals: Signals) -> str:
    """Why the device cannot answer even if the visitor waits a little."""
    return "" if signals.engine in {"ready", "busy", "kept"} else f"engine_{signals.engine}"


def _not_now(signals: Signals) -> str:
    """Why the device should not answer while the gateway can."""
    if signals.engine != "ready":
        return f"engine_{signals.engine}"
    low = signals.battery is not None and signals.battery < LOW_BATTERY
    return "low_battery" if low else ""


def _after_cloud(against: str, signals: Signals) -> Target:
    """Who is next where the gateway fails: the device, where only the moment spoke against it."""
    momentary = against in {"engine_kept", "engine_busy", "low_battery"}
    return "local" if momentary and not _not_at_hand(signals) else "escalate"


def _wanted(signals: Signals) -> str:
    """Why the device answers first although the gateway can; empty where it does not."""
    if signals.follow_up:
        return "follow_up"
    if "prefer" in {signals.site, signals.visitor}:
        return "visitor_prefers" if signals.visitor == "prefer" else "site_prefers"
    if not signals.cloud:
        return "no_cloud_model"
    if signals.network == "slow":
        return "slow_network"
    if signals.data_saver:
        return "data_saver"
    return "metered" if signals.metered else ""
