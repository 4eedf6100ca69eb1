"""The route: who answers a judged question."""

import pytest

from core.gate import Verdict, judge
from core.route import Route, route
from kb import Entry, Hit

SURE = Hit(Entry("a", "en", "Q?", "A."), 1.0, 0.9, ("exact",))
ALWAYS = Hit(Entry("a", "en", "Q?", "A.", escalate=True), 1.0, 0.9, ("exact",))
UNSURE = Hit(Entry("a", "en", "Q?", "A."), 0.1, 0.1, ("chars",))


@pytest.mark.parametrize(
    ("verdict", "online", "expected"),
    [
        (judge((SURE,)), True, Route("kb", ("kb_confident",))),
        (judge((SURE,)), False, Route("kb", ("kb_confident",))),
        (judge((ALWAYS,)), True, Route("kb", ("kb_confident",))),
        (judge((UNSURE,)), True, Route("cloud", ("low_confidence",))),
        (judge((UNSURE,)), False, Route("escalate", ("low_confidence", "offline"))),
        (judge(()), True, Route("cloud", ("no_match",))),
        (judge(()), False, Route("escalate", ("no_match", "offline"))),
    ],
)
def test_the_route_follows_from_the_verdict_and_the_network(
    verdict: Verdict, online: bool, expected: Route
) -> None:
    assert route(verdict, online=online) == expected
