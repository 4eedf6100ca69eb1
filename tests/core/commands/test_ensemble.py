"""A command is as bad as its worst part, and READ is given only where it is safe."""

from importlib.resources import files

import pytest

from core.commands.ensemble import classify, judge, mixed
from core.commands.features import features, verbs
from core.commands.head import BadWeights, Head, Mixing, read_head, softmax
from core.commands.labels import LABELS, Label, danger
from core.commands.parts import parts_of
from core.commands.rules import by_rules

EVEN = Mixing(1.0, 1.0, 1.0, 0.3)
BLIND = Head({}, (0.0, 0.0, 0.0, 0.0), EVEN, EVEN)
EAGER = Head({}, (9.0, 0.0, 0.0, 0.0), EVEN, EVEN)
"""Calls everything harmless."""


@pytest.fixture(scope="module")
def head() -> Head:
    """The head that comes along."""
    packaged = files("gateway.adapters") / "command_head.json"
    return read_head(packaged.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("command", "label"),
    [
        ("ls -la", "READ"),
        ("cat a.txt | grep x | sort", "READ"),
        ("sudo cat /etc/hosts", "READ"),
        ("mkdir -p build", "CREATE"),
        ("docker run -d nginx", "CREATE"),
        ("git commit -m x", "UPDATE"),
        ("echo a >> b", "UPDATE"),
        ("sed -i s/a/b/ c", "UPDATE"),
        ("kubectl get pods; kubectl delete pod web", "DELETE"),
        ("ls && rm -rf build", "DELETE"),
        ("git branch -d old", "DELETE"),
        ("> app.log", "DELETE"),
        ("cat /dev/null > app.log", "DELETE"),
        ("SELECT 1; DROP TABLE a", "DELETE"),
        ("echo 'rm -rf build' | bash", "DELETE"),
        ("find . -name x -delete", "DELETE"),
        ("docker exec db psql -c 'TRUNCATE a'", "DELETE"),
    ],
)
def test_what_commands_do(command: str, label: str, head: Head) -> None:
    assert classify(command, head).label == label


@pytest.mark.parametrize("command", ['eval "$X"', "frobnicate --all", "", "# nothing", "x | sh"])
def test_what_nobody_knows_is_asked_about(command: str, head: Head) -> None:
    assert classify(command, head).label == "CREATE"
    assert classify(command, None).label == "CREATE"


@pytest.mark.parametrize("command", ["foo delete it", "foo --purge", "foo delete-user", "bar rm"])
def test_a_word_that_takes_away_is_never_harmless_where_no_rule_knows_the_program(
    command: str,
) -> None:
    found = classify(command, EAGER)
    assert (found.label, found.method) == ("CREATE", "default")
    assert "may take something away" in found.reasoning


def test_what_cannot_be_seen_is_never_harmless() -> None:
    assert classify("bash install.sh", EAGER).label == "CREATE"
    assert classify("foo bar", EAGER).label == "READ"


def test_a_chance_of_delete_is_enough_to_ask() -> None:
    doubtful = Head({}, (1.0, -9.0, -9.0, 0.4), EVEN, EVEN)
    found = classify("foo bar", doubtful)
    assert (found.label, found.method) == ("CREATE", "default")


def test_rules_decide_without_a_head() -> None:
    found = classify("git status", None)
    assert (found.label, found.method, found.reasoning) == (
        "READ",
        "keywords",
        "READ: `git status`.",
    )
    assert classify("terraform plan", None).method == "default"


def test_a_model_is_heard_where_there_is_one() -> None:
    [part] = parts_of("foo bar")
    model = softmax([0.0, 0.0, 5.0, 0.0])
    told = judge(part, BLIND, model)
    assert (told.label, told.method) == ("UPDATE", "ensemble")
    assert classify("foo bar", BLIND, {part.text: model}).label == "UPDATE"


def test_shares_add_up_and_follow_each_voice() -> None:
    even = softmax([0.0] * 4)
    shares = mixed(Mixing(1.0, 2.0, 1.0, 0.1), even, "DELETE", softmax([0.0, 3.0, 0.0, 0.0]))
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["CREATE"] > shares["DELETE"] > shares["READ"]


def test_the_reason_names_the_worst_part(head: Head) -> None:
    found = classify("ls && rm -rf build && pwd", head)
    assert found.reasoning == "DELETE in “rm -rf build”: `rm`. It is the worst of 3 parts."
    assert classify("ls; pwd", head).reasoning.endswith("So are all of its 2 parts.")


def test_a_harmless_whole_is_as_sure_as_its_least_sure_part(head: Head) -> None:
    parts = [judge(part, head).confidence for part in parts_of("ls; jq . a.json")]
    assert classify("ls; jq . a.json", head).confidence == min(parts)


def test_the_labels_stand_from_harmless_to_worst() -> None:
    assert sorted(LABELS, key=danger) == ["READ", "CREATE", "UPDATE", "DELETE"]


def test_what_a_command_is_about_is_no_feature() -> None:
    [part] = parts_of("kubectl delete pod web-7 --grace-period=0")
    seen = features(part)
    assert {"v=delete", "pv=kubectl delete", "f=grace", "p=kubectl"} <= set(seen)
    assert not [name for name in seen if "web-7" in name]
    assert verbs(part) == ["delete", "pod", "grace-period"]
    [query] = parts_of("SELECT secret FROM users")
    assert set(features(query)) == {"q=select", "q=secret", "q=from"}
    assert verbs(query) == []
    [hidden] = parts_of("bash x.sh")
    assert set(features(hidden)) == {"opaque"}
    assert by_rules(hidden) is None


WHOLE = (
    '{"form": 1, "labels": ["READ", "CREATE", "UPDATE", "DELETE"], "scale": 1,'
    ' "bias": [0, 0, 0, 0], "alone": {"head": 1, "rules": 1, "model": 0, "most_delete": 0.1},'
    ' "together": {"head": 1, "rules": 1, "model": 0, "most_delete": 0.1}, "features": {"a": %s}}'
)


def test_weights_are_read() -> None:
    assert read_head(WHOLE % "[1, 2, 3, 4]").rows == {"a": (1.0, 2.0, 3.0, 4.0)}


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", WHOLE % "[1, 2, 3]", WHOLE % "[1, 2, 3, 1e999]", WHOLE % "null",
        (WHOLE % "[1, 2, 3, 4]").replace('"form": 1', '"form": 2'),
        (WHOLE % "[1, 2, 3, 4]").replace('"READ", "CREATE"', '"CREATE", "READ"'),
        (WHOLE % "[1, 2, 3, 4]").replace('"rules": 1', '"other": 1'),
    ],
)  # fmt: skip
def test_weights_that_are_not_whole_are_refused(text: str) -> None:
    with pytest.raises(BadWeights):
        read_head(text)


def test_rules_name_what_they_went_by() -> None:
    cases: dict[str, tuple[Label, str] | None] = {
        "sed -n 1p a": ("READ", "sed"),
        "ls > a": ("CREATE", ">"),
        "git -C x": None,
        "kubectl delete pod a": ("DELETE", "kubectl delete"),
        "sort -o a b": ("CREATE", "sort -o"),
        "git diff --output=a": ("CREATE", "git --output"),
        "date --set=now": ("UPDATE", "date --set"),
        "history -c": ("DELETE", "history -c"),
        "git push origin --delete a": ("DELETE", "git push -d"),
        "terraform destroy": None,
    }
    for command, found in cases.items():
        [part] = parts_of(command)
        assert by_rules(part) == found
