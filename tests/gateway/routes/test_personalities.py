"""How sites speak, at the console's API: over a real SQLite file, and in another process too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.breaker import Breaker
from core.encoding import timestamp
from core.errors import Unavailable
from core.model_routing.decision import Price
from core.personalities import PersonalityEdit
from gateway.adapters.personality_files import PersonalityFiles
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.visitor import Visitor
from gateway.app import create_app
from gateway.bell import Bell
from gateway.context import Services
from gateway.personality import desk as desk_module
from gateway.personality.serving import SitePersonalities
from gateway.pipeline.models import Model
from gateway.settings import Settings
from tests.gateway.routes.console import Console, events, problem
from tests.gateway.test_chat import ScriptedModel
from tests.gateway.world import (
    CONSOLE,
    GATEWAY,
    OPERATOR_TOKEN,
    START,
    Time,
    make_services,
    settings,
    world,
)

SITE = "site_demo"
HERE = f"/v1/personalities/{SITE}"
ITEMS, CHOICE = f"{HERE}/items", f"{HERE}/choice"
UNKNOWN = "zxqv unknown thing"
ANA: dict[str, Any] = {
    "identity": {"name": "Ana", "role": "the shop's assistant"},
    "communication": {"tone": "direct"},
    "custom_instructions": 'Say "bike".',
}
KEPT = {**ANA, "response_behavior": {}, "memory_usage": {}}
FOLDER = "identity: {name: Eva}\ncommunication: {tone: warm}\n"
PRICE = Price(10, 100)


@dataclass
class Shop:
    """A gateway over SQLite with a scripted model, an operator, and a folder of the owner's."""

    services: Services
    client: httpx.AsyncClient
    model: ScriptedModel
    folder: Path
    headers: dict[str, str] = field(default_factory=dict)

    async def call(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> httpx.Response:
        """The operator's call."""
        return await self.client.request(
            method, CONSOLE + path, json=body, headers={**self.headers, **headers}
        )

    async def log_in(self) -> None:
        """Take a session, and keep its cookie by hand: this is not TLS."""
        entered = await self.call("POST", "/v1/operator/session", {"token": OPERATOR_TOKEN})
        self.client.cookies.clear()
        self.headers["cookie"] = entered.headers["set-cookie"].partition(";")[0]
        session = await self.call("GET", "/v1/operator/session")
        self.headers["x-csrf-token"] = session.json()["csrf"]

    async def made(self, document: object = ANA) -> dict[str, Any]:
        """A personality of the site's own."""
        response = await self.call("POST", ITEMS, {"personality": document})
        assert response.status_code == 201, response.text
        item: dict[str, Any] = response.json()
        return item

    async def undone(self, at: str, based_on: int) -> httpx.Response:
        """The newest edit of the personality of this address, asked to be taken back."""
        return await self.call("POST", f"{at}/undo", {"based_on": based_on})

    async def site(self) -> dict[str, Any]:
        """The site as the console reads it."""
        response = await self.call("GET", HERE)
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        found: dict[str, Any] = response.json()
        return found

    async def use(self, name: str | None) -> dict[str, Any]:
        """Choose."""
        response = await self.call("PUT", CHOICE, {"name": name})
        assert response.status_code == 200, response.text
        choice: dict[str, Any] = response.json()
        return choice

    async def told(self, **asked: Any) -> str:
        """What a model is told when a visitor asks: the head of its prompt."""
        visitor = Visitor(self.client, GATEWAY, SITE, clock=self.services.clock)
        await visitor.open_session()
        before = len(self.model.prompts)
        response = await visitor.ask(UNKNOWN, **asked)
        assert response.status_code == 200, response.text
        assert len(self.model.prompts) == before + 1
        return str(self.model.prompts[-1].messages[0]["content"])


def chosen_settings(personality: str | None = None) -> Settings:
    first, *others = settings().sites
    first = replace(first, personality=personality, daily_usd=5.0)
    return settings(sites=(first, *others))


def make(folder: Path, chosen: Settings, model: ScriptedModel) -> Services:
    """The services of one process; those of another over the same file see the same."""
    clock = Time()
    services = make_services(chosen, clock)
    return replace(
        services,
        truth=SqlTruth(f"sqlite:///{folder}/truth.db", clock=clock),
        models=[Model("model", model, Breaker(clock), price=PRICE)],
        personalities=PersonalityFiles(folder / "own", time.monotonic),
    )


@asynccontextmanager
async def opened(folder: Path, personality: str | None = None) -> AsyncIterator[Shop]:
    (folder / "own").mkdir(exist_ok=True)
    model = ScriptedModel("Return it within 30 days.")
    services = make(folder, chosen_settings(personality), model)
    await services.truth.start()
    app = create_app(services)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), timeout=20) as client,
    ):
        shop = Shop(services, client, model, folder)
        await shop.log_in()
        yield shop
    await services.truth.close()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(tmp_path) as made:
        yield made


async def test_fanlights_own_and_the_owners_are_listed_and_nothing_is_in_use(shop: Shop) -> None:
    (shop.folder / "own" / "eva.yaml").write_text(FOLDER)
    (shop.folder / "own" / "bad.yaml").write_text("identity: {role: 7}\n")
    site = await shop.site()
    items = site.pop("items")
    assert site.pop("limits")["custom_instructions"] == 2_000
    assert site.pop("most_texts") == 12
    assert site == {
        "site": SITE, "name": "Shop", "locales": ["en", "es", "he"], "default_locale": "en",
        "models": True, "configured": None, "chosen": None, "in_use": None,
    }  # fmt: skip
    assert [(each["name"], each["origin"]) for each in items] == [
        ("bad", "folder"),
        ("eva", "folder"),
        ("default", "fanlight"),
        ("professional", "fanlight"),
        ("teacher", "fanlight"),
    ]
    bad, eva, *_ = items
    assert bad["personality"] is None
    assert [each["field"] for each in bad["flaws"]] == [
        "communication",
        "identity.role",
        "identity.name",
    ]
    assert eva["personality"]["communication"] == {"tone": "warm"}
    assert (eva["author"], eva["at"], eva["number"]) == (None, None, 0)
    every = (await shop.call("GET", "/v1/personalities")).json()["sites"]
    assert [each["site"] for each in every] == [SITE, "site_other"]
    assert every[0] == site


async def test_one_is_made_read_changed_and_taken_back(shop: Shop) -> None:
    item = await shop.made()
    assert item == {
        "name": "console.ana", "origin": "console", "in_use": False, "personality": KEPT,
        "flaws": [], "left_out": [], "author": "operator", "at": timestamp(START),
        "number": item["number"], "undoable": False,
    }  # fmt: skip
    assert (await shop.made())["name"] == "console.ana-2"
    at = f"{ITEMS}/console.ana"
    calm = {**ANA, "communication": {"tone": "warm"}}
    changed = await shop.call("PUT", at, {"personality": calm, "based_on": item["number"]})
    assert changed.json()["personality"]["communication"] == {"tone": "warm"}
    assert changed.json()["undoable"] is True
    whole = (await shop.call("GET", at)).json()
    assert [each["action"] for each in whole["history"]] == ["edited", "created"]
    assert {each["author"] for each in whole["history"]} == {"operator"}
    assert whole["history"][1]["personality"] == KEPT
    back = (await shop.undone(at, changed.json()["number"])).json()
    assert (back["personality"], back["number"]) == (KEPT, item["number"])
    assert back["undoable"] is False
    gone = await shop.undone(at, back["number"])
    assert gone.status_code == 204
    assert problem(await shop.call("GET", at))[:2] == (404, "not-found")
    assert problem(await shop.undone(at, 0))[:2] == (409, "nothing-to-undo")


async def test_an_edit_that_was_not_seen_is_not_taken_back(shop: Shop) -> None:
    first = (await shop.made())["number"]
    at = f"{ITEMS}/console.ana"
    second = (await shop.call("PUT", at, {"personality": ANA})).json()["number"]
    changed = (409, "personality-changed", "based_on")
    assert problem(await shop.undone(at, first)) == changed
    assert problem(await shop.undone(at, 0)) == changed
    assert (await shop.call("GET", at)).json()["number"] == second
    await shop.call("DELETE", at)
    # Who saw an edit does not bring back what somebody else has removed since.
    assert problem(await shop.undone(at, second)) == changed
    back = (await shop.undone(at, 0)).json()
    assert (back["number"], back["undoable"]) == (second, True)
    # Nor does who removed it take back an edit where somebody else has brought it back.
    assert problem(await shop.undone(at, 0)) == changed
    assert problem(await shop.call("POST", f"{at}/undo", {})) == (
        400, "invalid-request", "based_on",
    )  # fmt: skip


async def test_a_removed_one_comes_back(shop: Shop) -> None:
    await shop.made()
    at = f"{ITEMS}/console.ana"
    assert (await shop.call("DELETE", at)).status_code == 204
    assert "console.ana" not in [each["name"] for each in (await shop.site())["items"]]
    assert problem(await shop.call("DELETE", at))[:2] == (404, "not-found")
    back = await shop.undone(at, 0)
    assert back.json()["personality"] == KEPT
    assert (await shop.made())["name"] == "console.ana-2"


async def test_every_flaw_is_told_at_once_with_its_field_and_nothing_is_kept(shop: Shop) -> None:
    bad = {
        "identity": {"name": " ", "role": "a\nb", "expertise": ["a", 3, "b" * 81]},
        "communication": {"use_humor": "yes"},
        "custom_instructions": "x" * 2_001,
    }
    refused = await shop.call("POST", ITEMS, {"personality": bad})
    assert problem(refused) == (400, "invalid-request", "personality.identity.role")
    assert [each["field"] for each in refused.json()["flaws"]] == [
        "identity.role",
        "identity.expertise[1]",
        "identity.expertise[2]",
        "communication.use_humor",
        "custom_instructions",
        "identity.name",
    ]
    assert "keep it to 2000" in refused.json()["flaws"][4]["detail"]
    assert len((await shop.site())["items"]) == 3
    item = await shop.made()
    at = f"{ITEMS}/{item['name']}"
    assert problem(await shop.call("PUT", at, {"personality": bad}))[0] == 400
    assert (await shop.call("GET", at)).json()["personality"] == KEPT


async def test_an_unknown_field_or_choice_is_left_out_and_not_kept(shop: Shop) -> None:
    odd = {**ANA, "communication": {"tone": "grumpy"}, "formating": {"a": 1}}
    shown = (await shop.call("POST", f"{HERE}/told", {"personality": odd})).json()
    assert [each["field"] for each in shown["left_out"] if "." in each["field"]] == [
        "communication.tone"
    ]
    assert shown["flaws"] == []
    item = await shop.made(odd)
    assert item["personality"] == {**KEPT, "communication": {}}
    assert item["left_out"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("GET", "/v1/personalities/site_x", None, (404, "not-found", None)),
        ("GET", f"{ITEMS}/nobody", None, (404, "not-found", None)),
        ("PUT", f"{ITEMS}/nobody", {"personality": ANA}, (404, "not-found", None)),
        ("PUT", f"{ITEMS}/teacher", {"personality": ANA}, (409, "personality-read-only", None)),
        ("DELETE", f"{ITEMS}/teacher", None, (409, "personality-read-only", None)),
        ("POST", f"{ITEMS}/teacher/undo", {"based_on": 0}, (409, "personality-read-only", None)),
        ("PUT", CHOICE, {"name": "nobody"}, (404, "not-found", None)),
        ("PUT", CHOICE, {"name": "../teacher"}, (404, "not-found", None)),
        ("PUT", CHOICE, {}, (400, "invalid-request", "name")),
        ("PUT", CHOICE, {"name": "bad"}, (400, "invalid-request", "name")),
        ("POST", ITEMS, {"personality": []}, (400, "invalid-request", "personality")),
        ("POST", f"{HERE}/try", {"question": " "}, (400, "invalid-request", "question")),
    ],
)
async def test_what_is_not_there_or_not_ones_own_is_refused(
    shop: Shop, method: str, path: str, body: object, told: tuple[int, str, str | None]
) -> None:
    (shop.folder / "own" / "bad.yaml").write_text("[]")
    assert problem(await shop.call(method, path, body)) == told


async def test_nobody_changes_anything_without_a_session_and_its_token(shop: Shop) -> None:
    await shop.made()
    at = f"{ITEMS}/console.ana"
    changes = [
        ("POST", ITEMS, {"personality": ANA}),
        ("PUT", at, {"personality": ANA}),
        ("DELETE", at, None),
        ("POST", f"{at}/undo", {"based_on": 1}),
        ("PUT", CHOICE, {"name": "teacher"}),
        ("DELETE", CHOICE, None),
        ("POST", f"{HERE}/told", {"personality": ANA}),
        ("POST", f"{HERE}/try", {"question": UNKNOWN}),
    ]
    reads = [("GET", path, None) for path in ("/v1/personalities", HERE, at)]
    before = await shop.site()
    for method, path, body in changes:
        refused = await shop.call(method, path, body, **{"x-csrf-token": "none"})
        assert problem(refused)[:2] == (403, "csrf"), path
        refused = await shop.call(method, path, body, origin="https://shop.example")
        assert problem(refused)[:2] == (403, "wrong-origin"), path
    for method, path, body in (*changes, *reads):
        refused = await shop.client.request(method, CONSOLE + path, json=body)
        assert problem(refused)[:2] == (401, "unauthorised"), path
        elsewhere = await shop.client.request(
            method, GATEWAY + path, json=body, headers=shop.headers
        )
        assert elsewhere.status_code == 404, path
    assert await shop.site() == before
    assert shop.model.prompts == []


async def test_what_is_chosen_is_told_on_the_next_turn_and_a_change_of_it_too(shop: Shop) -> None:
    plain = await shop.told()
    await shop.made()
    assert await shop.told() == plain
    choice = await shop.use("console.ana")
    assert choice == {
        "configured": None,
        "chosen": {"name": "console.ana", "author": "operator", "at": timestamp(START)},
        "in_use": "console.ana",
    }
    told = await shop.told()
    assert told.startswith("Your name is Ana.\nYour role: the shop's assistant.\n")
    assert told.endswith(plain)
    assert (await shop.told(locale="he")).startswith("שמך Ana.")
    await shop.call(
        "PUT",
        f"{ITEMS}/console.ana",
        {"personality": {**ANA, "identity": {"name": "Anna"}}},
    )
    assert (await shop.told()).startswith("Your name is Anna.\n")
    assert (await shop.told(locale="he")).startswith("שמך Anna.")
    await shop.use("teacher")
    assert "Your role: a patient guide." in await shop.told()
    reset = await shop.call("DELETE", CHOICE)
    assert reset.json() == {"configured": None, "chosen": None, "in_use": None}
    assert await shop.told() == plain


async def test_the_one_in_use_stays(shop: Shop) -> None:
    item = await shop.made()
    await shop.use("console.ana")
    at = f"{ITEMS}/console.ana"
    assert problem(await shop.call("DELETE", at))[:2] == (409, "personality-in-use")
    assert problem(await shop.undone(at, item["number"]))[:2] == (409, "personality-in-use")
    await shop.use(None)
    assert (await shop.call("DELETE", at)).status_code == 204


async def test_the_consoles_choice_lies_over_the_configuration(tmp_path: Path) -> None:
    async with opened(tmp_path, "professional") as shop:
        assert "Answer in one or two sentences." in await shop.told()
        site = await shop.site()
        assert (site["configured"], site["chosen"], site["in_use"]) == (
            "professional", None, "professional",
        )  # fmt: skip
        assert [each["name"] for each in site["items"] if each["in_use"]] == ["professional"]
        assert (await shop.use(None))["in_use"] is None
        assert "Your name is" not in await shop.told()
        (tmp_path / "own" / "eva.yaml").write_text(FOLDER)
        assert (await shop.use("eva"))["in_use"] == "eva"
        assert "Your name is Eva." in await shop.told()
    (tmp_path / "own" / "eva.yaml").unlink()
    # The file that was chosen is no more: the configuration's word holds, from the start on.
    async with opened(tmp_path, "professional") as shop:
        assert "Answer in one or two sentences." in await shop.told()
        site = await shop.site()
        assert (site["chosen"]["name"], site["in_use"]) == ("eva", "professional")
        assert (await shop.call("DELETE", CHOICE)).json()["chosen"] is None


async def test_a_save_over_an_edit_that_was_not_seen_is_refused(shop: Shop) -> None:
    item = await shop.made()
    at = f"{ITEMS}/console.ana"
    save = {"personality": ANA, "based_on": item["number"]}
    assert (await shop.call("PUT", at, save)).status_code == 200
    refused = await shop.call("PUT", at, save)
    assert problem(refused) == (409, "personality-changed", "based_on")
    # Whoever does not say what was seen writes the newest.
    assert (await shop.call("PUT", at, {"personality": ANA})).status_code == 200


async def test_edits_at_once_are_all_kept(shop: Shop) -> None:
    made = await asyncio.gather(*(shop.made() for _ in range(4)))
    assert len({each["name"] for each in made}) == 4
    own = [each for each in (await shop.site())["items"] if each["origin"] == "console"]
    assert len(own) == 4


async def test_a_site_has_so_many_of_its_own(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "MOST_OWN", 1)
    await shop.made()
    refused = await shop.call("POST", ITEMS, {"personality": ANA})
    assert problem(refused)[:2] == (409, "too-many-personalities")


async def test_sites_have_their_own(shop: Shop) -> None:
    await shop.made()
    await shop.use("console.ana")
    other = (await shop.call("GET", "/v1/personalities/site_other")).json()
    assert [each["origin"] for each in other["items"]] == ["fanlight"] * 3
    assert other["in_use"] is None


async def test_another_process_hears_of_it_and_what_it_knows_outlives_its_store(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    services, bell = make(shop.folder, chosen_settings(), shop.model), Bell()
    assert services.personalities is not None
    await services.truth.start()
    store = services.truth.personalities

    class Store:
        """The other process' store, which can be out of reach."""

        down = False

        async def edits(self, site: str, after: int) -> list[PersonalityEdit]:
            if self.down:
                raise Unavailable("the disk is gone")
            return await store.edits(site, after)

        async def append(self, edit: PersonalityEdit, *, seen: int) -> PersonalityEdit:
            return await store.append(edit, seen=seen)

    other_store = Store()
    other = SitePersonalities(services.personalities, other_store, services.settings.sites, bell)
    following = asyncio.create_task(other.run())
    await shop.made()
    await shop.use("console.ana")
    async with asyncio.timeout(10):
        while other.in_use(SITE) is None:
            bell.ring("personalities")
            await asyncio.sleep(0.01)
    assert (other.told(SITE, "en") or "").startswith("Your name is Ana.")
    other_store.down = True
    async with asyncio.timeout(10):
        while "was not looked at" not in caplog.text:
            bell.ring("personalities")
            await asyncio.sleep(0.01)
    assert (other.told(SITE, "en") or "").startswith("Your name is Ana.")
    bell.close()
    await following
    await services.truth.close()


async def test_consoles_hear_that_a_site_speaks_otherwise() -> None:
    async with world(personalities=PersonalityFiles(None, time.monotonic)) as gateway:
        console, begun = Console(gateway), asyncio.Event()
        await console.log_in()
        stream = asyncio.create_task(console.stream("/v1/events", begun))
        await begun.wait()
        assert (await console.call("PUT", CHOICE, {"name": "teacher"})).status_code == 200
        await asyncio.sleep(0.3)
        gateway.services.bell.close()
        assert events(await stream) == [("personality", {"site": SITE}), ("bye", {})]


async def test_the_preview_is_in_each_language_and_tells_flaws_beside_what_is_good(
    shop: Shop,
) -> None:
    body = {"personality": {**ANA, "identity": {"role": "guide", "expertise": "bikes"}}}
    shown = (await shop.call("POST", f"{HERE}/told", body)).json()
    assert set(shown["told"]) == {"en", "es", "he"}
    assert "Your role: guide." in shown["told"]["en"]
    assert "Tu papel: guide." in shown["told"]["es"]
    assert [each["field"] for each in shown["flaws"]] == ["identity.expertise", "identity.name"]


async def test_a_try_is_answered_by_the_draft_costs_money_and_leaves_nothing(shop: Shop) -> None:
    body = {"question": UNKNOWN, "personality": ANA, "locale": "es"}
    response = await shop.call("POST", f"{HERE}/try", body)
    assert response.status_code == 200, response.text
    tried = response.json()
    assert tried["reply"] == "Return it within 30 days."
    assert (tried["source"], tried["threshold"]) == ("cloud", 0.55)
    assert (tried["fallback"] is not None) == tried["escalates"]
    head = shop.model.prompts[-1].messages[0]["content"]
    assert head.startswith("Te llamas Ana.")
    async with asyncio.timeout(10):
        while await spent(shop) != PRICE.micros(12, 3) / 1e6:  # noqa: ASYNC110 - a task settles
            await asyncio.sleep(0.01)
    assert (await shop.call("GET", "/v1/escalations?status=all")).json()["items"] == []
    day = f"from={timestamp(START - 3600)}&to={timestamp(START + 3600)}"
    figures = await shop.call("GET", f"/v1/operator/figures?{day}&by=hour&zone=UTC")
    assert figures.json()["total"]["turns"] == 0


async def spent(shop: Shop) -> float:
    usage = (await shop.call("GET", "/v1/usage")).json()
    return float(usage["items"][0]["day"]["spent_usd"])


async def test_a_try_without_a_draft_speaks_as_visitors_hear_it(shop: Shop) -> None:
    await shop.use("teacher")
    await shop.call("POST", f"{HERE}/try", {"question": UNKNOWN})
    assert "a patient guide" in shop.model.prompts[-1].messages[0]["content"]
    known = await shop.call("POST", f"{HERE}/try", {"question": "When are you open?"})
    assert (known.json()["source"], known.json()["escalates"]) == ("kb", False)
    assert len(shop.model.prompts) == 1


async def test_a_try_beyond_the_budget_asks_no_model(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        first, *others = shop.services.settings.sites
        poor = replace(first, daily_usd=0.000001)
        chosen = replace(shop.services.settings, sites=(poor, *others))
        app = create_app(replace(shop.services, settings=chosen))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), timeout=20) as client:
            broke = Shop(shop.services, client, shop.model, tmp_path, shop.headers)
            tried = await broke.call("POST", f"{HERE}/try", {"question": UNKNOWN})
        assert tried.status_code == 200, tried.text
        assert tried.json()["escalates"]
        assert shop.model.prompts == []


async def test_without_personalities_at_hand_there_are_no_such_calls(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        app = create_app(replace(shop.services, personalities=None))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            bare = Shop(shop.services, client, shop.model, tmp_path, shop.headers)
            assert (await bare.call("GET", HERE)).status_code == 404
            paths = (await bare.call("GET", "/openapi.json")).json()["paths"]
            assert not [path for path in paths if "personalities" in path]
