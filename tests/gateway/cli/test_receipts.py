"""`fanlight receipts verify`: an untouched file passes, and any single change is found."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, strategies

from core import jose
from core.receipt_chain import breaks
from core.receipts import chain_hash
from gateway.adapters.crypto import LocalSigner
from gateway.adapters.key_folder import KeyFolder
from gateway.cli.receipt_files import Written, read_receipts
from gateway.cli.receipts import examine, receipts_group
from gateway.keys import OneKey
from gateway.routes.health import published_key
from tests.core.test_receipt_chain import FIRST
from tests.gateway.serving import served
from tests.gateway.world import GATEWAY, Time, World, make_app, settings

SIGNER, FOREIGN = LocalSigner.generate(), LocalSigner.generate()
KEYS = {key.kid: key for key in OneKey(SIGNER).published}


def chain(sid: str, length: int, signer: LocalSigner = SIGNER, tag: int = 0) -> list[str]:
    """A session's receipts."""
    made: list[str] = []
    for number in range(length):
        prev = chain_hash(made[-1]) if made else None
        receipt = replace(FIRST, sid=sid, prev=prev, iat=number + tag)
        signed = receipt.signing_input(jose.thumbprint(dict(signer.jwk)))
        made.append(jose.join(signed, asyncio.run(signer.sign(signed))))
    return made


ONE, OTHER = chain("one", 6), chain("other", 3)
STRANGERS = [*chain("one", 2, FOREIGN), *chain("one", 2, tag=9), *chain("new", 2, FOREIGN)]


def broken(tokens: list[str]) -> set[str]:
    """The kinds of what is wrong with these receipts."""
    written = [Written(str(number), token) for number, token in enumerate(tokens)]
    kept, found = asyncio.run(examine(written, KEYS))
    return {one.kind for one in [*found, *breaks(kept)]}


def test_an_untouched_file_passes() -> None:
    assert broken([ONE[0], OTHER[0], *ONE[1:4], OTHER[1], *ONE[4:], OTHER[2]]) == set()


@given(data=strategies.data())
def test_any_altered_letter_is_found(data: strategies.DataObject) -> None:
    number = data.draw(strategies.integers(0, len(ONE) - 1))
    place = data.draw(strategies.integers(0, len(ONE[number]) - 1))
    letter = data.draw(strategies.characters(codec="utf-8"))
    changed = ONE[number][:place] + letter + ONE[number][place + 1 :]
    tokens = [*ONE[:number], changed, *ONE[number + 1 :]]
    assert bool(broken(tokens)) == (changed != ONE[number])


@given(number=strategies.integers(0, len(ONE) - 2))
def test_any_deletion_before_the_last_is_found(number: int) -> None:
    assert broken([*ONE[:number], *ONE[number + 1 :]]) == {"missing"}


@given(places=strategies.sets(strategies.integers(0, len(ONE) - 1), min_size=2, max_size=2))
def test_any_swap_is_found(places: set[int]) -> None:
    one, other = places
    tokens = list(ONE)
    tokens[one], tokens[other] = tokens[other], tokens[one]
    assert "reordered" in broken(tokens)


@given(
    place=strategies.integers(0, len(ONE)), added=strategies.sampled_from([*ONE, *STRANGERS, "x"])
)
def test_any_insertion_is_found(place: int, added: str) -> None:
    kinds = broken([*ONE[:place], added, *ONE[place:]])
    assert kinds
    assert added not in ONE or "duplicate" in kinds


def verified(folder: Path, *options: str) -> Result:
    """The command over `folder`'s file, with the keys beside it unless others are named."""
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"keys": [published_key(key) for key in OneKey(SIGNER).published]}))
    chosen = options or ("--keys", str(keys))
    arguments = ["verify", str(folder / "receipts.jsonl"), *chosen]
    return CliRunner().invoke(receipts_group, arguments)


def write(folder: Path, *lines: object) -> None:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "receipts.jsonl").write_text(text, encoding="utf-8")


def test_the_command_passes_a_whole_file_and_says_what_it_cannot_know(tmp_path: Path) -> None:
    write(tmp_path, *ONE)
    result = verified(tmp_path)
    assert result.exit_code == 0, result.output
    assert "6 receipts verify" in result.output
    assert chain_hash(ONE[-1]) in result.output
    assert "at the end of a session" in result.output


def test_the_command_names_the_receipt_that_breaks_and_exits_1(tmp_path: Path) -> None:
    write(tmp_path, ONE[0], ONE[2])
    result = verified(tmp_path)
    assert result.exit_code == 1
    assert "line 2: missing" in result.output


QUESTION, ANSWER = "?", "!"

FORMS: dict[str, list[object]] = {
    "strings": [json.dumps(token) for token in ONE],
    "objects": [{"receipt": token, "question": QUESTION, "answer": ANSWER} for token in ONE],
    "a list": [ONE],
    "an export": [
        {"turns": [{"receipt": token, "reply": ANSWER} for token in ONE], "escalations": []}
    ],
    "a list of receipts within": [{"session": {"receipts": ONE}}],
    "one object": [{"receipt": ONE[0]}],
    "blank lines between": [ONE[0], "", ONE[1], ""],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_that_is_kept_is_read(tmp_path: Path, form: str) -> None:
    write(tmp_path, *FORMS[form])
    assert verified(tmp_path).exit_code == 0, verified(tmp_path).output


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([ONE[0], "what is this"], "line 2: altered"),
        ([ONE[0], {"receipu": ONE[1]}], "line 2: altered"),
        ([{"receipt": ONE[0], "question": "Another?"}], "for another question"),
        ([{"turns": [{"receipt": ONE[0], "reply": "no"}]}], "turns[0].receipt: altered"),
        ([*chain("f", 1, FOREIGN)], "line 1: foreign"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    tmp_path: Path, lines: list[object], told: str
) -> None:
    write(tmp_path, *lines)
    result = verified(tmp_path)
    assert result.exit_code == 1
    assert told in result.output


@pytest.mark.parametrize(
    ("retired_at", "broken_places"), [(None, []), (5.0, []), (-59.0, ["line 3"])]
)
def test_a_receipt_made_after_its_key_was_retired_is_foreign(
    tmp_path: Path, retired_at: float | None, broken_places: list[str]
) -> None:
    write(tmp_path, *ONE[:3])  # made at the seconds 0, 1 and 2
    [key] = OneKey(SIGNER).published
    retired = published_key(replace(key, retired_at=retired_at))
    (tmp_path / "retired.json").write_text(json.dumps({"keys": [retired]}))
    result = verified(tmp_path, "--keys", str(tmp_path / "retired.json"), "--json")
    places = [one["place"] for one in json.loads(result.stdout)["breaks"]]
    assert places == broken_places


def test_json_has_it_all(tmp_path: Path) -> None:
    write(tmp_path, ONE[0], ONE[2])
    result = verified(tmp_path, "--keys", str(tmp_path / "keys.json"), "--json")
    document: dict[str, Any] = json.loads(result.stdout)
    assert (document["ok"], document["receipts"]) == (False, 2)
    assert document["breaks"][0]["place"] == "line 2"
    assert document["sessions"][0]["head"] == chain_hash(ONE[2])


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        (b"", (), "no receipt"),
        (b"{}", ("--keys", "nowhere.json"), "cannot be read"),
        (b"\xff\xfe", (), "not UTF-8"),
        (b"x", ("--keys", "http://keys.example/k.json"), "not https"),
        (b"x", ("--keys", "https://"), "does not answer"),
        (b"x", ("--keys", __file__), "no set of P-256 keys"),
    ],
)
def test_what_cannot_be_read_is_said(
    tmp_path: Path, content: bytes, options: tuple[str, ...], told: str
) -> None:
    (tmp_path / "receipts.jsonl").write_bytes(content)
    result = verified(tmp_path, *options)
    assert result.exit_code == 1
    assert told in result.output


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert "cannot be read" in verified(tmp_path).output


def test_without_keys_named_the_data_folders_are_taken(tmp_path: Path) -> None:
    ring = KeyFolder(tmp_path / "keys", clock=Time())
    write(tmp_path, *ONE)
    result = verified(tmp_path, "--data-dir", str(tmp_path))
    assert result.exit_code == 1
    assert "foreign" in result.output
    write(tmp_path, *chain("own", 2, ring.signing[1]))  # type: ignore[arg-type]
    assert verified(tmp_path, "--data-dir", str(tmp_path)).exit_code == 0


def test_the_keys_can_be_fetched_from_the_gateway(tmp_path: Path) -> None:
    write(tmp_path, *ONE)
    with served(make_app(settings(), Time())) as origin:
        address = f"{origin}/.well-known/fanlight-keys.json"
        assert "foreign" in verified(tmp_path, "--keys", address).output
        assert "answered 404" in verified(tmp_path, "--keys", f"{origin}/nothing").output


async def test_what_a_gateway_issued_verifies(gateway: World, tmp_path: Path) -> None:
    visitor = await gateway.visitor()
    questions = ["When are you open?", "Is it far?", "I want to make a legal complaint"]
    rows = []
    for question in questions:
        response = await visitor.ask(question)
        answer = response.json()["reply"]
        rows.append(
            {
                "receipt": response.headers["x-integrity"],
                "question": question,
                "reply": answer,
            }
        )
    write(tmp_path, *rows)
    published = await gateway.client.get(GATEWAY + "/.well-known/fanlight-keys.json")
    (tmp_path / "published.json").write_bytes(published.content)
    keys = str(tmp_path / "published.json")
    result = await asyncio.to_thread(verified, tmp_path, "--keys", keys)
    assert result.exit_code == 0, result.output


def test_lines_end_at_line_feeds_alone() -> None:
    assert [one.place for one in read_receipts('"a\u2028b"\n"c"')] == ["line 1", "line 2"]
