"""Attacks in bulk: replays and tamperings, none of which is taken, beside calls that all are.

The sizes are small here and 100,000 each in the large run; `--attacks N` chooses another. Seeds are
printed with a failure. Everything runs through the whole app, with its own keys and caches.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx
import pytest

from core.digest import content_digest
from gateway.adapters.visitor import Visitor
from gateway.settings import LimitSettings
from tests.gateway.world import GATEWAY, World, settings, world

AT_ONCE = 64
FRESH_AT_ONCE = 7
"""More than one fresh call for each ten replays."""

SEED = 9421
VISITORS = 8
RENEWED_AFTER = 400

BOUNDLESS = LimitSettings(
    pow_difficulty=1,
    session_per_minute=10**9,
    subject_per_minute=10**9,
    site_per_minute=10**9,
    address_per_minute=10**9,
    sessions_per_address_per_minute=10**9,
    sessions_per_site_per_minute=10**9,
)

Sent = tuple[str, str, bytes, tuple[tuple[bytes, bytes], ...]]
"""A request as it goes over the wire: method, URL, body, header fields."""


@pytest.fixture(scope="module")
def size(pytestconfig: pytest.Config, long: bool) -> int:
    """How many attacks of each kind."""
    return int(pytestconfig.getoption("--attacks") or (100_000 if long else 400))


def frozen(request: httpx.Request) -> Sent:
    return request.method, str(request.url), request.content, tuple(request.headers.raw)


def built(sent: Sent) -> httpx.Request:
    method, url, body, headers = sent
    kept = [pair for pair in headers if pair[0].lower() != b"content-length"]
    return httpx.Request(method, url, content=body, headers=kept)


async def fresh(visitor: Visitor, chance: random.Random) -> Sent:
    """A call that would be taken: a question with its idempotency key, or a renewal."""
    if chance.random() < 0.3:
        body = visitor.chat_body("When are you open?")
        key = visitor.new_id("k").replace("_", "-")
        return frozen(await visitor.request("POST", "/v1/chat", body, key=key))
    return frozen(await visitor.request("POST", "/v1/sessions/renew", {}))


async def renewed(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        await visitor.open_session()


# Replays.


@dataclass
class Replays:
    """What was sent how often, and what was taken how often."""

    gateway: World
    chance: random.Random
    visitors: list[Visitor]

    def __post_init__(self) -> None:
        self.known: list[Sent] = []
        self.taken: Counter[Sent] = Counter()
        self.refusals: Counter[str] = Counter()
        self.replayed = 0

    async def round(self) -> None:
        """Some sixty calls at once: a few fresh ones among replays of them and of earlier ones."""
        new = [
            await fresh(self.chance.choice(self.visitors), self.chance)
            for _ in range(FRESH_AT_ONCE)
        ]
        self.known += new
        recent = self.known[-500:]
        # Copies of a call that is itself under way, of recent ones, and of any there ever was.
        again = [self.chance.choice(new) for _ in range(20)]
        again += [self.chance.choice(recent) for _ in range(30)]
        again += [self.chance.choice(self.known) for _ in range(AT_ONCE - len(again))]
        self.replayed += len(again)
        calls = [*new, *again]
        self.chance.shuffle(calls)
        replies = await asyncio.gather(*(self.gateway.client.send(built(one)) for one in calls))
        for call, reply in zip(calls, replies, strict=True):
            if reply.is_success:
                self.taken[call] += 1
            else:
                self.refusals[reply.json()["type"].rsplit("/", 1)[1]] += 1
        self.gateway.time.now += 0.5


@pytest.mark.timeout(7_200)
async def test_no_replay_is_taken_and_every_fresh_call_is(size: int) -> None:
    chance = random.Random(SEED)
    async with world(chosen=settings(limits=BOUNDLESS)) as gateway:
        visitors = [gateway.stranger() for _ in range(VISITORS)]
        replays = Replays(gateway, chance, visitors)
        rounds = 0
        while replays.replayed < size:
            if rounds % RENEWED_AFTER == 0:
                await renewed(visitors)
            await replays.round()
            rounds += 1
    assert set(replays.taken.values()) == {1}, (SEED, replays.taken.most_common(3))
    assert len(replays.taken) == len(replays.known), (SEED, replays.refusals)
    assert replays.refusals.total() == replays.replayed
    assert set(replays.refusals) <= {"replayed-request", "stale-request", "unauthorised"}
    assert replays.refusals["replayed-request"] > replays.replayed / 4


async def test_sixty_four_copies_at_once_of_a_call_not_yet_made_are_one_call() -> None:
    async with world(chosen=settings(limits=BOUNDLESS)) as gateway:
        visitor = await gateway.visitor()
        call = await fresh(visitor, random.Random(1))
        replies = await asyncio.gather(*(gateway.client.send(built(call)) for _ in range(AT_ONCE)))
    assert sorted(reply.status_code for reply in replies) == [200] + [401] * 63


# Tamperings.

Change = Callable[[Sent, Sent, random.Random], Sent]
"""From a call, another valid call and chance, to something else than the call."""

COVERED = (b"authorization", b"content-digest", b"idempotency-key", b"x-integrity")
SIGNED = (*COVERED, b"signature-input", b"signature")
"""The fields that say something under a signature; the others say nothing to the gateway."""


def flipped(raw: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(raw) * 8)
    changed = bytearray(raw)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def field_of(sent: Sent, chance: random.Random) -> bytes:
    return chance.choice([name for name, _ in sent[3] if name in SIGNED])


def with_field(sent: Sent, name: bytes, value: bytes | None) -> Sent:
    """The call with this field, or without it."""
    kept = tuple(pair for pair in sent[3] if pair[0] != name)
    return (*sent[:3], kept if value is None else (*kept, (name, value)))


def value_of(sent: Sent, name: bytes) -> bytes:
    return dict(sent[3]).get(name, b"")


def flip_body(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    return (*sent[:2], flipped(sent[2], chance), sent[3])


def flip_field(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    name = field_of(sent, chance)
    return with_field(sent, name, flipped(value_of(sent, name), chance))


def flip_signature(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    return with_field(sent, b"signature", flipped(value_of(sent, b"signature"), chance))


def drop_field(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    return with_field(sent, field_of(sent, chance), None)


def double_field(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    name = field_of(sent, chance)
    return (*sent[:3], (*sent[3], (name, value_of(sent, name))))


def swap_field(sent: Sent, other: Sent, chance: random.Random) -> Sent:
    # Two renewals have one body and so one digest: that would be no change.
    names = [name for name in SIGNED if value_of(sent, name) not in (b"", value_of(other, name))]
    name = chance.choice(names)
    return with_field(sent, name, value_of(other, name) or b"x")


def swap_body(sent: Sent, other: Sent, _: random.Random) -> Sent:
    return (*sent[:2], other[2] if other[2] != sent[2] else b'{"x": 1}', sent[3])


def lengthen_body(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    return (*sent[:2], sent[2] + chance.choice([b" ", b"\n", b"\x00", b"{}"]), sent[3])


def truncate_body(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    return (*sent[:2], sent[2][: chance.randrange(len(sent[2]))], sent[3])


def add_query(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    query = chance.choice(["a", "a=1", "%00", "x=" + "y" * chance.randrange(1, 40)])
    return (sent[0], f"{sent[1]}?{query}", *sent[2:])


def change_path(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    paths = ["/v1/chat", "/v1/escalations", "/v1/sessions/renew", "/v1/sessions/revoke"]
    elsewhere = [path for path in paths if not sent[1].endswith(path)]
    return (sent[0], GATEWAY + chance.choice(elsewhere), *sent[2:])


def respell_path(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    """Another spelling of the same path, which a router might take for the same."""
    head, tail = sent[1].rsplit("/", 1)
    letter = chance.randrange(len(tail))
    spelt = f"{tail[:letter]}%{ord(tail[letter]):02X}{tail[letter + 1 :]}"
    return (sent[0], f"{head}/{spelt}", *sent[2:])


def change_method(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    return (chance.choice(["GET", "PUT", "PATCH", "DELETE", "PURGE", "HEAD"]), *sent[1:])


def add_signature(sent: Sent, other: Sent, _: random.Random) -> Sent:
    """A second, valid signature beside the first, under another label."""
    made = sent
    for name in (b"signature-input", b"signature"):
        second = value_of(other, name).replace(b"fanlight=", b"second=", 1)
        made = with_field(made, name, value_of(made, name) + b", " + second)
    return made


def change_parameter(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    """Another time, key, nonce, tag, or covered set in `Signature-Input`."""
    text = value_of(sent, b"signature-input")
    old, new = chance.choice(
        [
            (b";created=", b";created=1"),
            (b";expires=", b";expires=9"),
            (b'tag="fanlight-v1"', b'tag="fanlight-v2"'),
            (b'tag="fanlight-v1"', b'tag="fanlight-v1";alg="ecdsa-p256-sha256"'),
            (b'tag="fanlight-v1"', b'tag="fanlight-v1";alg="hmac-sha256"'),
            (b' "authorization"', b""),
            (b'"@query" ', b""),
            (b'"@method" "@authority"', b'"@authority" "@method"'),
            (b'"content-digest"', b'"content-digest";sf'),
            (b'nonce="', b'nonce="A'),
            (b'keyid="', b'keyid="A'),
            (b"fanlight=", b"fanlight2="),
            (b"fanlight=(", b"fanlight=( "),
        ]
    )
    assert old in text
    return with_field(sent, b"signature-input", text.replace(old, new, 1))


def own_digest(sent: Sent, _: Sent, chance: random.Random) -> Sent:
    """Another body with a digest that fits it, as whoever stands between would send it."""
    body = flipped(sent[2], chance)
    return with_field((*sent[:2], body, sent[3]), b"content-digest", content_digest(body).encode())


CHANGES: tuple[Change, ...] = (
    *(flip_body, flip_field, flip_field, flip_field, flip_signature, drop_field, double_field),
    *(swap_field, swap_body, lengthen_body, truncate_body, add_query, change_path, respell_path),
    *(change_method, add_signature, change_parameter, own_digest),
)
PER_CALL = 20


@pytest.mark.timeout(7_200)
async def test_no_tampering_is_taken_and_every_call_it_was_made_of_is(size: int) -> None:
    chance = random.Random(SEED)
    refused: Counter[str] = Counter()
    async with world(chosen=settings(limits=BOUNDLESS)) as gateway:
        visitors = [gateway.stranger() for _ in range(VISITORS)]
        calls = 0
        while refused.total() < size:
            if calls % RENEWED_AFTER == 0:
                await renewed(visitors)
            one, other = [await fresh(visitor, chance) for visitor in chance.sample(visitors, 2)]
            for _ in range(PER_CALL):
                change = chance.choice(CHANGES)
                tampered = change(one, other, chance)
                assert tampered != one, change
                reply = await gateway.client.send(built(tampered))
                told = (SEED, change.__name__, tampered, reply.status_code, reply.text)
                assert 400 <= reply.status_code < 500, told
                refused[change.__name__] += 1
            # What was tampered with is still good: no attempt has spent its nonce.
            assert (await gateway.client.send(built(one))).is_success, (SEED, one)
            calls += 1
            gateway.time.now += 0.1
        assert await gateway.truth.escalations(status="all", before=None, limit=1) == []
    assert len(refused) == len(set(CHANGES))


async def test_a_line_break_in_a_field_is_refused_as_a_signature_that_does_not_hold() -> None:
    async with world(chosen=settings(limits=BOUNDLESS)) as gateway:
        visitor = await gateway.visitor()
        body = visitor.chat_body("When are you open?")
        one = frozen(await visitor.request("POST", "/v1/chat", body, key="k1"))
        reply = await gateway.client.send(built(with_field(one, b"idempotency-key", b"k\n1")))
        assert reply.json()["type"].endswith("/bad-signature")
        assert (await gateway.client.send(built(one))).is_success


async def test_a_call_whose_session_had_ended_is_refused_however_it_is_changed() -> None:
    chance = random.Random(SEED)
    async with world(chosen=settings(limits=BOUNDLESS)) as gateway:
        visitor, other = await gateway.visitor(), await gateway.visitor()
        one, another = await fresh(visitor, chance), await fresh(other, chance)
        await visitor.call("POST", "/v1/sessions/revoke", {})
        for change in CHANGES:
            reply = await gateway.client.send(built(change(one, another, chance)))
            assert 400 <= reply.status_code < 500, change
        assert (await gateway.client.send(built(one))).status_code == 401
        assert (await gateway.client.send(built(another))).is_success


async def test_limits_hold_under_the_same_attack() -> None:
    """Refusals cost the attacker's address, and nobody else's quota."""
    limits = replace(BOUNDLESS, address_per_minute=50, session_per_minute=50)
    async with world(chosen=settings(limits=limits)) as gateway:
        visitor = await gateway.visitor()
        chance = random.Random(SEED)
        one, other = await fresh(visitor, chance), await fresh(visitor, chance)
        replies = [
            await gateway.client.send(built(flip_signature(one, other, chance))) for _ in range(60)
        ]
        codes = Counter(reply.status_code for reply in replies)
        assert codes == {401: 50, 429: 10}
        assert all("retry-after" in reply.headers for reply in replies[50:])
