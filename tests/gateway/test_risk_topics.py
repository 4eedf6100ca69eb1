"""A site's own topics of risk: what is taken, the flaws of what is not, and who hears of them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.respond import respond_json
from gateway.adapters.packaged import packaged_disclaimers
from gateway.configuration import Flaw, parse_settings
from gateway.front import build_front
from gateway.pipeline.score import Calibrated
from gateway.settings import RiskTopic, Settings, SiteSettings
from kb import Entry, build_index, load_index
from tests.gateway.pipeline.test_score import written
from tests.gateway.world import GATEWAY, settings, world

ENVIRON = {"FANLIGHT_OPERATOR_TOKEN": "a-token-that-is-long-enough-1"}
SITE = {
    "key": "site_shop",
    "name": "Shop",
    "origins": ["https://shop.example"],
    "kb": ["kb"],
    "locales": ["en", "es"],
}
KNIVES = {"name": "weapons", "words": ["knife", "cuchillo"]}
TOPIC = RiskTopic("weapons", ("knife", "cuchillo"), {"en": "Ask us first.", "es": "Pregunte."})


def parsed(*topics: object) -> tuple[SiteSettings, list[Flaw]]:
    document = {"sites": [{**SITE, "risk_topics": list(topics)}]}
    read, flaws = parse_settings(document, ENVIRON, Path("/srv"))
    return read.sites[0], flaws


def chosen(*topics: RiskTopic) -> Settings:
    made = settings()
    first, *others = made.sites
    return replace(made, sites=(replace(first, risk_topics=topics), *others))


def test_a_topic_is_read_as_it_is_written() -> None:
    site, flaws = parsed({**KNIVES, "text": {"en": " Ask us. "}})
    assert flaws == []
    assert site.risk_topics == (RiskTopic("weapons", ("knife", "cuchillo"), {"en": "Ask us."}),)


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        ({"name": "Knives!"}, "[Knives!].name", "Begin with a small letter"),
        ({"name": ""}, "[#1].name", "Set it."),
        ({"words": []}, "[weapons].words", "Set it."),
        ({"words": "knife"}, "[weapons].words", "Write a list of strings."),
        ({"words": ["?!"]}, "[weapons].words", "Write a word"),
        ({"words": ["what is"]}, "[weapons].words", "Write a word"),
        ({"words": ["a" * 61]}, "[weapons].words", "Write a word"),
        ({"words": [f"w{n}" for n in range(101)]}, "[weapons].words", "Keep 100 at most"),
        ({"text": {"he": "x"}}, "[weapons].text.he", "Its languages: en, es."),
        ({"text": {"en": " "}}, "[weapons].text.en", "Write the text"),
        ({"text": {"en": "a" * 301}}, "[weapons].text.en", "at most 300"),
        ({"word": ["knife"]}, "[weapons].word", "Did you mean words?"),
    ],
)
def test_a_flaw_names_the_topic_its_key_and_the_remedy(
    change: dict[str, Any], key: str, remedy: str
) -> None:
    _, flaws = parsed({**KNIVES, **change})
    assert [flaw.key for flaw in flaws] == [f"sites[site_shop].risk_topics{key}"]
    assert remedy in flaws[0].remedy


@pytest.mark.parametrize(
    ("topics", "key"),
    [
        ((KNIVES, KNIVES), "sites[site_shop].risk_topics[weapons].name"),
        ([{**KNIVES, "name": f"n{n}"} for n in range(21)], "sites[site_shop].risk_topics"),
        (("knife",), "sites[site_shop].risk_topics"),
    ],
)
def test_topics_are_tables_of_different_names_and_not_too_many(
    topics: tuple[object, ...], key: str
) -> None:
    assert [flaw.key for flaw in parsed(*topics)[1]] == [key]


async def test_the_panel_hears_the_words_and_its_python_keeps_the_device_out() -> None:
    async with world(chosen=chosen(TOPIC)) as gateway:
        page = (await gateway.client.get(GATEWAY + "/chat/site_demo")).text
    block = re.search(r'id="fanlight-config">(.*?)</script>', page)
    assert block is not None
    told = json.loads(block.group(1))["risk_topics"]
    assert told == {"weapons": ["knife", "cuchillo"]}
    index = load_index(build_index([Entry("k", "en", "Which knives do you sell?", "Three.")]))
    device = {"engine": "ready", "site": "prefer"}
    for question, touched in (("Which KNIFE is it?", True), ("Which fork is it?", False)):
        asked = {"question": question, "device": device, "risk_topics": told, "threshold": 1.0}
        said = json.loads(respond_json(index, json.dumps(asked)))
        assert ("high_stakes" in said["route_reasons"]) is touched
        assert said["risk"] == (["weapons"] if touched else [])


async def test_the_gateway_says_beside_a_reply_what_the_site_says_of_it() -> None:
    medical = RiskTopic("medical", ("tisane",))
    async with world(chosen=chosen(TOPIC, medical)) as gateway:
        site = build_front(gateway.services).pipeline("site_demo").site
    score = Calibrated(None, packaged_disclaimers())
    for question, said in (
        ("Which knife is right?", ["Ask us first."]),
        ("Which tisane is right?", list(packaged_disclaimers().of("medicine", "", "en"))),
        ("Which fork is right?", []),
    ):
        turn = (await score.run(replace(written("It depends.", question), site=site))).turn
        assert turn is not None
        assert list(turn.disclaimers) == said


@pytest.mark.parametrize("value", [3, [], {"a": 3}, {"a": [3]}, {"a": ["?!"]}])
def test_topics_of_a_request_that_are_not_of_their_form_are_refused(value: object) -> None:
    index = load_index(build_index([Entry("k", "en", "Which knives?", "Three.")]))
    with pytest.raises(ValueError, match="risk_topics"):
        respond_json(index, json.dumps({"question": "q", "risk_topics": value}))
