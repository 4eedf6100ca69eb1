"""What every store of knowledge promises: nothing is lost, nothing is half written."""

from dataclasses import replace

import pytest

from core.errors import Conflict, NotFound
from core.knowledge import Edit, Mark, Missed, Publication
from core.truth import Truth
from kb import Entry, Link
from tests.congruence.samples import NOON, a_request, a_work, named, opened

HOURS = Entry(
    "hours",
    "he",
    "מתי אתם פתוחים?",
    "<b>From nine</b>, says “O'Hara”.",
    variants=("opening hours", "\u0000 odd"),
    links=(Link("Hours", "https://shop.example/hours"),),
    tags=("starter",),
    escalate=True,
)
SITE = "site_a"


def an_edit(entry: Entry | None = HOURS, **changes: object) -> Edit:
    kind = "set" if entry else "remove"
    values: dict[str, object] = {"site": SITE, "entry_id": "hours", "locale": "he", "kind": kind}
    values |= {"author": "anna", "at": NOON, "entry": entry}
    return Edit(**{**values, **changes})  # type: ignore[arg-type]


def a_mark(number: int, **changes: object) -> Mark:
    values: dict[str, object] = {"id": named("m", number), "site": SITE, "question": "¿Cuándo?"}
    values |= {"entry_id": "hours", "author": "anna", "at": NOON + number}
    return Mark(**{**values, **changes})  # type: ignore[arg-type]


async def test_an_edit_is_read_as_it_was_written(truth: Truth) -> None:
    [stored] = await truth.knowledge.append([an_edit(origin="https://x/#a", source_hash="0f")])
    assert stored.number > 0
    assert await truth.knowledge.edits(SITE, 0) == [stored]
    assert replace(stored, number=0) == an_edit(origin="https://x/#a", source_hash="0f")


async def test_edits_come_in_order_and_of_their_own_site_only(truth: Truth) -> None:
    store = truth.knowledge
    first, second = await store.append([an_edit(), an_edit(None)])
    await store.append([an_edit(site="site_b")])
    [third] = await store.append([an_edit(None, kind="undo", takes_back=second.number)])
    assert first.number < second.number < third.number
    assert await store.edits(SITE, 0) == [first, second, third]
    assert await store.edits(SITE, second.number) == [third]
    assert await store.edits("site_c", 0) == []


async def test_an_edit_based_on_an_older_one_is_refused_whole(truth: Truth) -> None:
    store = truth.knowledge
    [first] = await store.append([an_edit()], seen=0)
    with pytest.raises(Conflict):
        await store.append([an_edit(entry_id="new"), an_edit(None)], seen=0)
    assert await store.edits(SITE, 0) == [first]
    [second] = await store.append([an_edit(None)], seen=first.number)
    assert await store.edits(SITE, 0) == [first, second]
    [other] = await store.append([an_edit(entry_id="new")], seen=first.number)
    with pytest.raises(Conflict):
        await store.append([an_edit(entry_id="new"), an_edit()], seen=second.number)
    assert await store.edits(SITE, second.number) == [other]


async def test_the_same_entry_of_another_site_or_locale_is_another(truth: Truth) -> None:
    store = truth.knowledge
    await store.append([an_edit()])
    await store.append([an_edit(site="site_b")], seen=0)
    await store.append([an_edit(locale="en")], seen=0)
    assert len(await store.edits(SITE, 0)) == 2


async def test_marks_are_listed_oldest_first_and_replaced_in_one_go(truth: Truth) -> None:
    store = truth.knowledge
    old, other = a_mark(1), a_mark(2, entry_id=None)
    for mark in (other, old, a_mark(3, site="site_b")):
        await store.mark(mark)
    assert await store.marks(SITE) == [old, other]
    new = a_mark(4, question="When?")
    await store.mark(new, instead_of=[old.id])
    assert await store.marks(SITE) == [other, new]
    with pytest.raises(Conflict):
        await store.mark(new)


async def test_a_mark_is_removed_by_its_own_site_only(truth: Truth) -> None:
    store = truth.knowledge
    await store.mark(a_mark(1))
    for site, name in (("site_b", named("m", 1)), (SITE, named("m", 2))):
        with pytest.raises(NotFound):
            await store.unmark(site, name)
    await store.unmark(SITE, named("m", 1))
    assert await store.marks(SITE) == []


async def test_a_mark_is_not_replaced_by_another_sites(truth: Truth) -> None:
    await truth.knowledge.mark(a_mark(1))
    await truth.knowledge.mark(a_mark(2, site="site_b"), instead_of=[named("m", 1)])
    assert await truth.knowledge.marks(SITE) == [a_mark(1)]


async def test_the_prior_is_what_was_declared_last(truth: Truth) -> None:
    store = truth.knowledge
    assert await store.prior(SITE) is None
    for share in (0.5, 0.0):
        await store.declare_prior(SITE, share)
    assert await store.prior(SITE) == 0.0
    assert await store.prior("site_b") is None


async def test_what_was_published_last_is_known(truth: Truth) -> None:
    store = truth.knowledge
    assert await store.published(SITE) is None
    first = Publication(SITE, "anna", NOON, "abcd", 3, 0.25, (("¿Cuándo?", "hours"), ("x", None)))
    second = replace(first, at=NOON - 1, release="ef01", marks=())
    for one in (first, second):
        await store.publish(one)
        assert await store.published(SITE) == one
    assert await store.published("site_b") is None


async def test_questions_without_an_answer_are_found_newest_first(truth: Truth) -> None:
    reasons = ["low_confidence", "empty", "visitor_asked", "always", "low_confidence"]
    for number, reason in enumerate(reasons, start=1):
        request = a_request(number, number, question=f"q{number}", reason=reason)
        work = a_work(f"k{number}", at=NOON + number, escalation=opened(number, request))
        await truth.commit(work)
    store = truth.knowledge
    fifth, second, first = (
        Missed(f"q{number}", "es", NOON + number, named("e", number)) for number in (5, 2, 1)
    )
    assert await store.missed(SITE, 0, 9) == [fifth, second, first]
    assert await store.missed(SITE, NOON + 2, 9) == [fifth, second]
    assert await store.missed(SITE, 0, 1) == [fifth]
    assert await store.missed("site_b", 0, 9) == []
