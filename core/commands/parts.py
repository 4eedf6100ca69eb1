"""What a command line really runs: every command in it, however deep it is wrapped.

Decides what is a wrapper (`sudo`, `env`, `xargs`, `sh -c`, `ssh`, `find -exec`, `docker exec`) and
what a program is fed (a here-document, `echo … |`), and takes SQL out of the clients that run it.
What cannot be known before it runs (`eval "$x"`, `curl … | sh`) is a part of kind `opaque`, which
nobody may call harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.commands import sql
from core.commands.lexer import Redirection, Simple, lex

MOST_PARTS: Final = 64
MOST_DEPTH: Final = 6

Kind = Literal["shell", "sql", "opaque"]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that runs. `words` of a shell command, `text` as a person reads it.

    `writes` are the operators by which its output goes into files.
    """

    kind: Kind
    text: str
    words: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


_RESERVED: Final = frozenset(
    ("if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", "coproc")
)
_ENDINGS: Final = frozenset(("fi", "done", "esac", "}"))
_HEADERS: Final = frozenset(("for", "case", "select", "function"))
_SHELLS: Final = frozenset(("sh", "bash", "zsh", "dash", "ksh", "fish", "ash"))
_INTERPRETERS: Final = frozenset(("python", "python3", "perl", "ruby", "node", "php"))
_RUNS_WITHIN: Final = {
    "awk": re.compile(r"system\s*\(|[>|]"),
    "gawk": re.compile(r"system\s*\(|[>|]"),
    "sed": re.compile(r"(?:^|[;{}/\d$,]\s*)[ewW](?:\s|$)|/[gip\d]*[ew][gipew\d]*\s*(?:;|$|\s)"),
    "less": re.compile(r"^\+"),
    "vim": re.compile(r"^[+:]"),
}
"""Programs whose own language can run commands or write files, and where that stands."""

_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
_NOWHERE: Final = frozenset(("/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"))

# Wrappers, and which of their flags take a word of their own.
_WRAPPERS: Final = {
    "sudo": "-u -g -h -p -C -r -t --user --group", "doas": "-u -C", "env": "-u -C --unset",
    "nohup": "", "nice": "-n", "ionice": "-c -n", "setsid": "", "stdbuf": "-o -e -i",
    "command": "", "builtin": "", "exec": "-a", "xargs": "-I -n -P -L -d -s -a -E",
    "parallel": "-j -I -N --jobs", "watch": "-n --interval", "unbuffer": "", "busybox": "",
    "time": "-f -o", "strace": "-e -o -p", "caffeinate": "-t", "proxychains": "", "torsocks": "",
}  # fmt: skip
_FIND_RUNS: Final = frozenset(("-exec", "-execdir", "-ok", "-okdir"))
_AFTER_ONE: Final = {
    "timeout": "-s -k --signal --kill-after", "chroot": "-u", "flock": "-w -E", "taskset": "",
    "chrt": "", "runuser": "-u -g", "torify": "",
}  # fmt: skip
"""Wrappers whose first own word is none of the command's."""

_SQL_CLIENTS: Final = {
    "psql": ("-c", "--command"), "mysql": ("-e", "--execute"), "mariadb": ("-e", "--execute"),
    "sqlcmd": ("-Q", "-q"), "bq": (), "clickhouse-client": ("-q", "--query"), "cockroach": ("-e",),
    "duckdb": ("-c",), "snowsql": ("-q",), "sqlite3": (),
}  # fmt: skip
_INTO_CONTAINERS: Final = frozenset(
    ("docker", "podman", "kubectl", "oc", "nerdctl", "docker-compose")
)
_CONTAINER_FLAGS: Final = (
    "-u --user -w --workdir -e --env -v --volume -p --publish --name --network --env-file -l"
    " --label --mount --entrypoint -n --namespace -c --container --memory --cpus -h --index"
    " --hostname --restart --platform"
)


def parts_of(text: str) -> list[Part]:
    """Everything that a text runs, in order; at most `MOST_PARTS`, and then one opaque part."""
    found: list[Part] = []
    for part in _read(text, 0):
        if len(found) == MOST_PARTS:
            found.append(Part("opaque", "…"))
            break
        found.append(part)
    return found


def _read(text: str, depth: int) -> Iterator[Part]:
    if depth > MOST_DEPTH:
        yield Part("opaque", _short(text))
    elif sql.is_sql(text):
        for statement in sql.statements(text):
            yield Part("sql", _short(statement), (statement,))
    else:
        commands = lex(text)
        for at, command in enumerate(commands):
            fed = _fed(command, commands[at - 1] if at and command.piped else None)
            yield from _simple(command, fed, depth)


def _fed(command: Simple, before: Simple | None) -> str | None:
    """What a command reads, where that stands there; an empty text where it cannot be known."""
    for each in reversed(command.redirections):
        if each.operator in {"<<", "<<<"}:
            return each.target
        if each.operator == "<":
            return ""
    if before is None:
        return None
    words = _without_reserved(before.words)
    if words and words[0] in {"echo", "printf"} and not before.nested:
        told = [word for word in words[1:] if word not in {"-e", "-n", "-en", "-ne"}]
        return " ".join(told).replace("\\n", "\n")
    return ""


def _simple(command: Simple, fed: str | None, depth: int) -> Iterator[Part]:
    for nested in command.nested:
        yield from _read(nested, depth + 1)
    words = _without_reserved(command.words)
    writes = tuple(_writes(command.redirections))
    if not words or words[0] in _HEADERS or words[0] in _ENDINGS:
        if writes:
            yield Part("shell", f"{writes[0]} file", (":",), writes)
        return
    yield from _unwrapped(words, writes, fed, depth)


def _unwrapped(
    words: list[str], writes: tuple[str, ...], fed: str | None, depth: int
) -> Iterator[Part]:
    """The command within its wrappers; the outermost keeps what is written."""
    if depth > MOST_DEPTH:
        yield Part("opaque", _short(" ".join(words)))
        return
    inner = list(_inner(words, fed, depth))
    if not inner:
        kind: Kind = "opaque" if _is_opaque(words) else "shell"
        yield Part(kind, _short(" ".join(words)), tuple(words), writes)
        return
    yield from inner
    if writes:
        yield Part("shell", f"{writes[0]} file", (":",), writes)


def _inner(words: list[str], fed: str | None, depth: int) -> Iterator[Part]:
    """What these words run instead of themselves; nothing where they are no wrapper."""
    name = program(words)
    if name == "env" and words[1:2] == ["-S"]:
        yield from _read(" ".join(words[2:]), depth + 1)
    elif name in _WRAPPERS or name in _AFTER_ONE:
        rest = _after_flags(words[1:], _WRAPPERS.get(name) or _AFTER_ONE.get(name, ""))
        rest = rest[1:] if name in _AFTER_ONE else rest
        rest = _without_reserved(rest)
        if rest:
            yield from _unwrapped(rest, (), fed, depth + 1)
    elif name in _SHELLS or name in {"su", "ssh", "eval"}:
        yield from _shell(name, words, fed, depth)
    elif name in _SQL_CLIENTS:
        yield from _sql_client(name, words, fed)
    elif name == "find":
        yield from _find(words, depth)
    elif name in _INTO_CONTAINERS:
        yield from _container(words, fed, depth)


def _shell(name: str, words: list[str], fed: str | None, depth: int) -> Iterator[Part]:
    if name == "eval":
        text: str | None = " ".join(words[1:])
    elif name == "ssh":
        rest = _after_flags(words[1:], "-p -i -l -o -F -J -L -R -D")
        text = " ".join(rest[1:]) or fed
    else:
        at = next((n for n, word in enumerate(words) if _is_script_flag(word)), None)
        script = any(not word.startswith("-") for word in words[1:]) and name != "su"
        text = words[at + 1] if at is not None and at + 1 < len(words) else None
        text = fed if text is None and not script else text
    if text:
        yield from _read(text, depth + 1)


def _is_script_flag(word: str) -> bool:
    return word == "--command" or (word[:1] == "-" and word[1:2] != "-" and word.endswith("c"))


def _sql_client(name: str, words: list[str], fed: str | None) -> Iterator[Part]:
    flags = _SQL_CLIENTS[name]
    texts = [word for word in words[1:] if " " in word and sql.is_sql(word)]
    for flag in flags:
        texts += [word.split("=", 1)[1] for word in words if word.startswith(f"{flag}=")]
    if not texts and fed:
        texts = [fed]
    for text in texts:
        for statement in sql.statements(text):
            yield Part("sql", _short(statement), (statement,))


def _find(words: list[str], depth: int) -> Iterator[Part]:
    """What `find` runs for every file, beside itself."""
    starts, after = [], 0
    for at, word in enumerate(words):
        # What stands within one command's words is that command's own.
        if at >= after and word in _FIND_RUNS and at + 1 < len(words):
            starts.append(at)
            ends = (n for n in range(at, len(words)) if words[n] in {";", "+"})
            after = next(ends, len(words))
            yield from _unwrapped(words[at + 1 : after], (), None, depth + 1)
    if starts:
        own = words[: starts[0]] + ["-delete"] * ("-delete" in words)
        yield Part("shell", _short(" ".join(own)), tuple(own))


def _container(words: list[str], fed: str | None, depth: int) -> Iterator[Part]:
    """What is run inside a container that is there; `docker run` makes one first."""
    verbs = [word for word in words[1:] if not word.startswith("-")]
    if not any(verb in {"exec", "run"} for verb in verbs[:3]):
        return
    at = next(n for n, word in enumerate(words) if word in {"exec", "run"})
    if words[at] == "run":
        yield Part("shell", _short(" ".join(words)), tuple(words))
    if "--" in words[at:]:
        rest = words[words.index("--", at) + 1 :]
    else:
        rest = _after_flags(words[at + 1 :], _CONTAINER_FLAGS)[1:]
    if rest:
        yield from _unwrapped(rest, (), fed, depth + 1)


def _is_opaque(words: Sequence[str]) -> bool:
    """Whether it runs what cannot be seen from here."""
    name = program(words)
    within = _RUNS_WITHIN.get(name)
    if within is not None and any(within.search(word) for word in words[1:]):
        return True
    if words[0].startswith("$") or name in _SHELLS or name in {"eval", "source", ".", "ssh", "su"}:
        return not _asks_for_version(words)
    if name in _SQL_CLIENTS:
        return len(words) > 1 and "-f" in words
    if name in _INTERPRETERS:
        return not _asks_for_version(words)
    return False


def _asks_for_version(words: Sequence[str]) -> bool:
    return len(words) == 2 and words[1] in {"--version", "-V", "-v", "--help", "-n"}


def program(words: Sequence[str]) -> str:
    """The program's name without its folder."""
    return words[0].rpartition("/")[2].lower() if words else ""


def _writes(redirections: Sequence[Redirection]) -> Iterator[str]:
    for each in redirections:
        into_file = each.operator in {">", ">>", ">|", "&>", "&>>", "<>", ">&"}
        if into_file and each.target not in _NOWHERE and not each.target.lstrip("-").isdigit():
            yield each.operator


def _without_reserved(words: Sequence[str]) -> list[str]:
    """The words from the program's name on."""
    at = 0
    while at < len(words) and (words[at] in _RESERVED or _ASSIGNMENT.match(words[at])):
        at += 1
    return list(words[at:])


def _after_flags(words: Sequence[str], with_value: str) -> list[str]:
    """The words behind a wrapper's own flags."""
    takes, at = with_value.split(), 0
    while at < len(words) and words[at].startswith("-"):
        if words[at] == "--":
            return list(words[at + 1 :])
        at += 2 if words[at] in takes else 1
    return list(words[at:])


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"
