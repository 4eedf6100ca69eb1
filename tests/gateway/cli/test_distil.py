"""`fanlight eval distil`: what it prints, and what it says of files that will not do."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli.evaluation import eval_group

TURNS = [
    {"conv": "c", "dia_id": f"D{at}", "speaker": "Ann", "text": text}
    for at, text in enumerate(
        ["My dog is called Rex", *(f"some talk, part {n}" for n in range(40))]
    )
]


def written(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def run(turns: Path, questions: Path, *more: str) -> Result:
    told = ["distil", "--turns", str(turns), "--questions", str(questions), *more]
    return CliRunner().invoke(eval_group, told)


def test_the_figures_are_printed_as_one_object(tmp_path: Path) -> None:
    turns = written(tmp_path / "t.jsonl", *TURNS)
    asked = {"conv": "c", "question": "what is the dog called?", "evidence": ["D0"]}
    questions = written(tmp_path / "q.jsonl", asked)
    said = run(turns, questions, "--budget", "40", "--json")
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert (found["distil"], found["last_six"], found["turns"]) == (1.0, 0.0, 1)
    assert "distil" in run(turns, questions).stdout


def test_questions_without_evidence_are_refused(tmp_path: Path) -> None:
    turns = written(tmp_path / "t.jsonl", *TURNS)
    asked = {"conv": "c", "question": "what is the dog called?", "evidence": []}
    said = run(turns, written(tmp_path / "q.jsonl", asked))
    assert said.exit_code == 1
    assert "evidence" in said.stderr
