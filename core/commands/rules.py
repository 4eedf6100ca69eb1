"""Keyword rules: what well-known commands do. They decide where no model can, and help one that is.

Decides by the program, its verb and a few flags. Nothing is guessed: of what is not in the tables
the rules say nothing.
"""

from __future__ import annotations

from typing import Final

from core.commands import sql
from core.commands.labels import Label
from core.commands.parts import Part, program


def _table(**rows: str) -> dict[str, Label]:
    return {word: label for label, words in rows.items() for word in words.split()}  # type: ignore[misc]


PROGRAMS: Final = _table(
    READ="ls ll cat less more head tail grep egrep fgrep rg ag find locate which whereis type pwd"
    " cd echo printf ps top htop df du free uptime whoami id uname date cal wc uniq cut diff"
    " cmp file stat tree env printenv history man ping dig nslookup host netstat ss lsof awk jq"
    " test [ sort true false sleep md5sum sha256sum basename dirname realpath readlink seq tr"
    " column nl tac",
    CREATE="touch mkdir mkfifo mktemp cp ln tee wget useradd adduser groupadd ssh-keygen",
    UPDATE="mv chmod chown chgrp rename patch usermod passwd mount umount rsync",
    DELETE="rm rmdir unlink shred kill pkill killall userdel groupdel mkfs dd wipefs truncate",
)
VERBS: Final = {
    "git": _table(
        READ="status log diff show blame grep ls-files ls-tree rev-parse describe shortlog",
        CREATE="init clone add fetch",
        UPDATE="commit push pull merge rebase checkout switch restore cherry-pick revert mv",
        DELETE="rm clean reset gc",
    ),
    "docker": _table(
        READ="ps images logs inspect version info stats top port history search diff",
        CREATE="run build pull create",
        UPDATE="start stop restart pause unpause tag push rename update commit exec",
        DELETE="rm rmi kill prune",
    ),
    "kubectl": _table(
        READ="get describe logs top explain version api-resources cluster-info diff",
        CREATE="create run expose",
        UPDATE="apply edit patch scale label annotate set replace",
        DELETE="delete drain",
    ),
}
_GIT_LISTS: Final = frozenset(("branch", "tag", "push"))
_UNDER_FLAGS: Final[dict[str, dict[str, Label]]] = {
    "sort": _table(CREATE="-o --output"),
    "curl": _table(CREATE="-o -O --output --remote-name"),
    "git": _table(CREATE="--output"),
    "date": _table(UPDATE="-s --set"),
    "history": _table(DELETE="-c -d"),
}
"""Programs that only read but under these flags."""

_SED_IN_PLACE: Final = ("-i", "--in-place")


def by_rules(part: Part) -> tuple[Label, str] | None:
    """What the tables say of a part, and by which words; None where they say nothing."""
    if part.kind == "sql":
        return sql.verdict(part.words[0])
    if part.kind == "opaque":
        return None
    found = _named(part)
    if part.writes and (found is None or found[0] == "READ"):
        return ("UPDATE", ">>") if ">>" in part.writes or "&>>" in part.writes else _written(part)
    return found


def _written(part: Part) -> tuple[Label, str]:
    """A file is written anew; with nothing, it is emptied."""
    empties = part.words[0] in {":", "true"} or part.words[:2] == ("cat", "/dev/null")
    return ("DELETE", "> file") if empties else ("CREATE", ">")


def _named(part: Part) -> tuple[Label, str] | None:
    name, words = program(part.words), part.words
    if name == "sed":
        edits = any(word.startswith(_SED_IN_PLACE) for word in words)
        return ("UPDATE", "sed -i") if edits else ("READ", "sed")
    under = _UNDER_FLAGS.get(name, {})
    for flag in (word.partition("=")[0] for word in words):
        if flag in under:
            return under[flag], f"{name} {flag}"
    if name == "find" and "-delete" in words:
        return "DELETE", "find -delete"
    taken = _git_takes_away(words) if name == "git" else None
    if taken is not None:
        return taken
    verbs = VERBS.get(name)
    if verbs is None:
        label = PROGRAMS.get(name)
        return (label, name) if label else None
    for verb in (word for word in words[1:] if not word.startswith("-")):
        if verb in verbs:
            return verbs[verb], f"{name} {verb}"
    return None


def _git_takes_away(words: tuple[str, ...]) -> tuple[Label, str] | None:
    """`git branch -d` and its like, whose verb alone says nothing."""
    for verb in sorted(_GIT_LISTS & set(words)):
        if {"-d", "-D", "--delete"} & set(words):
            return "DELETE", f"git {verb} -d"
    return None
