"""kill -9 of the whole gateway while visitors ask: what a visitor was told, a person gets.

`fanlight run` is killed at random moments and started again over the same files. Every escalation
that a visitor was told of is then on the operator's list as it was told and has reached the
webhook, at least once and always under one id. `FANLIGHT_KILL_ROUNDS` and `FANLIGHT_SEED` choose
how often and when.
"""

import json
import os
import random

import pytest
from click.testing import CliRunner

from gateway.cli.bench import bench_group


@pytest.mark.timeout(3600)
def test_what_a_visitor_was_told_survives_the_gateways_death(long: bool) -> None:
    kills = int(os.environ.get("FANLIGHT_KILL_ROUNDS") or (200 if long else 4))
    seed = int(os.environ.get("FANLIGHT_SEED") or random.randrange(10**9))
    print(f"FANLIGHT_SEED={seed} FANLIGHT_KILL_ROUNDS={kills}")  # noqa: T201 - to run a failure again
    escalations = 10_000 if long else 100
    options = ("--kills", kills, "--escalations", escalations, "--seed", seed, "--json")
    result = CliRunner().invoke(bench_group, ["outbox", *map(str, options)])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["acknowledged"] >= escalations
    assert figures["delivered"] == figures["acknowledged"]
    assert figures["raw_duplicates"] > 0  # answers were lost, and sent for again
    assert figures["missed"] == []
