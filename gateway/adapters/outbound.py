"""The way out: every outbound call goes through here, to public addresses over HTTPS.

A host is resolved once, each of its addresses is checked, and the connection goes to an address
that was checked, so that a second answer of the name server changes nothing. TLS still names and
verifies the host. It refuses addresses that are not global (private, loopback, link-local, shared,
multicast, and IPv6 forms that hold such an IPv4 address), plain HTTP, and ports that no public
service of HTTPS has, unless the operator listed that exact `host:port`. It follows no redirect and
uses no proxy. What it cannot know is a NAT64 prefix of the network's own: a gateway stands behind
one only with a firewall of its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpcore
import httpx

from gateway.adapters.connections import Connections
from gateway.configuration.addresses import DEFAULT_PORTS, OUTBOUND_PORTS

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to its addresses; raises `OSError` where there is none."""

Propagated = Callable[[], Mapping[str, str]]
"""The header fields that tie a call to what caused it (W3C Trace Context)."""

CONNECT_S = 5.0
ADDRESSES_TRIED = 4

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)
"""The middle of an interface's id that holds an IPv4 address to tunnel to (RFC 5214)."""

# What `is_global` lets through on some Python releases, and no public service lives in.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays, retired
        "2001::/23",  # Teredo, ORCHID and other protocol assignments
        "2002::/16",  # 6to4: wraps any IPv4 address
        "3fff::/20",  # documentation
    )
)


class RefusedAddress(httpx.TransportError):
    """An address that outbound calls may not reach; the message says how to allow it."""


def is_global(text: str) -> bool:
    """Whether this IP address is one that the public internet reaches; False for what is none.

    IPv4-mapped (RFC 4291) and NAT64 (RFC 6052) addresses are judged by the IPv4 address within.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None or int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
            return False
        inner = address.ipv4_mapped
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None and address not in _GLOBAL_UNICAST:
            return False
        address = inner or address
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NEVER)
    )


def endpoint(text: str) -> tuple[str, int]:
    """The host and port of `host:port`; raises `ValueError` when it is anything else."""
    try:
        url = httpx.URL(f"tcp://{text}")
    except httpx.InvalidURL as exc:
        raise ValueError(f"{text!r} is not of the form host:port") from exc
    port = url.port or 0
    if not url.host or not 0 < port < 65_536 or url.userinfo or url.raw_path not in (b"", b"/"):
        raise ValueError(f"{text!r} is not of the form host:port")
    return url.raw_host.decode("ascii"), port


async def resolve(host: str, port: int) -> list[str]:
    """The addresses that this machine's resolver has for a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Received:
    """An answer: its status, its headers in lower case, and the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Outbound:
    """Outbound HTTP for one gateway, each call within `timeout_s` seconds in all.

    `private_endpoints` are exact `host:port` texts; raises `ValueError` for one that is not.
    `network` is what connects, the machine's own by default.
    """

    ports: Collection[int] = OUTBOUND_PORTS

    def __init__(
        self,
        private_endpoints: Iterable[str] = (),
        *,
        resolver: Resolver = resolve,
        verify: ssl.SSLContext | None = None,
        timeout_s: float = 15.0,
        propagated: Propagated = dict,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._listed = frozenset(endpoint(text) for text in private_endpoints)
        self._resolver = resolver
        self._verify = verify
        self._timeout_s = timeout_s
        self.propagated: Final = propagated
        self._network = network or httpcore.AnyIOBackend()
        self._client = httpx.AsyncClient(
            transport=self.transport(),
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            follow_redirects=False,
            trust_env=False,
        )

    def transport(self) -> httpx.AsyncBaseTransport:
        """A guarded transport of its own pool, for a client that streams or keeps connections."""
        return _GuardedTransport(self, self._verify, self._network)

    async def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        read_bytes: int = 4_096,
    ) -> Received:
        """Send once and read at most `read_bytes` of the answer.

        Raises `httpx.HTTPError`, of which `RefusedAddress` is one and `httpx.TimeoutException`
        another, or `httpx.InvalidURL`.
        """
        # Not decompressed: a small answer could unpack to a large one.
        sent = {"accept-encoding": "identity", **headers}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", url, content=content, headers=sent) as response,
            ):
                body = await _beginning(response, read_bytes)
        except TimeoutError as exc:
            raise httpx.ReadTimeout(f"no answer within {self._timeout_s:g} s") from exc
        except UnicodeError as exc:  # a host that begins like punycode and is none
            raise httpx.InvalidURL(f"the address names no host: {exc}") from exc
        return Received(response.status_code, dict(response.headers), body)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()

    def check_scheme(self, url: httpx.URL) -> None:
        """Raise `RefusedAddress` unless the URL is HTTPS, or HTTP to a listed endpoint."""
        if url.scheme == "https":
            return
        host, port = url.raw_host.decode("ascii"), url.port or 80
        if url.scheme != "http" or (host, port) not in self._listed:
            raise RefusedAddress(
                f"{url.scheme}://{host}:{port} is not https; use https, "
                f'or add "{host}:{port}" to gateway.private_endpoints'
            )

    def lists(self, host: str, port: int) -> bool:
        """Whether the operator listed this endpoint."""
        return (host, port) in self._listed

    def check_port(self, host: str, port: int) -> None:
        """Raise `RefusedAddress` unless the port is one of `ports`, or the endpoint is listed."""
        if port not in self.ports and not self.lists(host, port):
            raise RefusedAddress(
                f"port {port} is not one that outbound calls go to; if that is meant, "
                f'add "{host}:{port}" to gateway.private_endpoints'
            )

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to, all checked.

        Raises `RefusedAddress` when one of them is not global and the endpoint is not listed.
        """
        found = list(await self._resolver(host, port))
        if not self.lists(host, port) and not all(is_global(address) for address in found):
            raise RefusedAddress(
                f"{host}:{port} has a private or special address; if that is meant, "
                f'add "{host}:{port}" to gateway.private_endpoints'
            )
        return found[:ADDRESSES_TRIED]


class _GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over a pool whose connections the guard makes."""

    def __init__(
        self,
        outbound: Outbound,
        verify: ssl.SSLContext | None,
        network: httpcore.AsyncNetworkBackend,
    ) -> None:
        context = verify or httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        self._outbound = outbound
        # The pool tells hosts apart by name, so a connection is only used again for its own host.
        self._pool = Connections(context, _GuardedBackend(outbound, network))  # type: ignore[assignment]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._outbound.check_scheme(request.url)
        request.headers.update(self._outbound.propagated())
        url = request.url
        if url.userinfo:
            raise RefusedAddress("a name or password stands in the address; take it out")
        port = DEFAULT_PORTS.get(url.scheme, 0) if url.port is None else url.port
        self._outbound.check_port(url.raw_host.decode("ascii"), port)
        return await super().handle_async_request(request)


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only, one after the other until one answers."""

    def __init__(self, outbound: Outbound, network: httpcore.AsyncNetworkBackend) -> None:
        self._outbound = outbound
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._outbound.addresses(host, port)
        except TimeoutError as exc:
            raise httpcore.ConnectTimeout(f"{host} was not resolved in time") from exc
        except (OSError, UnicodeError) as exc:
            raise httpcore.ConnectError(f"{host} has no address") from exc
        failed: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as exc:
                failed = exc
        raise failed or httpcore.ConnectError(f"{host} has no address")


async def _beginning(response: httpx.Response, limit: int) -> bytes:
    body = b""
    if limit > 0:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) >= limit:
                break
    return body[:limit]
