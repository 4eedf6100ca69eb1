"""Situations and what the route makes of each, for every Python that it runs in.

A row is: what the gate saw; the signals that differ from a visitor who is online and has no model;
who answers, why, and who is next. No test library is imported: Pyodide reads this too.
"""

from __future__ import annotations

import json

from core.gate import Verdict, judge
from core.route import Signals, route
from kb import Entry, Hit

ENTRY = Entry("a", "en", "Q?", "A.")


def seen(confidence: float, *, always: bool = False) -> Verdict:
    entry = Entry("a", "en", "Q?", "A.", escalate=True) if always else ENTRY
    return judge((Hit(entry, confidence, confidence, ()),))


CLOSE = tuple(Hit(Entry(name, "en", f"{name}?", "A."), 0.45, 0.45, ()) for name in "ab")
VERDICTS = {
    "sure": seen(0.9),
    "always": seen(0.9, always=True),
    "close": judge(CLOSE),
    "declined": judge(CLOSE, may_clarify=False),
    "known": seen(0.3),
    "edge": seen(0.15),
    "faint": seen(0.14),
    "none": judge(()),
}

ROWS = """
# The knowledge base answers whatever else holds, and asks back likewise.
sure     |                                              | kb       kb_confident
always   |                                              | kb       kb_confident
sure     | offline                                      | kb       kb_confident
sure     | slow ready                                   | kb       kb_confident
sure     | ready prefer                                 | kb       kb_confident
sure     | ready site-prefer                            | kb       kb_confident
sure     | ready off                                    | kb       kb_confident
sure     | ready follow_up told                         | kb       kb_confident
sure     | ready risk                                   | kb       kb_confident
sure     | offline risk                                 | kb       kb_confident
sure     | sensitive                                    | kb       kb_confident
sure     | offline no-cloud                             | kb       kb_confident
always   | offline ready                                | kb       kb_confident
close    |                                              | clarify  clarify
close    | offline                                      | clarify  clarify
close    | ready follow_up told                         | clarify  clarify
close    | ready prefer                                 | clarify  clarify
close    | offline ready                                | clarify  clarify
close    | risk                                         | clarify  clarify
close    | ready data-saver                             | clarify  clarify

# No model on the device: the gateway, or a person later.
known    |                                              | cloud    low_confidence > escalate
declined |                                              | cloud    low_confidence > escalate
faint    |                                              | cloud    low_confidence > escalate
none     |                                              | cloud    no_match > escalate
known    | slow                                         | cloud    low_confidence > escalate
known    | data-saver                                   | cloud    low_confidence > escalate
known    | metered                                      | cloud    low_confidence > escalate
known    | follow_up told                               | cloud    low_confidence > escalate
known    | prefer                                       | cloud    low_confidence > escalate
known    | site-prefer                                  | cloud    low_confidence > escalate
known    | risk                                         | cloud    low_confidence > escalate
known    | sensitive                                    | cloud    low_confidence > escalate
known    | no-cloud                                     | cloud    low_confidence > escalate
known    | offline                                      | escalate low_confidence offline
none     | offline                                      | escalate no_match offline
known    | offline follow_up told                       | escalate low_confidence offline
known    | offline prefer                               | escalate low_confidence offline

# Switched off by the site or the visitor: as if there were none.
known    | ready off                                    | cloud    low_confidence > escalate
known    | ready site-off                               | cloud    low_confidence > escalate
known    | ready off site-prefer follow_up told         | cloud    low_confidence > escalate
known    | ready site-off prefer follow_up told         | cloud    low_confidence > escalate
known    | ready off no-cloud                           | cloud    low_confidence > escalate
known    | offline ready off                            | escalate low_confidence offline
known    | offline ready site-off                       | escalate low_confidence offline
known    | offline kept off follow_up told              | escalate low_confidence offline

# A quick follow-up is the device's.
known    | ready follow_up told                         | local    low_confidence follow_up > cloud
edge     | ready follow_up told                         | local    low_confidence follow_up > cloud
faint    | ready follow_up told                         | local    low_confidence follow_up > cloud
none     | ready follow_up told                         | local    no_match follow_up > cloud
declined | ready follow_up told                         | local    low_confidence follow_up > cloud
known    | ready follow_up                              | local    low_confidence follow_up > cloud
faint    | ready follow_up                              | cloud    low_confidence unknown > escalate
none     | ready follow_up                              | cloud    no_match unknown > escalate
known    | ready follow_up told slow                    | local    low_confidence follow_up > cloud
known    | ready follow_up told data-saver              | local    low_confidence follow_up > cloud
known    | ready follow_up told no-cloud                | local    low_confidence follow_up > cloud
known    | ready follow_up told prefer                  | local    low_confidence follow_up > cloud
known    | ready follow_up told battery=0.9             | local    low_confidence follow_up > cloud
known    | ready follow_up told battery=0.2             | local    low_confidence follow_up > cloud

# Any other question is the gateway's, and the device's where the gateway fails.
known    | ready                                        | cloud    low_confidence not_follow_up > local
edge     | ready                                        | cloud    low_confidence not_follow_up > local
declined | ready                                        | cloud    low_confidence not_follow_up > local
known    | ready told                                   | cloud    low_confidence not_follow_up > local
known    | ready battery=1                              | cloud    low_confidence not_follow_up > local

# Unless it is wanted otherwise, or the gateway is far or has no model.
known    | ready prefer                                 | local    low_confidence visitor_prefers > cloud
known    | ready site-prefer                            | local    low_confidence site_prefers > cloud
known    | ready prefer site-prefer                     | local    low_confidence visitor_prefers > cloud
known    | ready no-cloud                               | local    low_confidence no_cloud_model > cloud
known    | ready slow                                   | local    low_confidence slow_network > cloud
known    | ready data-saver                             | local    low_confidence data_saver > cloud
known    | ready slow data-saver                        | local    low_confidence slow_network > cloud
known    | ready metered                                | local    low_confidence metered > cloud
known    | ready metered data-saver                     | local    low_confidence data_saver > cloud
known    | ready metered slow                           | local    low_confidence slow_network > cloud
known    | ready metered battery=0.9                    | local    low_confidence metered > cloud
edge     | ready metered                                | local    low_confidence metered > cloud
known    | ready metered follow_up told                 | local    low_confidence follow_up > cloud
declined | ready prefer                                 | local    low_confidence visitor_prefers > cloud
edge     | ready no-cloud                               | local    low_confidence no_cloud_model > cloud

# What is unknown, high-stakes or sensitive is the gateway's, whoever wants it otherwise.
faint    | ready                                        | cloud    low_confidence unknown > escalate
none     | ready                                        | cloud    no_match unknown > escalate
none     | ready prefer                                 | cloud    no_match unknown > escalate
none     | ready site-prefer                            | cloud    no_match unknown > escalate
none     | ready slow                                   | cloud    no_match unknown > escalate
none     | ready no-cloud                               | cloud    no_match unknown > escalate
none     | ready metered                                | cloud    no_match unknown > escalate
known    | ready metered risk                           | cloud    low_confidence high_stakes > escalate
known    | ready metered sensitive                      | cloud    low_confidence sensitive > escalate
faint    | ready told                                   | cloud    low_confidence unknown > escalate
known    | ready risk                                   | cloud    low_confidence high_stakes > escalate
known    | ready risk prefer                            | cloud    low_confidence high_stakes > escalate
known    | ready risk site-prefer                       | cloud    low_confidence high_stakes > escalate
known    | ready risk follow_up told                    | cloud    low_confidence high_stakes > escalate
known    | ready risk slow                              | cloud    low_confidence high_stakes > escalate
known    | ready risk no-cloud                          | cloud    low_confidence high_stakes > escalate
known    | ready risk sensitive                         | cloud    low_confidence high_stakes > escalate
none     | ready risk                                   | cloud    no_match high_stakes > escalate
known    | ready sensitive                              | cloud    low_confidence sensitive > escalate
known    | ready sensitive follow_up told               | cloud    low_confidence sensitive > escalate
known    | ready sensitive prefer                       | cloud    low_confidence sensitive > escalate
known    | kept risk                                    | cloud    low_confidence high_stakes > escalate

# A model that cannot answer at once is not waited for while the gateway can.
known    | absent follow_up told                        | cloud    low_confidence engine_absent > escalate
known    | loading follow_up told                       | cloud    low_confidence engine_loading > escalate
known    | failed follow_up told                        | cloud    low_confidence engine_failed > escalate
known    | kept follow_up told                          | cloud    low_confidence engine_kept > local
known    | busy follow_up told                          | cloud    low_confidence engine_busy > local
known    | absent prefer                                | cloud    low_confidence engine_absent > escalate
known    | loading no-cloud                             | cloud    low_confidence engine_loading > escalate
known    | kept                                         | cloud    low_confidence engine_kept > local
known    | busy slow                                    | cloud    low_confidence engine_busy > local
known    | ready follow_up told battery=0.19            | cloud    low_confidence low_battery > local
known    | ready prefer battery=0.05                    | cloud    low_confidence low_battery > local
known    | ready battery=0                              | cloud    low_confidence low_battery > local
known    | ready metered battery=0.12                   | cloud    low_confidence low_battery > local
known    | ready data-saver battery=0.12                | cloud    low_confidence low_battery > local
known    | kept battery=0.12                            | cloud    low_confidence engine_kept > local
known    | absent metered                               | cloud    low_confidence engine_absent > escalate
known    | loading data-saver                           | cloud    low_confidence engine_loading > escalate

# With no network the device answers what is known, and says honestly what is not.
known    | offline ready                                | local    low_confidence offline > escalate
known    | offline kept                                 | local    low_confidence offline > escalate
known    | offline busy                                 | local    low_confidence offline > escalate
edge     | offline ready                                | local    low_confidence offline > escalate
declined | offline ready                                | local    low_confidence offline > escalate
known    | offline ready follow_up told                 | local    low_confidence offline > escalate
faint    | offline ready follow_up told                 | local    low_confidence offline > escalate
none     | offline kept follow_up told                  | local    no_match offline > escalate
known    | offline ready battery=0.05                   | local    low_confidence offline > escalate
known    | offline ready data-saver                     | local    low_confidence offline > escalate
known    | offline ready metered battery=0.12           | local    low_confidence offline > escalate
known    | offline absent metered                       | escalate low_confidence offline engine_absent
known    | offline ready no-cloud                       | local    low_confidence offline > escalate
known    | offline ready prefer                         | local    low_confidence offline > escalate
known    | offline ready site-prefer                    | local    low_confidence offline > escalate
faint    | offline ready                                | escalate low_confidence offline unknown
none     | offline ready                                | escalate no_match offline unknown
none     | offline ready follow_up                      | escalate no_match offline unknown
none     | offline ready prefer                         | escalate no_match offline unknown
known    | offline ready risk                           | escalate low_confidence offline high_stakes
known    | offline ready risk follow_up told            | escalate low_confidence offline high_stakes
known    | offline ready risk prefer                    | escalate low_confidence offline high_stakes
known    | offline ready sensitive                      | escalate low_confidence offline sensitive
none     | offline ready sensitive                      | escalate no_match offline sensitive
known    | offline absent                               | escalate low_confidence offline engine_absent
known    | offline loading                              | escalate low_confidence offline engine_loading
known    | offline failed                               | escalate low_confidence offline engine_failed
known    | offline loading follow_up told               | escalate low_confidence offline engine_loading
"""  # noqa: E501

FLAGS: dict[str, dict[str, object]] = {
    **{name: {"engine": name} for name in ("absent", "loading", "kept", "ready", "busy", "failed")},
    **{name: {"network": name} for name in ("slow", "offline")},
    **{name: {name: True} for name in ("follow_up", "told", "sensitive")},
    **{name: {"visitor": name} for name in ("off", "prefer")},
    **{f"site-{name}": {"site": name} for name in ("off", "prefer")},
    "risk": {"risk": ("medical",)},
    "data-saver": {"data_saver": True},
    "metered": {"metered": True},
    "no-cloud": {"cloud": False},
}


def cases() -> list[tuple[str, Verdict, Signals, list[object]]]:
    """Every row: its text, the verdict, the signals, and what is expected."""
    found = []
    for line in filter(None, map(str.strip, ROWS.splitlines())):
        if line.startswith("#"):
            continue
        seen_as, flags, expected = (part.strip() for part in line.split("|"))
        said, _, following = expected.partition(">")
        target, *reasons = said.split()
        wanted: list[object] = [target, reasons, following.strip() or None]
        found.append((f"{seen_as}: {flags}", VERDICTS[seen_as], _signals(flags), wanted))
    return found


def _signals(flags: str) -> Signals:
    given: dict[str, object] = {}
    for flag in flags.split():
        name, _, value = flag.partition("=")
        given |= {name: float(value)} if value else FLAGS[name]
    return Signals(**given)  # type: ignore[arg-type]


def outcome(verdict: Verdict, signals: Signals) -> list[object]:
    """What the route makes of a situation, as JSON has it."""
    found = route(verdict, signals)
    return [found.target, list(found.reasons), found.otherwise]


def outcomes_json() -> str:
    """What this Python makes of every situation, in order."""
    return json.dumps([outcome(verdict, signals) for _, verdict, signals, _ in cases()])
