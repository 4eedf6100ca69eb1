import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.outbound import (
    Outbound,
    RefusedAddress,
    Resolver,
    endpoint,
    is_global,
    resolve,
)
from tests.gateway.adapters.http_receiver import NEVER, OK, answer, receiver

HOST = "hooks.example"


def resolver(*addresses: str, asked: list[str] | None = None) -> Resolver:
    async def found(host: str, port: int) -> Sequence[str]:
        if asked is not None:
            asked.append(f"{host}:{port}")
        return addresses

    return found


@asynccontextmanager
async def way_out(
    *listed: str,
    resolver: Resolver = resolve,
    verify: ssl.SSLContext | None = None,
    timeout_s: float = 10,
) -> AsyncIterator[Outbound]:
    outbound = Outbound(listed, resolver=resolver, verify=verify, timeout_s=timeout_s)
    try:
        yield outbound
    finally:
        await outbound.close()


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - judged, not listened on
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "localhost",
        "",
    ],
)
def test_an_address_that_is_not_global_is_known_as_such(address: str) -> None:
    assert not is_global(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_a_public_address_is_global(address: str) -> None:
    assert is_global(address)


@given(inner=st.ip_addresses(v=4))
def test_an_ipv4_address_within_ipv6_is_judged_like_itself(inner: ipaddress.IPv4Address) -> None:
    assert is_global(f"::ffff:{inner}") == is_global(f"64:ff9b::{inner}") == is_global(str(inner))


@given(address=st.ip_addresses())
def test_nothing_that_python_calls_private_is_global(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    wraps = isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped or address in ipaddress.ip_network("64:ff9b::/96")
    )
    assert wraps or not (is_global(str(address)) and address.is_private)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost:9000", "localhost", 9000),
        ("LOCALHOST:80", "localhost", 80),
        ("[::1]:443", "::1", 443),
        ("bücher.example:1", "xn--bcher-kva.example", 1),
    ],
)
def test_a_listed_endpoint_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert endpoint(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        ":80",
        "http://localhost:80",
        "localhost:80/x",
        "a@localhost:80",
        "h:99999",
        "h:x",
    ],
)
def test_a_listed_endpoint_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        Outbound([text])


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("169.254.169.254",), ("::1",), ("::ffff:10.0.0.1",), ("8.8.8.8", "10.0.0.1")],
)
async def test_a_host_with_a_private_address_is_refused(addresses: tuple[str, ...]) -> None:
    async with way_out(resolver=resolver(*addresses)) as outbound:
        with pytest.raises(RefusedAddress, match="private_endpoints"):
            await outbound.post(f"https://{HOST}/", content=b"", headers={})


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f.1:{port}/",
        "https://0:{port}/",
    ],
)
async def test_no_spelling_of_this_machine_gets_through(url: str) -> None:
    async with receiver() as server, way_out() as outbound:
        with pytest.raises(httpx.TransportError):
            await outbound.post(url.format(port=server.port), content=b"", headers={})
        assert server.connections == 0


@pytest.mark.parametrize("scheme", ["http", "ftp"])
async def test_anything_but_https_is_refused(scheme: str) -> None:
    async with way_out(resolver=resolver("8.8.8.8")) as outbound:
        with pytest.raises(RefusedAddress, match="not https"):
            await outbound.post(f"{scheme}://{HOST}/", content=b"", headers={})


@pytest.mark.parametrize("listed", ["127.0.0.1:1", "localhost:{port}", "127.0.0.2:{port}"])
async def test_a_listed_endpoint_opens_nothing_but_itself(listed: str) -> None:
    async with receiver() as server, way_out(listed.format(port=server.port)) as outbound:
        with pytest.raises(RefusedAddress):
            await outbound.post(f"http://127.0.0.1:{server.port}/", content=b"", headers={})
        assert server.connections == 0


async def test_a_listed_endpoint_is_reached_without_https() -> None:
    async with receiver(answer(202, "x-a: b", body=b"taken")) as server:
        authority = f"127.0.0.1:{server.port}"
        async with way_out(authority) as outbound:
            got = await outbound.post(f"http://{authority}/x?y", content=b"{}", headers={"a": "1"})
        assert (got.status, got.headers["x-a"], got.body) == (202, "b", b"taken")
        request = server.received[0]
        assert request.line == "POST /x?y HTTP/1.1"
        assert (request.headers["host"], request.headers["a"]) == (authority, "1")
        assert request.body == b"{}"


async def test_the_name_is_resolved_once_and_the_connection_goes_to_that_address() -> None:
    asked: list[str] = []
    async with receiver() as server:
        authority = f"{HOST}:{server.port}"
        found = resolver("127.0.0.1", asked=asked)
        async with way_out(authority, resolver=found) as outbound:
            await outbound.post(f"http://{authority}/", content=b"", headers={})
        assert asked == [authority]
        assert server.received[0].headers["host"] == authority


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with receiver() as server:
        authority = f"{HOST}:{server.port}"
        found = resolver("127.0.0.2", "127.0.0.1")
        async with way_out(authority, resolver=found) as outbound:
            got = await outbound.post(f"http://{authority}/", content=b"", headers={})
        assert got.status == 200


async def test_a_redirect_is_not_followed() -> None:
    async with receiver() as inner, receiver(answer(302, "location: http://127.0.0.1:1/")) as outer:
        async with way_out(f"127.0.0.1:{outer.port}", f"127.0.0.1:{inner.port}") as outbound:
            got = await outbound.post(f"http://127.0.0.1:{outer.port}/", content=b"", headers={})
        assert (got.status, inner.connections) == (302, 0)


@pytest.mark.parametrize(
    ("read_bytes", "body"), [(0, b""), (10, b"a" * 10), (10**6, b"a" * 50_000)]
)
async def test_no_more_of_an_answer_is_read_than_asked_for(read_bytes: int, body: bytes) -> None:
    async with receiver(answer(200, body=b"a" * 50_000)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        async with way_out(f"127.0.0.1:{server.port}") as outbound:
            got = await outbound.post(url, content=b"", headers={}, read_bytes=read_bytes)
        assert got.body == body


@pytest.mark.parametrize("said", [NEVER, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na"])
async def test_an_answer_that_does_not_come_or_end_is_given_up(said: bytes) -> None:
    async with receiver(said) as server:
        url = f"http://127.0.0.1:{server.port}/"
        async with way_out(f"127.0.0.1:{server.port}", timeout_s=0.1) as outbound:
            with pytest.raises(httpx.TimeoutException):
                await outbound.post(url, content=b"", headers={})


async def never(host: str, port: int) -> Sequence[str]:
    await asyncio.Event().wait()
    return ()


async def no_such_host(host: str, port: int) -> Sequence[str]:
    raise OSError("Name or service not known")


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (no_such_host, httpx.ConnectError),
        (resolver(), httpx.ConnectError),
        (never, httpx.TimeoutException),
    ],
)
async def test_a_host_without_an_address_is_unreachable(
    found: Resolver, error: type[Exception]
) -> None:
    async with way_out(resolver=found, timeout_s=0.1) as outbound:
        with pytest.raises(error):
            await outbound.post(f"https://{HOST}/", content=b"", headers={})


async def test_a_slow_name_server_runs_into_the_connection_timeout() -> None:
    async with way_out(resolver=never) as outbound:
        client = httpx.AsyncClient(transport=outbound.transport(), timeout=0.05)
        async with client:
            with pytest.raises(httpx.ConnectTimeout):
                await client.get(f"https://{HOST}/")


def certificate(folder: Path, name: str, *others: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for these names, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName(one) for one in (name, *others)]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "server.pem"
    path.write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=pem.decode())
    return server, client


async def test_tls_names_and_verifies_the_host_though_the_address_is_dialled(
    tmp_path: Path,
) -> None:
    tls, trusting = certificate(tmp_path, HOST)
    named: list[str | None] = []
    tls.sni_callback = lambda _object, name, _context: named.append(name)
    async with receiver(OK, tls=tls) as server:
        authority = f"{HOST}:{server.port}"
        found = resolver("127.0.0.1")
        async with way_out(authority, resolver=found, verify=trusting) as outbound:
            got = await outbound.post(f"https://{authority}/", content=b"{}", headers={})
        assert got.status == 200
        assert named == [HOST]
        assert server.received[0].headers["host"] == authority


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    tls, trusting = certificate(tmp_path, "other.example")
    async with receiver(OK, tls=tls) as server:
        authority = f"{HOST}:{server.port}"
        found = resolver("127.0.0.1")
        async with way_out(authority, resolver=found, verify=trusting) as outbound:
            with pytest.raises(httpx.ConnectError):
                await outbound.post(f"https://{authority}/", content=b"{}", headers={})
        assert server.received == []


async def test_this_machines_resolver_knows_this_machine() -> None:
    assert set(await resolve("localhost", 80)) <= {"127.0.0.1", "::1"}
