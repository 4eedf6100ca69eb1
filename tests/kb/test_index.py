import gzip
import os
import subprocess
import sys
from array import array
from pathlib import Path

import pytest

import kb
from kb.build import background
from kb.codec import Section, decode, encode
from kb.embed import Embedding


def test_building_twice_gives_the_same_bytes(
    shop_entries: list[kb.Entry], shop_bytes: bytes
) -> None:
    assert kb.build_index(shop_entries) == shop_bytes
    assert kb.build_index(shop_entries, seed=1) != shop_bytes


@pytest.mark.parametrize("hash_seed", ["0", "1", "2"])
def test_the_bytes_do_not_depend_on_the_order_of_sets(root: Path, hash_seed: str) -> None:
    code = (
        "import kb, hashlib; e = [kb.Entry(f'e{n}', 'en', f'question number {n} about cats', 'a',"
        " (f'{n} cat questions', 'how ' * n + 'so')) for n in range(6)];"
        "print(hashlib.sha256(kb.build_index(e)).hexdigest())"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("7", hash_seed)
    )
    assert first == second


def test_loading_gives_back_every_entry(shop_entries: list[kb.Entry], shop_index: kb.Index) -> None:
    for entry in shop_entries:
        assert shop_index.get(entry.id, entry.locale) == entry


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
    data = gzip.compress(b"fanlight-kb 99\n[]\n")
    with pytest.raises(kb.IndexFormatError, match="found 'fanlight-kb 99', expected 'fanlight-kb"):
        kb.load_index(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut short"),
        (b"not gzip at all", "not an index"),
        (gzip.compress(b"hello"), "found 'hello'"),
        (gzip.compress(b"fanlight-kb 2\nnonsense\n"), "damaged"),
        (gzip.compress(b'fanlight-kb 2\n[["meta","s",9]]\n{}'), "damaged.*cut short"),
        (gzip.compress(b"fanlight-kb 2\n[]\n"), "damaged"),
        (gzip.compress(b'fanlight-kb 2\n[["x","I",3]]\nabc'), "damaged"),
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
