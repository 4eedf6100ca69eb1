"""What `fanlight kb import` reads: from each SOURCE to rows, problems, and what was looked at.

Decides which reader a file or an answer goes to, by its suffix or content type, and what of a site
or folder is known afterwards. A source that cannot be read is a problem; the others still count.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.adapters.website import PageError, TimeOver, WebPage, Website, parse_address, site_of
from kb.entry import Problem
from kb.readers.charset import CharsetError, decode_page
from kb.readers.faq_markdown import read_faq_markdown
from kb.readers.help_centre import NOT_PUBLISHED, read_export
from kb.readers.json_lines import read_json_lines
from kb.readers.row import Row
from kb.readers.sitemap import Sitemap, SitemapError, read_sitemap
from kb.readers.web_page import is_address, page_of, read_web_page
from kb.reconcile import Imported, Scope, imported

type Reader = Callable[[Iterator[str], str, str | None], Iterator[Row | Problem]]
type Report = Callable[[str, float], None]

MAX_FILE: Final = 64 * 1024 * 1024
MAX_SITEMAPS: Final = 20
"""Sitemaps of one index that are read."""
MAX_LISTED: Final = 50_000
"""Addresses of one sitemap, as the protocol has it."""

_BY_SUFFIX: Final[dict[str, Reader]] = {
    ".html": read_web_page, ".htm": read_web_page, ".xhtml": read_web_page,
    ".md": read_faq_markdown, ".markdown": read_faq_markdown,
    ".csv": read_export, ".tsv": read_export,
    ".jsonl": read_json_lines, ".ndjson": read_json_lines,
}  # fmt: skip
_BY_TYPE: Final[dict[str, Reader]] = {
    "text/html": read_web_page, "application/xhtml+xml": read_web_page,
    "text/markdown": read_faq_markdown, "text/csv": read_export,
    "application/jsonl": read_json_lines, "application/x-ndjson": read_json_lines,
}  # fmt: skip
_SITEMAP_TYPES: Final = frozenset(
    ("text/xml", "application/xml", "application/gzip", "application/x-gzip")
)


@dataclass(slots=True)
class Gathered:
    """The entries and problems of all sources, in order, and where they were looked for."""

    found: list[Imported] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    whole: list[str] = field(default_factory=list)

    @property
    def scope(self) -> Scope:
        """Where a row that was not found is known to be missing."""
        return Scope(
            frozenset(self.read),
            frozenset(self.gone),
            frozenset(self.failed),
            tuple(self.whole),
        )

    def fail(self, source: str, reason: str, *, is_gone: bool = False) -> None:
        """Note that a page or file could not be read, or that there is none."""
        self.problems.append(Problem(source, 0, reason))
        (self.gone if is_gone else self.failed).add(page_of(source))

    def take(self, reader: Reader, text: str, source: str, locale: str | None) -> None:
        """Read one text. Where a row of it has a problem, no other one counts as vanished."""
        lines = io.StringIO(text.removeprefix("\ufeff"), newline="")
        sure = found = False
        for row in reader(iter(lines), source, locale):
            one = row if isinstance(row, Problem) else imported(row)
            if isinstance(one, Problem):
                self.problems.append(one)
                sure = sure or one.reason != NOT_PUBLISHED
            else:
                self.found.append(one)
                found = True
        (self.failed if sure or not found else self.read).add(page_of(source))


@dataclass(slots=True)
class _Listing:
    """What the sitemaps of a site list, and what they list beyond what is read."""

    pages: dict[str, None] = field(default_factory=dict)
    beyond: int = 0
    elsewhere: int = 0
    sitemaps_left: int = 0
    failed: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether every page of the site is in it, as far as its sitemaps know."""
        return not (self.beyond or self.sitemaps_left or self.failed)


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Reads sources one after the other. `out` is the file being written: never a source."""

    website: Website
    out: Path
    locale: str | None
    max_pages: int
    report: Report

    async def gather(self, sources: Sequence[str]) -> Gathered:
        """Read every source; what goes wrong is in the problems."""
        gathered = Gathered()
        for number, source in enumerate(sources):
            self.report(source, number / len(sources))
            if is_address(source):
                await self._web(source, gathered)
            else:
                self._path(Path(source), gathered)
        return gathered

    async def _web(self, address: str, gathered: Gathered) -> None:
        with suppress(TimeOver):  # which has been noted
            page = await self._page(address, gathered)
            if page is not None and page.media_type in _SITEMAP_TYPES:
                await self._sitemap(page, gathered)
            elif page is not None:
                self._text(page, gathered)

    async def _page(self, address: str, gathered: Gathered) -> WebPage | None:
        """Read a page, or note why not. Raises `TimeOver`."""
        try:
            return await self.website.read(address)
        except TimeOver as error:
            gathered.fail(address, str(error))
            raise
        except PageError as error:
            gathered.fail(_plain_address(address), str(error), is_gone=error.is_gone)
        return None

    def _text(self, page: WebPage, gathered: Gathered) -> None:
        suffix = Path(page.url.partition("?")[0]).suffix.lower()
        reader = _BY_TYPE.get(page.media_type) or _BY_SUFFIX.get(suffix)
        if reader is None:
            reason = f"no reader for {page.media_type}: give HTML, CSV, Markdown or JSON Lines"
            gathered.fail(page.url, reason)
        else:
            gathered.take(reader, page.text, page.url, self.locale)

    async def _sitemap(self, first: WebPage, gathered: Gathered) -> None:
        """Read the pages of a sitemap, or of the sitemaps of an index."""
        listing = await self._listed(first, gathered)
        pages = list(listing.pages)[: self.max_pages]
        remedy = self.website.remedies.pages.format(most=self.max_pages)
        for reason in _left_out(listing, len(listing.pages) - len(pages), remedy):
            gathered.problems.append(Problem(first.url, 0, reason))
        for number, address in enumerate(pages):
            self.report(f"{number + 1}/{len(pages)} {address}", number / len(pages))
            try:
                page = await self._page(address, gathered)
            except TimeOver:
                reason = f"{len(pages) - number} of its pages were not read"
                gathered.problems.append(Problem(first.url, 0, reason))
                return
            if page is not None:
                self._text(page, gathered)
        if listing.is_whole and len(pages) == len(listing.pages):
            # The protocol lets a sitemap list what lies in its own folder, and nothing else.
            gathered.whole.append(first.url.partition("?")[0].rpartition("/")[0] + "/")

    async def _listed(self, first: WebPage, gathered: Gathered) -> _Listing:
        """Follow an index to its sitemaps, each once."""
        listing = _Listing()
        waiting = {first.url: None}
        for number in range(MAX_SITEMAPS):
            address = list(waiting)[number]
            page = first if number == 0 else await self._page(address, gathered)
            found = _read_sitemap(page, gathered) if page is not None else None
            if found is None:
                listing.failed += 1
            else:
                own = [one for one in found.pages if self._is_own(one, first)]
                listing.pages.update(dict.fromkeys(own))
                listing.elsewhere += len(found.pages) - len(own)
                listing.beyond += found.left_out
                waiting |= dict.fromkeys(one for one in found.sitemaps if self._is_own(one, first))
            if number + 1 == len(waiting):
                break
        listing.sitemaps_left = max(0, len(waiting) - MAX_SITEMAPS)
        return listing

    def _is_own(self, address: str, page: WebPage) -> bool:
        try:
            return site_of(parse_address(address)) == site_of(parse_address(page.url))
        except PageError:
            return False

    def _path(self, path: Path, gathered: Gathered) -> None:
        if not path.is_dir():
            self._file(path, gathered)
            return
        paths = list(self._files(path))
        for file in paths:
            self._file(file, gathered)
        if not paths:
            kinds = ", ".join(_BY_SUFFIX)
            gathered.fail(str(path), f"there is nothing to read in it: it takes {kinds}")
        elif path.as_posix() != ".":
            gathered.whole.append(f"{path.as_posix()}/")

    def _files(self, folder: Path) -> Iterable[Path]:
        for path in sorted(folder.rglob("*")):
            inner = path.relative_to(folder).parts
            if any(part.startswith(".") for part in inner) or path.suffix.lower() not in _BY_SUFFIX:
                continue
            if path.is_file() and path.resolve() != self.out.resolve():
                yield path

    def _file(self, path: Path, gathered: Gathered) -> None:
        name, reader = path.as_posix(), _BY_SUFFIX.get(path.suffix.lower())
        if reader is None and path.exists():
            gathered.fail(name, f"the name must end in one of {', '.join(_BY_SUFFIX)}")
            return
        try:
            text = _read_text(path, is_page=reader is read_web_page)
        except OSError as error:
            gathered.fail(name, f"{error.strerror}: check the path")
        except CharsetError as error:
            gathered.fail(name, str(error))
        else:
            if reader is not None:
                gathered.take(reader, text, name, self.locale)


def gather_text(name: str, text: str, locale: str | None) -> Gathered:
    """Read a text as the file of this name would be read; its suffix says how."""
    gathered = Gathered()
    reader = _BY_SUFFIX.get(Path(name).suffix.lower())
    if reader is None:
        gathered.fail(name, f"the name must end in one of {', '.join(_BY_SUFFIX)}")
    else:
        gathered.take(reader, text, name, locale)
    return gathered


def _read_sitemap(page: WebPage, gathered: Gathered) -> Sitemap | None:
    try:
        return read_sitemap(io.StringIO(page.text), limit=MAX_LISTED)
    except SitemapError as error:
        gathered.fail(page.url, str(error))
    return None


def _left_out(listing: _Listing, not_read: int, remedy: str) -> Iterator[str]:
    """Say what of a listing is not read, each with its remedy."""
    not_read += listing.beyond
    if not_read:
        yield f"{not_read} more pages were not read: {remedy}"
    if listing.sitemaps_left:
        yield f"{listing.sitemaps_left} more sitemaps were not read: import them by themselves"
    if listing.elsewhere:
        yield f"{listing.elsewhere} addresses of other sites were passed over: import those sites"


def _plain_address(address: str) -> str:
    try:
        return str(parse_address(address))
    except PageError:
        return address


def _read_text(path: Path, *, is_page: bool) -> str:
    """The text of a file. Raises `CharsetError` and `OSError`."""
    if path.stat().st_size > MAX_FILE:
        raise CharsetError(f"larger than {MAX_FILE:,} bytes: split it")
    data = path.read_bytes()
    if is_page:
        return decode_page(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CharsetError(f"line {line} is not UTF-8: save the file as UTF-8") from error
