from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.escalation.severity import parse_rule, severity_of
from tests.gateway.escalation.samples import an_escalation

RULES = tuple(
    map(parse_rule, ["about refund = error", "about sin acceso = critical", "always = info"])
)


@pytest.mark.parametrize(
    ("question", "reason", "expected"),
    [
        ("Where is my refund?", "low_confidence", "error"),
        ("REFUNDS!", "always", "error"),
        ("Is it prerefunded?", "always", "info"),
        ("Estoy sin acceso", "empty", "critical"),
        ("Estoy SIN ACCESÓ", "empty", "critical"),
        ("Hello", "always", "info"),
        ("Hello", "empty", "warning"),
    ],
)
def test_the_first_rule_that_fits_decides(question: str, reason: str, expected: str) -> None:
    asked = replace(an_escalation(question), reason=reason)  # type: ignore[arg-type]
    assert severity_of(asked, RULES) == expected


def test_without_rules_it_is_a_warning_and_a_star_fits_all() -> None:
    assert severity_of(an_escalation(), ()) == "warning"
    assert severity_of(an_escalation(), [parse_rule("* = critical")]) == "critical"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "form"),
        ("always", "form"),
        ("always = urgent", "no severity"),
        ("bored = info", "no reason"),
        ("about  = info", "no reason"),
        ("about ! = info", "no word"),
    ],
)
def test_what_is_no_rule_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_rule(text)
