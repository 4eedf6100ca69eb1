"""The learned router: what it learns, and the figures by which it is judged."""

import gzip
import json
import random
from math import hypot
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.evaluation import eval_group
from gateway.pipeline.learned.judge import average_gap, judge
from gateway.pipeline.learned.neighbours import Neighbours
from gateway.pipeline.learned.ridge import apply, solve, sums
from gateway.pipeline.learned.router import Outcome, learn, read_outcomes
from gateway.pipeline.learned.shape import offers_choices, shape, without_choices


def outcomes(count: int, seed: int) -> list[Outcome]:
    """Long prompts, and those near the first axis, are beyond the weak model."""
    drawn = random.Random(seed)
    found = []
    for _ in range(count):
        hard, near = drawn.random() < 0.5, drawn.random() < 0.5
        prompt = "Add 5 and 7. " * (6 if hard else 1)
        vector = [1.0, 0.0] if near else [0.0, 1.0]
        weak = drawn.random() > 0.1 + 0.35 * hard + 0.35 * near
        found.append(Outcome(prompt, vector, weak, strong_ok=True))
    return found


def asked(prompt: str, vector: list[float]) -> Outcome:
    """A prompt of which nothing came yet."""
    return Outcome(prompt, vector, weak_ok=False, strong_ok=False)


def unit(vector: list[float]) -> list[float]:
    """A vector of length one."""
    return [value / hypot(*vector) for value in vector]


def test_what_the_weak_model_cannot_do_is_predicted() -> None:
    router, test = learn(outcomes(400, 1)), outcomes(400, 2)
    gains = [router.gain(one) for one in test]
    assert average_gap(gains, [one.gain for one in test]) > 0.65
    easy, hard = asked("Add 5 and 7. ", [0.0, 1.0]), asked("Add 5 and 7. " * 6, [1.0, 0.0])
    assert router.gain(hard) > router.gain(easy) + 0.3


def test_prompts_that_only_their_neighbours_tell_are_told_by_them() -> None:
    # Each of 24 themes is right or wrong as a whole, and no direction of the space parts the two.
    drawn = random.Random(7)
    themes = [(unit([drawn.gauss(0, 1) for _ in range(6)]), at % 2 == 0) for at in range(24)]

    def some(count: int) -> list[Outcome]:
        drawn_themes = drawn.choices(themes, k=count)
        return [
            Outcome("Which?", unit([v + drawn.gauss(0, 0.02) for v in theme]), weak, strong_ok=True)
            for theme, weak in drawn_themes
        ]

    test = some(200)
    router = learn(some(1_500))
    assert average_gap([router.gain(one) for one in test], [one.gain for one in test]) > 0.7
    assert Neighbours([], []).gain([1.0, 0.0]) == 0


def test_a_prompt_is_also_known_by_what_stands_before_its_choices() -> None:
    assert without_choices("Which?\nA. one\nB. two") == "Which?\n"
    assert without_choices("Which one?") == "Which one?"
    line = json.dumps({"prompt": "Which?\nA. one\nB. two", "weak_ok": 0, "strong_ok": 1})
    [one] = read_outcomes([line], "rows", lambda text: [float(len(text)), 0.0])
    assert (one.vector, one.stem) == ([20.0, 0.0], [7.0, 0.0])


def test_a_form_of_which_little_is_known_gains_the_mean() -> None:
    learnt = outcomes(60, 3)
    router = learn(learnt)
    mean = sum(one.gain for one in learnt) / len(learnt)
    other = asked("Which?\nA. one\nB. two\nAnswer:", [1.0, 0.0])
    assert router.gain(other) == pytest.approx(mean)
    assert learn([]).gain(asked("anything", [])) == 0


def test_choices_make_a_form_of_their_own() -> None:
    assert offers_choices("Which?\nA. one\nB. two")
    assert not offers_choices("A. N. Other asks for two")
    assert len(shape("")) == len(shape("Which?\nA. 1\nB. 2"))


def test_ridge_solves_the_normal_equations() -> None:
    drawn = random.Random(0)
    rows = [[1.0, drawn.gauss(0, 1), drawn.gauss(0, 1)] for _ in range(200)]
    targets = apply([0.5, 2.0, -1.0], rows)
    half, rest = sums(rows[:100], targets[:100]), sums(rows[100:], targets[100:])
    both = half + rest
    assert solve(both, [1.0, 1.0, 1.0], 0.0) == pytest.approx([0.5, 2.0, -1.0], abs=1e-5)
    assert (both - rest).cross == pytest.approx(half.cross)
    shrunk = solve(both, [1.0, 1.0, 0.0], 1e6)
    assert abs(shrunk[1]) < 0.01
    assert shrunk[2] == 0


def test_figures_are_those_of_the_gap_recovered() -> None:
    truth = [1, 1, 0, 0]
    best, worst = judge([4, 3, 2, 1], truth), judge([1, 2, 3, 4], truth)
    assert best is not None
    assert worst is not None
    assert (best.apgr, best.cpt50, best.cpt80) == (0.75, 0.25, 0.5)
    assert (worst.apgr, worst.cpt50, worst.cpt80) == (0.25, 0.75, 1.0)
    assert best.low <= best.apgr <= best.high
    assert judge([1, 2], [0, -1]) is None
    assert average_gap([1, 2], [0, 0]) == 0.5


def row(one: Outcome, **more: object) -> str:
    told = {"id": "x", "prompt": one.prompt, "weak_ok": int(one.weak_ok), "strong_ok": 1}
    return json.dumps({**told, **more})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[]", "one JSON object"),
        ("{}", "'prompt'"),
        ('{"prompt": "x", "weak_ok": 2, "strong_ok": 1}', "'weak_ok'"),
        ('{"prompt": "x", "weak_ok": 0}', "'strong_ok'"),
    ],
)
def test_a_row_that_will_not_do_is_named(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"rows, line 2: .*{said}"):
        read_outcomes(["", line], "rows", lambda _: [])


def test_vectors_of_two_lengths_are_refused() -> None:
    one = outcomes(1, 0)[0]
    with pytest.raises(ValueError, match="1 and 2 numbers"):
        read_outcomes([row(one, vector=[1]), row(one, vector=[1, 2])], "rows", lambda _: [])


def test_the_command_prints_the_figures_of_each_bench(tmp_path: Path) -> None:
    paths = []
    for seed in (1, 2):
        path = tmp_path / f"{seed}.jsonl.gz"
        lines = [
            row(one, bench="ab"[at % 2], vector=one.vector)
            for at, one in enumerate(outcomes(120, seed))
        ]
        path.write_bytes(gzip.compress("\n".join(lines).encode()))
        paths.append(str(path))
    args = ["router", "--rows", paths[0], "--test", paths[1]]
    result = CliRunner().invoke(eval_group, [*args, "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found) == {"a", "b"}
    assert set(found["a"]) == {"apgr", "low", "high", "cpt50", "cpt80", "n"}
    assert found["a"]["n"] == 60
    assert "a: apgr" in CliRunner().invoke(eval_group, args).stdout
