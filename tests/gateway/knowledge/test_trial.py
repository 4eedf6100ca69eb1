"""The index of a draft is kept for as long as there is something to try on it."""

from pathlib import Path

from core.knowledge import Edit
from gateway.adapters.workshop import ProcessWorkshop
from gateway.knowledge.draft import Draft
from gateway.knowledge.trial import Trials
from gateway.services import WORKER
from kb import Entry
from tests.gateway.routes.workshop import SITE, on_disk, untraced
from tests.gateway.world import Time, make_services

MOON = Entry("moon", "en", "What is the moon made of?", "Cheese.")


async def test_the_index_of_a_draft_is_let_go_once_that_is_live(tmp_path: Path) -> None:
    chosen = on_disk(tmp_path)
    services = make_services(chosen, Time())
    trials = Trials(services, ProcessWorkshop(chosen, WORKER, untraced()))
    live = services.knowledge[SITE].index
    edit = Edit(SITE, "moon", "en", "set", "anna", 0.0, MOON, number=1)
    draft = Draft(live.entries, [edit])
    while (made := await trials.index(SITE, draft, live)) is None:
        pass
    assert made.get("moon", "en") == MOON
    assert await trials.index(SITE, draft, made) is made
    assert trials._previews == {}
    await trials.close()
