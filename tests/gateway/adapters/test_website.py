"""Reading a website: the guard, redirects, robots.txt, limits, pace."""

import gzip
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from gateway.adapters.outbound import Resolver
from gateway.adapters.robots import Robots
from gateway.adapters.website import Limits, PageError, Remedies, TimeOver, Website, parse_address
from tests.gateway.website_server import Reply, Site, page, redirect, serving

HOST = "faq.example"
HELLO = page("<p>Hello</p>")
QUICK = Limits(pause_s=0)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def resolver(addresses: dict[str, str]) -> Resolver:
    async def found(host: str, port: int) -> Sequence[str]:
        return [addresses[host]]

    return found


@asynccontextmanager
async def visiting(*listed: str, **settings: Any) -> AsyncIterator[Website]:
    settings.setdefault("limits", QUICK)
    website = Website(listed, **settings)
    try:
        yield website
    finally:
        await website.close()


async def read(site: Site, path: str = "/", **settings: Any) -> str:
    async with visiting(site.authority, **settings) as website:
        return (await website.read(f"{site.url}{path}")).text


async def refused(site: Site, path: str = "/", **settings: Any) -> PageError:
    with pytest.raises(PageError) as error:
        await read(site, path, **settings)
    return error.value


async def test_a_page_is_read_with_our_name_after_robots_txt() -> None:
    with serving({"/a": HELLO}) as site:
        async with visiting(site.authority) as website:
            found = await website.read(f"{site.url}/a#fragment")
        assert (found.url, found.media_type, found.text) == (
            f"{site.url}/a",
            "text/html",
            "<p>Hello</p>",
        )
        assert site.asked == [("/robots.txt", "Fanlight"), ("/a", "Fanlight")]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/"]
)
async def test_a_private_address_that_is_not_listed_is_refused(url: str) -> None:
    with serving({"/": HELLO}) as site:
        async with visiting("127.0.0.1:1") as website:
            with pytest.raises(PageError, match="--allow-private"):
                await website.read(url.format(port=site.port))
        assert site.asked == []


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("ftp://a.example/", "not an http or https"),
        ("https://", "not an http or https"),
        ("https://a:b@a.example/", "name or password"),
        ("https://a.example:x/", "not an address"),
        ("file:///etc/passwd", "not an http or https"),
    ],
)
def test_what_is_no_address_of_a_page_is_refused(address: str, reason: str) -> None:
    with pytest.raises(PageError, match=reason):
        parse_address(address)


async def test_redirects_within_the_site_are_followed_and_robots_txt_asked_again() -> None:
    pages = {"/": redirect("/b", 301), "/b": redirect("c?x=1", 308), "/c?x=1": HELLO}
    with serving(pages) as site:
        async with visiting(site.authority) as website:
            assert (await website.read(site.url)).url == f"{site.url}/c?x=1"
        assert site.paths == ["/robots.txt", "/", "/b", "/c?x=1"]
        site.pages["/robots.txt"] = page("User-agent: *\nDisallow: /c", "text/plain")
        assert "robots.txt does not let" in str(await refused(site))


async def test_a_redirect_to_a_private_address_is_refused() -> None:
    with serving({"/": HELLO}) as inner, serving({}) as outer:
        outer.pages["/"] = redirect(f"http://127.0.0.1:{inner.port}/")
        assert "--allow-private" in str(await refused(outer))
        assert inner.asked == []


async def test_a_public_name_at_an_odd_port_is_refused() -> None:
    found = resolver({HOST: "93.184.216.34"})
    async with visiting(resolver=found) as website:
        with pytest.raises(PageError, match=r"no page is read from port 22;.* --allow-private"):
            await website.read(f"http://{HOST}:22/")


async def test_a_name_that_leads_to_a_private_address_is_refused_at_each_hop() -> None:
    with serving({}) as site:
        site.pages["/"] = redirect(f"http://www.{HOST}:{site.port}/")
        found = resolver({HOST: "127.0.0.1", f"www.{HOST}": "169.254.169.254"})
        async with visiting(f"{HOST}:{site.port}", resolver=found) as website:
            with pytest.raises(PageError, match=f"www.{HOST}:{site.port} has a private"):
                await website.read(f"http://{HOST}:{site.port}/")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("https://other.example/", "another site"),
        ("file:///etc/passwd", "not an http or https"),
        ("javascript:alert(1)", "no address"),
        ("http://[::1", "Invalid URL"),
        ("", "nowhere"),
        ("/", "in a circle"),
    ],
)
async def test_a_redirect_to_elsewhere_is_refused(location: str, reason: str) -> None:
    with serving({"/": redirect(location)}) as site:
        assert reason in str(await refused(site))


async def test_more_redirects_than_the_limit_are_refused() -> None:
    pages = {f"/{n}": redirect(f"/{n + 1}") for n in range(9)} | {"/5": HELLO}
    with serving(pages) as site:
        assert await read(site, "/0") == "<p>Hello</p>"
        del site.pages["/5"]
        site.pages["/5"] = redirect("/6")
        assert "more than 5 redirects" in str(await refused(site, "/0"))


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        (Reply(status=404), True),
        (Reply(status=403), True),
        (Reply(b"", headers={}), True),
        (page("User-agent: *\nDisallow: /private", "text/plain"), True),
        (page("User-agent: Fanlight\nDisallow: /\n\nUser-agent: *\nAllow: /", "text/plain"), False),
        (page("User-agent: *\nDisallow: /", "text/plain"), False),
    ],
)
async def test_robots_txt_is_respected(robots: Reply, allowed: bool) -> None:
    with serving({"/robots.txt": robots, "/": HELLO}) as site:
        if allowed:
            assert await read(site) == "<p>Hello</p>"
        else:
            assert "allow it there" in str(await refused(site))
            assert site.paths == ["/robots.txt"]


async def test_a_robots_txt_that_fails_lets_nothing_be_read() -> None:
    with serving({"/robots.txt": Reply(status=503), "/": HELLO}) as site:
        assert "robots.txt answers 503" in str(await refused(site))
        site.pages["/robots.txt"] = redirect("https://other.example/robots.txt")
        assert "robots.txt could not be read" in str(await refused(site))


@pytest.mark.parametrize("line", ["Disallow: //[x", "Crawl-delay: ²"])
async def test_a_robots_txt_that_cannot_be_understood_lets_nothing_be_read(line: str) -> None:
    rules = page(f"User-agent: *\n{line}", "text/plain; charset=utf-8")
    with serving({"/robots.txt": rules, "/": HELLO}) as site:
        assert "malformed" in str(await refused(site))


async def test_a_crawl_delay_is_honoured_up_to_a_limit() -> None:
    for asked, waited in ((2, 2.0), (60, 5.0)):
        clock = Clock()
        rules = page(f"User-agent: *\nCrawl-delay: {asked}", "text/plain")
        with serving({"/robots.txt": rules, "/a": HELLO, "/b": HELLO}) as site:
            async with visiting(
                site.authority, limits=Limits(pause_s=0.5), clock=clock, sleep=clock.sleep
            ) as website:
                await website.read(f"{site.url}/a")
                await website.read(f"{site.url}/b")
        assert clock.slept == [waited, waited]
    assert Robots("").delay_s() == 0


async def test_a_remedy_is_the_callers() -> None:
    remedies = Remedies(time="ask for less", private="have {address} listed")
    with serving({"/a": HELLO}) as site:
        async with visiting(remedies=remedies) as website:
            with pytest.raises(PageError, match=f"address; have {site.authority} listed"):
                await website.read(f"{site.url}/a")
        limits = Limits(site_s=0)
        async with visiting(site.authority, remedies=remedies, limits=limits) as website:
            with pytest.raises(TimeOver, match="over: ask for less"):
                await website.read(f"{site.url}/a")


async def test_a_site_has_its_time_and_no_more() -> None:
    clock = Clock()
    with serving({"/a": HELLO, "/b": HELLO}) as site:
        async with visiting(
            site.authority,
            limits=Limits(pause_s=1, site_s=1.5),
            clock=clock,
            sleep=clock.sleep,
        ) as website:
            await website.read(f"{site.url}/a")
            with pytest.raises(TimeOver, match="raise --time"):
                await website.read(f"{site.url}/b")
        assert site.paths == ["/robots.txt", "/a"]


async def test_a_slow_page_is_given_up() -> None:
    slow = Reply(b"x", headers={"Content-Type": "text/html"}, stalls=True)
    with serving({"/": slow}) as site:
        limits = Limits(pause_s=0, request_s=0.3)
        assert "no whole answer within 0.3 s" in str(await refused(site, limits=limits))


@contextmanager
def large(body: bytes, **headers: str) -> Any:
    with serving({"/": Reply(body, headers={"Content-Type": "text/html"} | headers)}) as site:
        yield site


SMALL_LIMIT = Limits(pause_s=0, page_bytes=100_000)


async def test_a_huge_page_is_refused_on_the_way() -> None:
    for body in (b"x" * 100_001, b"x" * 5_000_000):
        with large(body) as site:
            assert "larger than 100,000" in str(await refused(site, limits=SMALL_LIMIT))
    with large(b"x" * 100_000) as site:
        assert len(await read(site, limits=SMALL_LIMIT)) == 100_000


async def test_a_gzip_bomb_is_refused_on_the_way() -> None:
    bomb = gzip.compress(b"x" * 50_000_000, mtime=0)
    with large(bomb, **{"Content-Encoding": "gzip"}) as site:
        assert "larger than 100,000" in str(await refused(site, limits=SMALL_LIMIT))
    with large(bomb) as site:  # a compressed file, without saying so
        assert "larger than 100,000" in str(await refused(site, limits=SMALL_LIMIT))


async def test_compressed_pages_and_files_are_read() -> None:
    packed = gzip.compress(b"<p>Hello</p>", mtime=0)
    with large(packed, **{"Content-Encoding": "gzip"}) as site:
        assert await read(site) == "<p>Hello</p>"
    with large(gzip.compress(packed, mtime=0), **{"Content-Encoding": "x-gzip"}) as site:
        assert await read(site) == "<p>Hello</p>"


@pytest.mark.parametrize(
    ("body", "coding", "reason"),
    [
        (gzip.compress(b"x" * 1_000, mtime=0)[:-9], "gzip", "cut short"),
        (b"plain", "gzip", "damaged"),
        (zlib.compress(b"x"), "deflate", "compressed as 'deflate'"),
        (b"x", "br", "compressed as 'br'"),
    ],
)
async def test_what_cannot_be_unpacked_is_refused(body: bytes, coding: str, reason: str) -> None:
    with large(body, **{"Content-Encoding": coding}) as site:
        assert reason in str(await refused(site))


@pytest.mark.parametrize("media_type", ["image/png", "application/octet-stream", "font/x", ""])
async def test_what_is_no_text_is_refused(media_type: str) -> None:
    with serving({"/": Reply(b"x", headers={"Content-Type": media_type})}) as site:
        assert "content type" in str(await refused(site))


@pytest.mark.parametrize("media_type", ["application/rss+xml", "application/ld+json", "text/csv"])
async def test_texts_of_other_types_are_read(media_type: str) -> None:
    with serving({"/": page("x", media_type)}) as site:
        assert await read(site) == "x"


async def test_the_charset_of_the_header_or_of_the_page_counts() -> None:
    hebrew = "<p>שלום</p>"
    declared = Reply(
        hebrew.encode("cp1255"), headers={"Content-Type": "text/html; charset=windows-1255"}
    )
    meta = f"<meta charset=windows-1255>{hebrew}".encode("cp1255")
    wrong = Reply(
        "<p>año</p>".encode("latin-1"), headers={"Content-Type": "text/html; charset=UTF-8"}
    )
    pages = {"/a": declared, "/b": Reply(meta, headers={"Content-Type": "text/html"}), "/c": wrong}
    with serving(pages) as site:
        assert await read(site, "/a") == hebrew
        assert (await read(site, "/b")).endswith(hebrew)
        assert "declare its charset" in str(await refused(site, "/c"))


@pytest.mark.parametrize(
    ("status", "reason", "is_gone"),
    [
        (404, "no such page", True),
        (410, "taken down", True),
        (401, "login", False),
        (403, "refuses", False),
        (429, "fewer requests", False),
        (503, "maintenance", False),
        (500, "try again later", False),
        (204, "answers 204", False),
    ],
)
async def test_other_answers_are_refused_with_a_remedy(
    status: int, reason: str, is_gone: bool
) -> None:
    with serving({"/": Reply(status=status)}) as site:
        error = await refused(site)
        assert reason in str(error)
        assert error.is_gone is is_gone


async def test_a_site_that_cannot_be_reached_is_said() -> None:
    with serving({}) as site:
        pass
    assert "cannot be reached" in str(await refused(site))


def test_a_listed_address_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="host:port"):
        Website(["http://127.0.0.1"])
