"""What the knowledge desk's worker tells the gateway, and how often."""

import io
import json

from gateway.cli.desk_worker import REPORT_EVERY_S, Teller


def test_a_step_is_told_when_it_begins_and_then_once_a_second() -> None:
    out, now = io.BytesIO(), 100.0
    teller = Teller(out, lambda: now)
    for share in range(5):
        teller.report("reading", share / 10)
        now += REPORT_EVERY_S / 2
    teller.report("learning", 0.5)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(one["step"], one["share"]) for one in told] == [
        ("reading", 0.0),
        ("reading", 0.2),
        ("reading", 0.4),
        ("learning", 0.5),
    ]
    assert REPORT_EVERY_S >= 1
