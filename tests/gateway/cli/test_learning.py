"""`fanlight eval learning`: outcomes replayed as turns, in bounded time, with honest sums."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from gateway.cli.learning import learning_command

TOPICS = {"What are your opening hours": True, "Prove this theorem about primes": False}


def test_what_a_strong_model_is_needed_for_is_learnt_from_what_came_of_it(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    with rows.open("w", encoding="utf-8") as file:
        for number in range(120):
            for topic, weak_ok in TOPICS.items():
                row = {
                    "id": f"{topic}{number}",
                    "bench": "made",
                    "prompt": f"{topic}, case {number}?",
                    "weak_ok": weak_ok,
                    "strong_ok": True,
                }
                file.write(json.dumps(row) + "\n")
    done = CliRunner().invoke(learning_command, ["--rows", str(rows), "--turns", "200", "--json"])
    assert done.exit_code == 0, done.output
    spans = json.loads(done.stdout)["spans"]
    assert [one["turns"] for one in spans] == [50, 50, 50, 50]
    last = spans[-1]
    assert last["right_strong"] == 1.0
    assert 0.3 < last["right_weak"] < 0.7
    # Half of the questions need no strong model, and it is not asked for them any more.
    assert last["strong"] < 0.8
    assert last["right"] > 0.9
