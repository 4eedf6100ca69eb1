"""The classifier on families that it has not seen, and the fit that made what comes along."""

import json
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from core.commands.ensemble import classify
from core.commands.head import Shares, read_head, softmax
from core.commands.labels import LABELS
from models.cli.classifier import classifier_group
from models.commands.evaluate import Report, compare, report
from models.commands.examples import (
    BadExamples,
    Example,
    parse_examples,
    read_examples,
    read_feedback,
)
from models.commands.fit import fit, lessons, written
from models.commands.likelihoods import NotAsked, likelihoods_of

EXAMPLES = read_examples()
PACKAGED = read_head((files("gateway.adapters") / "command_head.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    """Rules and head on the families that are held out."""
    return {each.name: each for each in compare(EXAMPLES)}


def test_there_are_enough_commands_of_enough_families() -> None:
    assert len(EXAMPLES) >= 400
    held = {each.family for each in EXAMPLES if each.held_out}
    fitted = {each.family for each in EXAMPLES if not each.held_out}
    assert len(held) >= 12
    assert not held & fitted
    for label in LABELS:
        assert sum(each.label == label for each in EXAMPLES if each.held_out) >= 40


def test_the_head_beats_the_keyword_rules_on_families_that_it_has_not_seen(
    reports: dict[str, Report],
) -> None:
    assert reports["head"].accuracy > reports["keywords"].accuracy + 0.25
    assert reports["head"].accuracy > 0.68


def test_no_delete_is_called_a_read_on_families_that_it_has_not_seen(
    reports: dict[str, Report],
) -> None:
    assert reports["head"].deletes_as_reads == []


def test_what_comes_along_calls_next_to_nothing_harmless_that_is_not() -> None:
    made = report("all", EXAMPLES, PACKAGED)
    assert made.deletes_as_reads == []
    wrong = [(label, command) for command, label, given in made.wrong if given == "READ"]
    assert len(wrong) <= 2, wrong


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.command[:40])
def test_no_rule_calls_a_delete_harmless(example: Example) -> None:
    if example.label == "DELETE":
        assert classify(example.command, None).label != "READ"


def test_what_comes_along_knows_what_it_was_fitted_on() -> None:
    assert report("all", EXAMPLES, PACKAGED).accuracy > 0.9


def test_the_weights_that_come_along_are_what_the_fit_gives() -> None:
    again = fit(lessons(EXAMPLES))
    assert again.rows.keys() == PACKAGED.rows.keys()
    most = max(
        abs(mine - theirs)
        for name, row in again.rows.items()
        for mine, theirs in zip(row, PACKAGED.rows[name], strict=True)
    )
    assert most <= 0.05  # sums are not the same in their last digits everywhere
    assert again.alone == PACKAGED.alone


def test_likelihoods_are_mixed_in_where_they_help() -> None:
    told = {
        part.text: softmax([4.0 * (label == each.label) for label in LABELS])
        for each in lessons(EXAMPLES)
        for part in (each.part,)
    }
    found = {each.name: each for each in compare(EXAMPLES, told)}
    assert found["ensemble"].accuracy > found["head"].accuracy
    assert found["ensemble"].deletes_as_reads == []


def test_a_fit_without_families_to_hold_away_mixes_evenly() -> None:
    head = fit(lessons([Example("ls", "READ", "one"), Example("rm a", "DELETE", "one")]))
    assert (head.alone.head, head.alone.rules) == (1.0, 1.0)
    assert read_head(written(head)) == head


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a]\nREAD = ['ls']\nWRITE = ['x']", "a: there is no label 'WRITE'"),
        ("[a]\nREAD = ['ls']\nDELETE = ['ls']", "Labelled twice: 'ls'"),
    ],
)
def test_wrong_examples_are_refused(text: str, says: str) -> None:
    with pytest.raises(BadExamples, match=says):
        parse_examples(text)


def test_feedback_is_learnt_from(tmp_path: Path) -> None:
    path = tmp_path / "said.jsonl"
    path.write_text('{"command": "foo bar", "given": "CREATE", "expected": "READ"}\n')
    assert read_feedback(path) == [Example("foo bar", "READ", "feedback")]


@pytest.mark.parametrize("line", ["x", "[]", "{}", '{"command": "a", "expected": "X"}'])
def test_feedback_that_is_none_is_refused_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "said.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(BadExamples, match="line 1"):
        read_feedback(path)


def client(answer: object, status: int = 200) -> httpx.Client:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json=answer))
    return httpx.Client(base_url="http://model.example/v1/", transport=transport)


def test_likelihoods_are_asked_for_every_part_once() -> None:
    answer = {"choices": [{"logprobs": {"top_logprobs": [{" READ": -0.1}]}}]}
    done: list[int] = []
    examples = [Example("ls; pwd", "READ", "a"), Example("ls", "READ", "a")]
    examples.append(Example("bash x.sh", "CREATE", "a"))
    found: dict[str, Shares] = likelihoods_of(examples, client(answer), "tiny", done.append)
    assert set(found) == {"ls", "pwd"}
    assert done == [1, 2, 3]
    unnamed = {"choices": [{"logprobs": {"top_logprobs": [{"\n": -0.1}]}}]}
    assert likelihoods_of(examples, client(unnamed), "tiny") == {}


@pytest.mark.parametrize(("answer", "status"), [({}, 200), ({"choices": []}, 200), ({}, 500)])
def test_a_server_without_likelihoods_is_named(answer: object, status: int) -> None:
    with pytest.raises(NotAsked, match="no likelihoods"):
        likelihoods_of([Example("ls", "READ", "a")], client(answer, status), "tiny")


def test_the_evaluation_is_printed() -> None:
    result = CliRunner().invoke(classifier_group, ["eval", "--wrong"])
    assert result.exit_code == 0, result.output
    assert "head: " in result.stdout
    assert "0 DELETE called READ" in result.stdout
    result = CliRunner().invoke(classifier_group, ["eval", "--json"])
    keywords, head = json.loads(result.stdout)["held_out"]
    assert head["accuracy"] > keywords["accuracy"]
    assert head["deletes_as_reads"] == []


def test_a_fit_is_written(tmp_path: Path) -> None:
    said = tmp_path / "said.jsonl"
    said.write_text('{"command": "frobnicate it", "expected": "DELETE"}\n')
    path = tmp_path / "head.json"
    arguments = ["fit", str(path), "--feedback", str(said), "--json"]
    result = CliRunner().invoke(classifier_group, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["examples"] == len(EXAMPLES) + 1
    head = read_head(path.read_text(encoding="utf-8"))
    assert "pv=frobnicate it" in head.rows


def test_what_cannot_be_read_or_asked_ends_with_its_reason(tmp_path: Path) -> None:
    missing = ["eval", "--feedback", str(tmp_path / "none.jsonl")]
    away = ["eval", "--model-url", "http://127.0.0.1:9/v1"]
    for arguments, said in ((missing, "none.jsonl"), (away, "no likelihoods")):
        result = CliRunner().invoke(classifier_group, arguments)
        assert result.exit_code == 1
        assert said in result.stderr
