"""What every store of what operators changed of how chats speak promises."""

import asyncio
from dataclasses import replace

import pytest

from core.errors import Conflict
from core.personalities import EditKind, PersonalityEdit
from core.truth import Truth
from tests.congruence.samples import NOON

ANA = {
    "identity": {"name": "Ana “א”", "expertise": ["bikes", "arreglos"]},
    "communication": {"use_humor": False},
    "custom_instructions": 'Say "bike".\nהאופניים',
}


def edit(
    kind: EditKind = "set", name: str | None = "console.ana", *, site: str = "site_a", at: float = 0
) -> PersonalityEdit:
    document = ANA if kind == "set" else None
    return PersonalityEdit(site, kind, "operator", NOON + at, name, document)


async def test_edits_are_read_as_they_were_written_in_order_and_of_one_site(truth: Truth) -> None:
    store, seen = truth.personalities, 0
    written = [
        edit(),
        edit("use"),
        edit("use", None),
        edit("reset", None),
        edit("remove"),
    ]
    stored = []
    for each in written:
        stored.append(await store.append(each, seen=seen))
        await store.append(edit(site="site_b"), seen=2 * seen + 9)
        seen = stored[-1].number
    stored.append(
        await store.append(replace(edit("undo"), takes_back=stored[-1].number), seen=seen)
    )
    assert await store.edits("site_a", 0) == stored
    assert [replace(each, number=0) for each in stored[:-1]] == written
    assert stored[-1].takes_back == stored[-2].number
    assert await store.edits("site_a", stored[2].number) == stored[3:]
    assert await store.edits("site_c", 0) == []
    numbers = [each.number for each in stored]
    assert numbers == sorted(set(numbers))


async def test_an_edit_that_has_not_seen_the_sites_newest_is_refused(truth: Truth) -> None:
    store = truth.personalities
    first = await store.append(edit(), seen=0)
    with pytest.raises(Conflict):
        await store.append(edit("use"), seen=0)
    await store.append(edit(site="site_b"), seen=0)
    assert await store.edits("site_a", 0) == [first]
    await store.append(edit("use"), seen=first.number)


async def test_of_two_edits_at_once_one_is_refused(truth: Truth) -> None:
    store = truth.personalities
    made = await asyncio.gather(
        *(store.append(edit("use", f"n{each}"), seen=0) for each in range(4)),
        return_exceptions=True,
    )
    assert sorted(isinstance(each, Conflict) for each in made) == [False, True, True, True]
    assert len(await store.edits("site_a", 0)) == 1
