"""The route: who answers a judged question, in every situation and in every Python."""

import itertools
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from core.gate import Verdict
from core.route import ENGINES, NETWORKS, POLICIES, Signals, Target, route
from tests.core.route_cases import VERDICTS, cases, outcome


@pytest.mark.parametrize(
    ("verdict", "signals", "expected"),
    [pytest.param(*rest, id=name) for name, *rest in cases()],
)
def test_the_route_follows_from_the_verdict_and_the_signals(
    verdict: Verdict, signals: Signals, expected: list[object]
) -> None:
    assert outcome(verdict, signals) == expected


def test_each_situation_stands_in_the_table_once() -> None:
    told = [(repr(verdict), signals) for _, verdict, signals, _ in cases()]
    assert len(set(told)) == len(told) >= 100


def everything() -> Iterator[tuple[Any, ...]]:
    flags = (False, True)
    return itertools.product(
        VERDICTS.values(), NETWORKS, ENGINES, flags, flags, ((), ("legal",)), flags,
        (None, 0.1), flags, flags, POLICIES, POLICIES, flags,
    )  # fmt: skip


def test_what_holds_whatever_the_signals() -> None:
    for verdict, *given in everything():
        signals = Signals(*given)
        found = route(verdict, signals)
        assert found.target in get_args(Target)
        assert found.reasons
        assert found.otherwise != found.target
        if "local" in {found.target, found.otherwise}:
            assert signals.engine in {"ready", "busy", "kept"}
            assert not signals.risk
            assert not signals.sensitive
            assert "off" not in {signals.site, signals.visitor}
        if signals.network == "offline":
            assert "cloud" not in {found.target, found.otherwise}
