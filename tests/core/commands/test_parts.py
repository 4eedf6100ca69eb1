"""Every command in a line is found, however it is wrapped."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands.parts import MOST_PARTS, Part, parts_of


def texts(command: str) -> list[str]:
    return [part.text for part in parts_of(command)]


@pytest.mark.parametrize(
    "command",
    [
        "rm a",
        "sudo rm a",
        "env -S 'rm a'",
        "sudo -u www -- rm a",
        "env -i A=1 B=2 rm a",
        "nohup nice -n 5 rm a &",
        "timeout -k 5 10 rm a",
        "A=1 rm a",
        "! rm a",
        "sh -c 'rm a'",
        "bash -lc 'rm a'",
        "sudo env A=1 sh -c 'rm a'",
        "su - anna -c 'rm a'",
        "ssh -p 22 web1 rm a",
        "eval rm a",
        "eval 'rm a'",
        "docker exec -it -u root web rm a",
        "kubectl exec -n prod web -- rm a",
        "kubectl exec web -c app -- sh -c 'rm a'",
        "xargs -n 1 -I{} rm a",
        "echo 'rm a' | sh",
        "bash <<E\nrm a\nE",
        "bash <<< 'rm a'",
        "if true; then rm a; fi",
        "for f in x; do rm a; done",
        "while true; do rm a; done",
        "{ rm a; }",
        "echo $(rm a)",
        'echo "x $(echo `rm a`)"',
        "find . -exec rm a \\;",
        "find . -exec ls {} \\; -exec rm a \\;",
        "find . -exec sh -c 'rm a' \\;",
        "/usr/bin/sudo rm a",
        "flock /tmp/lock rm a",
    ],
)
def test_the_command_within_is_found(command: str) -> None:
    assert "rm a" in texts(command)


@pytest.mark.parametrize(
    "command",
    [
        "echo 'rm a'",
        "echo '$(rm a)'",
        "ls # rm a",
        "grep 'rm a' file",
        "cat <<E\nrm a\nE",
    ],
)
def test_what_is_only_text_is_no_command(command: str) -> None:
    assert "rm a" not in texts(command)


@pytest.mark.parametrize(
    "command",
    [
        'eval "$X"', "$RUN me", "curl https://x.example/i.sh | sh", "bash install.sh",
        "source ./env", "python script.py", "psql -f dump.sql", "ssh web1", "sh < script",
        "awk 'BEGIN{system(1)}'", "awk '{print > \"a\"}' b", "sed 's/a/b/we' x",
        "sed -n 'w out' a", "less +!x a",
    ],
)  # fmt: skip
def test_what_cannot_be_seen_is_opaque(command: str) -> None:
    assert parts_of(command)[-1].kind == "opaque"


@pytest.mark.parametrize("command", ["bash --version", "python3 -V"])
def test_asking_for_a_version_hides_nothing(command: str) -> None:
    assert [part.kind for part in parts_of(command)] == ["shell"]


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("SELECT 1; DELETE FROM a;", ["SELECT 1", "DELETE FROM a"]),
        ("psql -c 'DROP TABLE a'", ["DROP TABLE a"]),
        ("psql --command='DROP TABLE a' db", ["DROP TABLE a"]),
        ("sudo -u postgres psql -c 'SELECT 1; DROP TABLE a'", ["SELECT 1", "DROP TABLE a"]),
        ("sqlite3 a.db 'DELETE FROM a'", ["DELETE FROM a"]),
        ("mysql shop <<< 'DROP TABLE a'", ["DROP TABLE a"]),
        ("psql db <<E\nTRUNCATE a;\nE", ["TRUNCATE a"]),
        ("echo 'DELETE FROM a' | psql", ["DELETE FROM a"]),
        ("SELECT ';' -- ; x\n; DELETE FROM a", ["SELECT ';' -- ; x", "DELETE FROM a"]),
    ],
)
def test_sql_is_taken_out_of_what_runs_it(command: str, found: list[str]) -> None:
    assert [part.text for part in parts_of(command) if part.kind == "sql"] == found


@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("ls > a", (">",)),
        ("ls >> a 2>&1", (">>",)),
        ("ls 2>/dev/null", ()),
        ("ls < a", ()),
        ("> a", (">",)),
    ],
)
def test_what_is_written_is_known(command: str, writes: tuple[str, ...]) -> None:
    assert parts_of(command)[-1].writes == writes


def test_a_wrapper_keeps_what_is_written() -> None:
    assert [part.writes for part in parts_of("sudo ls > a")] == [(), (">",)]


def test_nothing_is_nothing() -> None:
    assert parts_of(" # only a remark") == []


def test_too_many_parts_end_in_one_that_nobody_may_call_harmless() -> None:
    found = parts_of(";".join(["ls"] * 500))
    assert len(found) == MOST_PARTS + 1
    assert found[-1] == Part("opaque", "…")


@pytest.mark.parametrize("wrap", ["sudo ", "$(", "env ", "sh -c "])
def test_too_deep_is_opaque(wrap: str) -> None:
    assert "opaque" in {part.kind for part in parts_of(wrap * 40 + "rm a")}


def test_a_long_text_is_shown_cut() -> None:
    [part] = parts_of("ls " + "a" * 500)
    assert len(part.text) == 80


@given(st.text(alphabet="ab '\"\\$`()<>|&;\n-", max_size=80))
def test_any_text_has_parts(text: str) -> None:
    assert len(parts_of(text)) <= MOST_PARTS + 1


@pytest.mark.parametrize(
    "piece",
    [
        *("--\n", "$(", "`", "/*", "'", "<<a\n", "(", "sudo ", "env A=1 ", "eval '", "| /*"),
        *("select into ", "on conflict ", "find . -exec ", "docker exec a ", "sh -c '"),
    ],
)
def test_hostile_texts_take_no_time(piece: str) -> None:
    started = time.perf_counter()
    parts_of("SELECT 1 " + piece * (4_000 // len(piece)))
    parts_of((piece * 4_000)[:4_000])
    assert time.perf_counter() - started < 1.0
