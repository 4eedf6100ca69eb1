import gzip
import os
import subprocess
import sys
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import kb
from kb.build import background, preview_index, with_correction
from kb.calibrate import UNCORRECTED, Correction
from kb.codec import Section, decode, encode
from kb.embed import Embedding
from kb.load import stored_entries


def test_building_twice_gives_the_same_bytes(
    shop_entries: list[kb.Entry], shop_bytes: bytes
) -> None:
    assert kb.build_index(shop_entries) == shop_bytes
    assert kb.build_index(shop_entries, seed=1) != shop_bytes


def built_elsewhere(root: Path, hash_seed: str) -> str:
    code = (
        "import kb, hashlib; e = [kb.Entry(f'e{n}', 'en', f'question number {n} about cats', 'a',"
        " (f'{n} cat questions', 'how ' * n + 'so')) for n in range(6)];"
        "print(hashlib.sha256(kb.build_index(e)).hexdigest())"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_bytes_do_not_depend_on_the_order_of_sets(root: Path) -> None:
    assert len({built_elsewhere(root, hash_seed) for hash_seed in "0127"}) == 1


def test_loading_gives_back_every_entry(shop_entries: list[kb.Entry], shop_index: kb.Index) -> None:
    for entry in shop_entries:
        assert shop_index.get(entry.id, entry.locale) == entry


def test_an_index_may_be_handed_in_unzipped(shop_bytes: bytes, shop_index: kb.Index) -> None:
    unzipped = kb.load_index(gzip.decompress(shop_bytes))
    assert unzipped.release == shop_index.release
    assert unzipped.entries == shop_index.entries


def test_an_unzipped_index_may_not_be_larger_than_a_zipped_one(
    shop_bytes: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = gzip.decompress(shop_bytes)
    monkeypatch.setattr("kb.codec.MAX_BYTES", len(plain) - 1)
    with pytest.raises(kb.IndexFormatError, match="too large"):
        kb.load_index(plain)


def test_links_tags_and_escalation_survive() -> None:
    entry = kb.Entry(
        "q", "en", "Q\nq?", "A", ("v",), (kb.Link("t", "https://a.example"),), ("x",), True
    )
    assert kb.load_index(kb.build_index([entry])).entries == (entry,)


def test_the_release_changes_with_the_content(
    shop_entries: list[kb.Entry], shop_index: kb.Index
) -> None:
    other = kb.load_index(kb.build_index(shop_entries[:-1]))
    assert len(shop_index.release) == 8
    assert shop_index.release != other.release


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_small_knowledge_base_builds(shop_entries: list[kb.Entry], count: int) -> None:
    index = kb.load_index(kb.build_index(shop_entries[1 : 1 + count]))
    assert len(index) == count
    hits = index.search("How long does shipping take?")
    assert bool(hits) is bool(count)
    assert all(hit.confidence < 0.55 for hit in index.search("how long is the river nile"))


def test_an_entry_without_a_single_word_builds() -> None:
    index = kb.load_index(kb.build_index([kb.Entry("e", "en", "🙂", "A", ("?",))]))
    assert index.search("🙂") == ()


def test_two_entries_with_one_id_and_locale_are_refused() -> None:
    with pytest.raises(ValueError, match="'a' is there twice in locale 'en'"):
        kb.build_index([kb.Entry("a", "en", "q", "a"), kb.Entry("a", "en", "r", "b")])


@pytest.mark.parametrize("share", [-0.1, 1.0, 7])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="out_of_scope"):
        kb.build_index([], out_of_scope=share)


def test_more_expected_strangers_lower_confidence(shop_entries: list[kb.Entry]) -> None:
    sure, unsure = (
        kb.load_index(kb.build_index(shop_entries, out_of_scope=share)) for share in (0.05, 0.9)
    )
    question = "when can I expect a parcel"
    assert unsure.search(question)[0].confidence < sure.search(question)[0].confidence


def test_progress_is_told(shop_entries: list[kb.Entry]) -> None:
    told: list[tuple[str, float]] = []
    kb.build_index(shop_entries, progress=lambda step, share: told.append((step, share)))
    assert {step for step, _ in told} == {"reading", "calibrating", "learning", "writing"}
    assert all(0 <= share <= 1 for _, share in told)


def test_another_version_is_named_with_the_expected_one() -> None:
    data = gzip.compress(b"fanlight-kb 99\n[]\n", mtime=0)
    with pytest.raises(kb.IndexFormatError, match="found 'fanlight-kb 99', expected 'fanlight-kb"):
        kb.load_index(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut short"),
        (b"not gzip at all", "not an index"),
        (gzip.compress(b"hello", mtime=0), "found 'hello'"),
        (gzip.compress(b"fanlight-kb 3\nnonsense\n", mtime=0), "damaged"),
        (gzip.compress(b'fanlight-kb 3\n[["meta","s",9]]\n{}', mtime=0), "damaged.*cut short"),
        (gzip.compress(b"fanlight-kb 3\n[]\n", mtime=0), "damaged"),
        (gzip.compress(b'fanlight-kb 3\n[["x","I",3]]\nabc', mtime=0), "damaged"),
    ],
)
def test_bytes_that_are_no_index_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(kb.IndexFormatError, match=reason):
        kb.load_index(data)


def test_a_cut_index_is_refused(shop_bytes: bytes) -> None:
    for size in (10, len(shop_bytes) // 2, len(shop_bytes) - 1):
        with pytest.raises(kb.IndexFormatError):
            kb.load_index(shop_bytes[:size])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("meta", "{}"),
        ("word_names", array("B", [1])),
        ("vector_levels", "text"),
        ("vector_phrasings", array("I", [0])),
        ("head_counts", array("H", [1])),
        ("head_gaps", None),
        ("head_values", array("b", [1])),
    ],
)
def test_an_index_whose_parts_do_not_fit_is_refused(
    wise_bytes: bytes, embedding: Embedding, name: str, value: Section | None
) -> None:
    sections, _ = decode(wise_bytes)
    changed = {key: part for key, part in sections.items() if key != name}
    if value is not None:
        changed[name] = value
    with pytest.raises(kb.IndexFormatError, match=r"damaged index: .*; build it again with"):
        kb.load_index(encode(changed), embedding)


def test_sections_keep_text_that_is_not_quite_unicode() -> None:
    sections, _ = decode(encode({"odd": "a\ud800b"}))
    assert sections == {"odd": "a\ud800b"}


def test_background_is_in_the_languages_asked_for() -> None:
    english, spanish, every = background(["en"]), background(["es", "xx"]), background(["fr"])
    assert "who wrote war and peace" in english
    assert "quién escribió guerra y paz" in spanish
    assert set(english) | set(spanish) < set(every)


def test_a_correction_put_in_afterwards_gives_the_very_bytes(
    shop_entries: list[kb.Entry], shop_bytes: bytes
) -> None:
    correction = Correction(-0.5, 0.875)
    corrected = with_correction(shop_bytes, correction)
    assert corrected == kb.build_index(shop_entries, correction=correction)
    assert with_correction(corrected, UNCORRECTED) == shop_bytes


def test_a_preview_of_the_same_entries_answers_as_the_index_itself(
    shop_entries: list[kb.Entry], shop_index: kb.Index, shop_bytes: bytes
) -> None:
    assert shop_index.answers is not None
    told = shop_index.answers.choice
    made = preview_index(shop_entries, choices=shop_index.choices, answers=told)
    assert made == shop_bytes
    more = [*shop_entries, kb.Entry("moon", "en", "What is the moon made of?", "Cheese.")]
    asked = kb.load_index(preview_index(more, choices=shop_index.choices))
    assert asked.search("what is the moon made of")[0].entry.id == "moon"
    with pytest.raises(ValueError, match="twice"):
        preview_index([*more, more[-1]], choices=shop_index.choices)


def test_an_index_gives_its_entries_back_in_order(
    shop_entries: list[kb.Entry], shop_bytes: bytes
) -> None:
    assert stored_entries(shop_bytes) == tuple(shop_entries)
    damaged = encode({**decode(shop_bytes)[0], "entries": "[1]"})
    with pytest.raises(kb.IndexFormatError, match="damaged"):
        stored_entries(damaged)


def counted(**given: Any) -> tuple[bytes, bool]:
    """Build, and say whether anything was learned."""
    steps: list[str] = []
    data = kb.build_index(progress=lambda step, _: steps.append(step), **given)
    return data, "calibrating" in steps


@pytest.fixture(scope="module")
def few(shop_entries: list[kb.Entry]) -> list[kb.Entry]:
    return shop_entries[1:5]


@pytest.fixture(scope="module")
def remembered(few: list[kb.Entry]) -> bytes:
    return kb.build_index(few, code="1")


def edited(entries: list[kb.Entry], **changes: Any) -> list[kb.Entry]:
    return [replace(entries[0], **changes), *entries[1:]]


@pytest.mark.parametrize(
    ("changes", "learns"),
    [
        ({"answer": "Quite another answer."}, False),
        ({"links": (), "tags": ("x",), "escalate": True, "valid_until": "2030-01-01"}, False),
        ({"question": "What else is asked?"}, True),
        ({"variants": ("one more way",)}, True),
        ({"id": "renamed"}, True),
        ({"tags": ("slot:x",)}, True),
    ],
)
def test_only_what_phrasings_teach_is_learned_again(
    few: list[kb.Entry], remembered: bytes, changes: dict[str, Any], learns: bool
) -> None:
    entries = edited(few, **changes)
    data, learned = counted(entries=entries, earlier=remembered, code="1")
    assert learned == learns
    assert data == kb.build_index(entries, code="1")


@pytest.mark.parametrize(
    "given",
    [
        {"code": "2"}, {"code": ""}, {"code": "1", "seed": 1}, {"code": "1", "out_of_scope": 0.3},
    ],
)  # fmt: skip
def test_other_terms_are_learned_anew(
    few: list[kb.Entry], remembered: bytes, given: dict[str, Any]
) -> None:
    data, learned = counted(entries=few, earlier=remembered, **given)
    assert learned
    assert data == kb.build_index(few, **given)


@pytest.mark.parametrize(
    "earlier", [b"", b"no index", gzip.compress(b"fanlight-kb 3\n[]\n", mtime=0)]
)
def test_an_earlier_index_that_is_none_is_left_aside(
    few: list[kb.Entry], remembered: bytes, earlier: bytes
) -> None:
    assert kb.build_index(few, earlier=earlier, code="1") == remembered


def test_a_corrected_index_teaches_as_well(few: list[kb.Entry], remembered: bytes) -> None:
    earlier = with_correction(remembered, Correction(-0.5, 0.875))
    data, learned = counted(entries=few, earlier=earlier, code="1")
    assert not learned
    assert data == remembered
