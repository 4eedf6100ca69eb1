"""The way out against hostile addresses: nothing inward is dialled, and what is public is reached.

The network is a double that notes every address that is dialled and leads each, inward ones too, to
a real TLS server on this machine, so that whatever gets through is seen.
"""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpcore
import httpx
import pytest

from gateway.adapters.outbound import Outbound, RefusedAddress
from tests.gateway.adapters.hostile_urls import (
    HOSTILE,
    INWARD_V4,
    INWARD_V6,
    LEGITIMATE,
    REBINDING,
)
from tests.gateway.adapters.http_receiver import Receiver, answer, receiver
from tests.gateway.adapters.test_outbound import certificate

PUBLIC = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "151.101.1.140")
INWARD = frozenset(map(ipaddress.ip_address, (*INWARD_V4, *INWARD_V6)))
CERTIFIED = (
    *(f"hook-{number}.example" for number in range(30)),
    *(f"rebind-{number}.example" for number in range(20)),
    *("good.example", "xn--bcher-kva.example", "xn--r8jz45g.example", "a.b.c.d.hook.example"),
    *("1a.example", "127.0.0.1.hook.example", "localhost.hook.example"),
)


class Internet(httpcore.AsyncNetworkBackend):
    """Leads every address to one server, and keeps what was dialled."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._machine = httpcore.AnyIOBackend()
        self.dialled: list[str] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.dialled.append(host)
        return await self._machine.connect_tcp("127.0.0.1", self._port, timeout)

    def inward(self) -> list[str]:
        """What was dialled and is not one of the public addresses."""
        return [address for address in self.dialled if address not in PUBLIC]


class NameServer:
    """Public addresses for the names we certify, and for every other the worst there is."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked[host] += 1
        if host.startswith("rebind-"):
            return (PUBLIC[0],) if self.asked[host] % 2 else ("169.254.169.254",)
        if host in CERTIFIED:
            return PUBLIC
        try:
            # As this machine's resolver reads numbers: short, octal and hexadecimal forms too.
            numeric = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
        except (OSError, UnicodeError):
            return ("127.0.0.1",)
        return [str(entry[4][0]) for entry in numeric]


@asynccontextmanager
async def abroad(
    folder: Path, *answers: bytes
) -> AsyncIterator[tuple[Outbound, Internet, NameServer, Receiver]]:
    tls, trusting = certificate(folder, *CERTIFIED)
    async with receiver(*answers, tls=tls) as server:
        internet, names = Internet(server.port), NameServer()
        outbound = Outbound(resolver=names, verify=trusting, network=internet, timeout_s=5)
        try:
            yield outbound, internet, names, server
        finally:
            await outbound.close()


async def tried(outbound: Outbound, url: str) -> bool:
    """Whether it was delivered."""
    try:
        await outbound.post(url, content=b"{}", headers={})
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return True


def test_there_are_enough_of_them() -> None:
    assert len(set(HOSTILE)) >= 200
    assert len(set(LEGITIMATE)) >= 50
    assert not set(HOSTILE) & set(LEGITIMATE)


async def test_no_hostile_address_is_dialled(tmp_path: Path) -> None:
    async with abroad(tmp_path) as (outbound, internet, _, server):
        delivered = [url for url in HOSTILE if await tried(outbound, url)]
        assert internet.inward() == []
        assert delivered == []
        assert server.received == []


async def test_every_legitimate_address_is_delivered(tmp_path: Path) -> None:
    async with abroad(tmp_path) as (outbound, internet, _, server):
        refused = [url for url in LEGITIMATE if not await tried(outbound, url)]
        assert refused == []
        assert len(server.received) == len(LEGITIMATE)
        assert internet.inward() == []


async def test_hostile_and_legitimate_side_by_side_are_told_apart(tmp_path: Path) -> None:
    """One guard for all: what was refused or reached before changes nothing."""
    async with abroad(tmp_path) as (outbound, internet, _, server):
        for place, url in enumerate(HOSTILE):
            assert not await tried(outbound, url), url
            assert await tried(outbound, LEGITIMATE[place % len(LEGITIMATE)])
        assert internet.inward() == []
        assert len(server.received) == len(HOSTILE)


async def test_a_name_that_changes_its_answer_leads_nowhere_inward(tmp_path: Path) -> None:
    closing = answer(200, "connection: close")
    async with abroad(tmp_path, closing) as (outbound, internet, names, server):
        for url in REBINDING:
            assert [await tried(outbound, url) for _ in range(4)] == [True, False, True, False]
        assert internet.inward() == []
        assert len(server.received) == 2 * len(REBINDING)
        assert set(names.asked.values()) == {4}  # once a connection, and not again for it


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_inward_is_not_followed(tmp_path: Path, status: int) -> None:
    inward = answer(status, "location: https://169.254.169.254/latest/meta-data/")
    async with abroad(tmp_path, inward) as (outbound, internet, _, server):
        received = await outbound.post("https://good.example/", content=b"", headers={})
        assert received.status == status
        assert internet.inward() == []
        assert len(server.received) == 1


@pytest.mark.parametrize("port", [22, 6379, 8000])
async def test_a_port_is_refused_with_what_to_do_and_reached_once_listed(
    tmp_path: Path, port: int
) -> None:
    url = f"https://good.example:{port}/"
    async with abroad(tmp_path) as (outbound, internet, names, _):
        with pytest.raises(RefusedAddress, match=rf'add "good.example:{port}"'):
            await outbound.post(url, content=b"", headers={})
        assert names.asked == {}
    tls, trusting = certificate(tmp_path, "good.example")
    async with receiver(tls=tls) as server:
        internet = Internet(server.port)
        listed = Outbound(
            [f"good.example:{port}"], resolver=NameServer(), verify=trusting, network=internet
        )
        assert (await listed.post(url, content=b"", headers={})).status == 200
        await listed.close()


def test_the_judge_of_these_tests_knows_every_inward_address() -> None:
    assert not {ipaddress.ip_address(one) for one in PUBLIC} & INWARD
