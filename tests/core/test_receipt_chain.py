"""What is wrong with kept receipts: each kind of break beside a chain that is whole."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from core import jose
from core.digest import sha256_hex
from core.receipt_chain import Kept, breaks, chains, read_receipt
from core.receipts import TYP, Receipt, chain_hash

FIRST = Receipt(
    turn_id="t_" + "0" * 32,
    site="site_demo",
    sid="s",
    question_sha256=sha256_hex("?"),
    answer_sha256=sha256_hex("!"),
    model=None,
    model_release=None,
    confidence=0.5,
    provenance="server",
    escalate=False,
    prev=None,
    iat=1,
)


def chain(length: int, sid: str = "s", *, tag: str = "", after: str | None = None) -> list[Kept]:
    """A session's receipts; the token only has to be unique here."""
    made: list[Kept] = []
    for number in range(length):
        token = f"{sid}{tag}{number}"
        made.append(Kept(token, token, replace(FIRST, sid=sid, prev=after)))
        after = chain_hash(token)
    return made


def told(*kept: Kept) -> list[tuple[str, str]]:
    return [(found.place, found.kind) for found in breaks(kept)]


A, B, C, D = chain(4)


def test_whole_chains_have_no_break_however_they_are_mixed() -> None:
    x, y = chain(2, "x")
    assert told(A, x, B, C, y, D) == []
    assert [(one.sid, one.receipts) for one in chains([A, x, B])] == [("s", 2), ("x", 1)]
    assert chains([A, x, B])[0].head == chain_hash(B.token)


@pytest.mark.parametrize(
    ("kept", "expected"),
    {
        "missing in the middle": ([A, C, D], [("s2", "missing")]),
        "missing at the beginning": ([B, C], [("s1", "missing")]),
        "missing twice": ([B, D], [("s1", "missing"), ("s3", "missing")]),
        "swapped": ([A, C, B, D], [("s2", "reordered"), ("s1", "reordered"), ("s3", "reordered")]),
        "the first one later": ([B, A], [("s1", "reordered"), ("s0", "reordered")]),
        "twice": ([A, B, B, C], [("s1", "duplicate")]),
        "the first one twice": ([A, A, B], [("s0", "duplicate")]),
    }.values(),
)
def test_a_break_is_named_where_it_is(kept: list[Kept], expected: list[tuple[str, str]]) -> None:
    assert told(*kept) == expected


def test_a_second_successor_is_a_fork() -> None:
    [rival] = chain(1, tag="rival", after=chain_hash(A.token))
    assert told(A, B, rival) == [("srival0", "forked")]


def test_a_second_beginning_is_a_fork() -> None:
    [rival] = chain(1, tag="rival")
    assert told(A, B, rival) == [("srival0", "forked")]


def test_what_is_missing_at_the_end_cannot_show() -> None:
    assert told(A, B) == []


def parts(changes: dict[str, Any], typ: str = TYP) -> jose.CompactJws:
    payload = {name: value for name, value in {**asdict(FIRST), **changes}.items() if value != ...}
    return jose.CompactJws("kid", typ, payload, b"", b"")


def test_claims_are_read() -> None:
    assert read_receipt(parts({})) == FIRST
    assert read_receipt(parts({"confidence": 1})).confidence == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sid": ...}, "not those of a receipt"),
        ({"colour": "red"}, "not those of a receipt"),
        ({"sid": 5}, "sid is of the wrong type"),
        ({"prev": 5}, "prev is of the wrong type"),
        ({"iat": True}, "iat is of the wrong type"),
        ({"escalate": 1}, "escalate is of the wrong type"),
    ],
)
def test_claims_of_another_form_are_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_receipt(parts(changes))


def test_a_token_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="another type"):
        read_receipt(parts({}, "fanlight-access+jwt"))
