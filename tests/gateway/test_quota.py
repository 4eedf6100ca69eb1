"""Quotas: who is counted, what a response says of it, and what is refused."""

import asyncio
import re

import pytest

from gateway.quota import Standing, fields
from gateway.settings import LimitSettings
from tests.gateway.test_integrity import problem
from tests.gateway.world import World, settings, world

QUOTAS: dict[str, dict[str, int]] = {
    "session": {"session_per_minute": 3},
    "subject": {"subject_per_minute": 3},
    "site": {"site_per_minute": 3},
    "address": {"address_per_minute": 3},
}

# RFC 9651: a list of strings with integer parameters, as draft-10 has them.
POLICY = re.compile(r'"[a-z]+";q=[0-9]+;w=60(, "[a-z]+";q=[0-9]+;w=60)*')
LEFT = re.compile(r'"[a-z]+";r=[0-9]+;t=[0-9]+(, "[a-z]+";r=[0-9]+;t=[0-9]+)*')


@pytest.mark.parametrize("policy", QUOTAS)
async def test_a_quota_is_spent_refused_by_name_and_given_anew(policy: str) -> None:
    limits = LimitSettings(pow_difficulty=1, **QUOTAS[policy])
    async with world(chosen=settings(limits=limits)) as gateway:
        visitor = await gateway.visitor()
        replies = [await visitor.ask("When are you open?") for _ in range(4)]
        assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
        refused = replies[3]
        assert problem(refused) == "too-many-requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert f'"{policy}";q=3;w=60' in refused.headers["ratelimit-policy"]
        assert re.fullmatch(rf'"{policy}";r=0;t=[0-9]+', refused.headers["ratelimit"])
        gateway.time.now += 61
        assert (await visitor.ask("When are you open?")).status_code == 200


async def test_every_success_says_what_is_left(gateway: World) -> None:
    visitor = await gateway.visitor()
    seen = []
    for _ in range(2):
        response = await visitor.ask("When are you open?")
        assert POLICY.fullmatch(response.headers["ratelimit-policy"])
        assert LEFT.fullmatch(response.headers["ratelimit"])
        seen.append(response.headers["ratelimit"])
    assert [re.search(r'"session";r=(\d+)', one)[1] for one in seen] == ["59", "58"]  # type: ignore[index]
    assert all(name in seen[0] for name in ("address", "session", "subject"))
    assert "site" not in seen[0], "how busy a site is, is nobody's business"


async def test_a_call_that_is_refused_after_its_quotas_says_what_is_left(gateway: World) -> None:
    visitor = await gateway.visitor()
    refused = await visitor.call("POST", "/v1/chat", visitor.chat_body(" "), key="k")
    assert problem(refused) == "invalid-request"
    assert '"session";r=59' in refused.headers["ratelimit"]


async def test_a_visitor_with_two_sessions_has_one_quota_and_others_have_theirs() -> None:
    limits = LimitSettings(pow_difficulty=1, subject_per_minute=2)
    async with world(chosen=settings(limits=limits)) as gateway:
        visitor, other = await gateway.visitor(), await gateway.visitor()
        assert (await visitor.ask("When are you open?")).status_code == 200
        await visitor.open_session()
        visitor.receipt = None
        codes = [(await visitor.ask("When are you open?")).status_code for _ in range(2)]
        assert codes == [200, 429]
        assert (await other.ask("When are you open?")).status_code == 200


async def test_calls_that_are_refused_before_cost_the_victim_nothing() -> None:
    limits = LimitSettings(pow_difficulty=1, session_per_minute=2)
    async with world(chosen=settings(limits=limits)) as gateway:
        visitor, thief = await gateway.visitor(), gateway.stranger()
        thief.token = visitor.token
        for _ in range(5):
            assert problem(await thief.ask("When are you open?")) == "bad-signature"
        codes = [(await visitor.ask("When are you open?")).status_code for _ in range(2)]
        assert codes == [200, 200]


async def test_calls_at_once_do_not_slip_through_together() -> None:
    limits = LimitSettings(pow_difficulty=1, session_per_minute=5)
    async with world(chosen=settings(limits=limits)) as gateway:
        visitor = await gateway.visitor()
        requests = [
            await visitor.request(
                "POST", "/v1/chat", visitor.chat_body("When are you open?"), key=f"k{number}"
            )
            for number in range(20)
        ]
        replies = await asyncio.gather(*(gateway.client.send(one) for one in requests))
    assert sorted(reply.status_code for reply in replies) == [200] * 5 + [429] * 15


async def test_opening_a_session_says_what_is_left(gateway: World) -> None:
    visitor = gateway.stranger()
    asked = {"site_key": visitor.site_key, "thumbprint": visitor.keyid}
    response = await gateway.client.post("http://localhost:8000/v1/challenges", json=asked)
    assert LEFT.fullmatch(response.headers["ratelimit"])


def test_fields_list_every_standing() -> None:
    made = fields(Standing("address", 240, 239, 60), Standing("session", 60, 0, 1))
    assert made == {
        "ratelimit-policy": '"address";q=240;w=60, "session";q=60;w=60',
        "ratelimit": '"address";r=239;t=60, "session";r=0;t=1',
    }
