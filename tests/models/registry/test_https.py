"""Downloads over TLS from a server that misbehaves."""

import errno
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from models.errors import CannotFetch, CutOff, NoRoom
from models.registry.https import FIRST_PAUSE_S, TRIES, HttpsFetcher, open_client
from models.registry.model import ModelFile, Source, parse_source
from models.registry.partial import MARGIN, Partial
from tests.models.registry.hub import Hub, running

DATA = bytes(range(256)) * 2_000


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with running(DATA, tmp_path) as server:
        yield server


class Download:
    """One file that is fetched from the hub."""

    def __init__(self, hub: Hub, folder: Path, *, size: int | None = len(DATA)) -> None:
        self.pauses: list[float] = []
        self.told: list[tuple[int, int | None]] = []
        self.free = 1 << 40
        self.partial = Partial(folder / "partial" / "model.part", lambda _folder: self.free)
        self.source = parse_source(f"{hub.address}/model", folder)
        self._file = ModelFile("model", size, None, (self.source,), None, None)
        self._fetcher = HttpsFetcher(hub.client, self.pauses.append)

    def fetch(self) -> bytes:
        self._fetcher.fetch(self.source, self._file, self.partial, lambda *at: self.told.append(at))
        return self.partial.path.read_bytes()


@pytest.mark.parametrize("size", [len(DATA), None])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_comes_whole_and_readable_by_its_owner_alone(
    hub: Hub, tmp_path: Path, size: int | None, chunked: bool
) -> None:
    hub.chunked = chunked
    download = Download(hub, tmp_path, size=size)
    assert download.fetch() == DATA
    assert download.told[-1][0] == len(DATA)
    assert download.partial.path.stat().st_mode & 0o777 == 0o600
    assert download.partial.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_cut_is_gone_on_from(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [100_000, 50_000]
    download = Download(hub, tmp_path)
    assert download.fetch() == DATA
    starts = [each.get("range") for each in hub.asked]
    assert starts[0] is None
    assert all(each and each != "bytes=0-" for each in starts[1:])
    assert hub.asked[1]["if-range"] == '"one"'
    assert download.pauses == [FIRST_PAUSE_S, FIRST_PAUSE_S]


def test_a_later_call_goes_on_too(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [100_000] + [0] * (TRIES - 1)
    with pytest.raises(CutOff):
        Download(hub, tmp_path).fetch()
    hub.cuts = []
    hub.asked.clear()
    assert Download(hub, tmp_path).fetch() == DATA
    assert len(hub.asked) == 1
    assert hub.asked[0]["range"] != "bytes=0-"


def test_a_bad_line_that_comes_on_is_never_given_up(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [40_000] * (TRIES + 3)
    assert Download(hub, tmp_path).fetch() == DATA


def test_a_line_that_comes_no_further_is_given_up(hub: Hub, tmp_path: Path) -> None:
    hub.ranges, hub.cuts = False, [100_000] * 100
    with pytest.raises(CutOff):
        Download(hub, tmp_path).fetch()
    assert len(hub.asked) == TRIES


def test_pauses_grow_while_nothing_comes(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [0] * TRIES
    download = Download(hub, tmp_path)
    with pytest.raises(CutOff, match="localhost"):
        download.fetch()
    assert len(hub.asked) == TRIES
    assert download.pauses == [FIRST_PAUSE_S * 2**number for number in range(TRIES - 1)]


def test_a_file_that_has_changed_is_fetched_anew(hub: Hub, tmp_path: Path) -> None:
    hub.cuts = [100_000] + [0] * (TRIES - 1)
    with pytest.raises(CutOff):
        Download(hub, tmp_path).fetch()
    hub.data, hub.etag, hub.cuts = DATA[::-1], '"two"', []
    assert Download(hub, tmp_path).fetch() == DATA[::-1]


def test_a_server_without_ranges_sends_all_of_it(hub: Hub, tmp_path: Path) -> None:
    hub.ranges, hub.cuts = False, [100_000]
    assert Download(hub, tmp_path).fetch() == DATA


def test_a_weak_mark_vouches_for_nothing(hub: Hub, tmp_path: Path) -> None:
    hub.etag, hub.cuts = 'W/"one"', [100_000]
    assert Download(hub, tmp_path).fetch() == DATA
    assert "if-range" not in hub.asked[1]


def test_an_answer_that_does_not_continue_begins_anew(hub: Hub, tmp_path: Path) -> None:
    hub.cuts, hub.content_range = [100_000], "bytes 7-9/10"
    assert Download(hub, tmp_path).fetch() == DATA
    assert "range" not in hub.asked[2]


def test_more_than_the_server_has_begins_anew(hub: Hub, tmp_path: Path) -> None:
    download = Download(hub, tmp_path, size=None)
    with download.partial.open(download.source) as file:
        file.write(DATA + DATA)
    assert download.fetch() == DATA


def test_a_whole_file_is_not_asked_for_again(hub: Hub, tmp_path: Path) -> None:
    download = Download(hub, tmp_path)
    assert download.fetch() == download.fetch() == DATA
    assert len(hub.asked) == 1


def test_what_passes_is_tried_again(hub: Hub, tmp_path: Path) -> None:
    hub.refusals = [503, 429]
    assert Download(hub, tmp_path).fetch() == DATA


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_final(hub: Hub, tmp_path: Path, status: int) -> None:
    hub.refusals = [status]
    with pytest.raises(CannotFetch, match=f"localhost answered {status}"):
        Download(hub, tmp_path).fetch()
    assert len(hub.asked) == 1


def test_a_redirect_is_followed(hub: Hub, tmp_path: Path) -> None:
    hub.location = f"{hub.address}/moved"
    assert Download(hub, tmp_path).fetch() == DATA


def test_a_redirect_to_plain_http_is_refused(hub: Hub, tmp_path: Path) -> None:
    # Whatever answers there is asked in the clear first: nothing of it is kept.
    from tests.models.registry.plain import answering

    with answering(DATA) as address:
        hub.location = f"{address}/moved"
        with pytest.raises(CannotFetch, match="without encryption"):
            Download(hub, tmp_path).fetch()
    assert not (tmp_path / "partial" / "model.part").exists()


def test_a_file_of_another_size_is_refused(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match=f"{len(DATA)} bytes where the catalogue says 5"):
        Download(hub, tmp_path, size=5).fetch()


def test_more_than_was_promised_is_not_taken(hub: Hub, tmp_path: Path) -> None:
    hub.chunked = True
    download = Download(hub, tmp_path, size=1_000)
    with pytest.raises(CannotFetch, match="sends more than 1000 bytes"):
        download.fetch()
    assert download.partial.path.stat().st_size <= 1_000


def test_less_than_was_promised_is_a_cut(hub: Hub, tmp_path: Path) -> None:
    hub.chunked = True
    with pytest.raises(CutOff, match=f"ended after {len(DATA)} of {len(DATA) + 1} bytes"):
        Download(hub, tmp_path, size=len(DATA) + 1).fetch()


def test_a_full_disk_is_seen_before_anything_is_fetched(hub: Hub, tmp_path: Path) -> None:
    download = Download(hub, tmp_path)
    download.free = MARGIN
    with pytest.raises(NoRoom) as raised:
        download.fetch()
    assert (raised.value.needed, raised.value.free) == (len(DATA) + MARGIN, MARGIN)
    assert not download.partial.path.exists()


class Filling(Partial):
    """A file on a disk that has room for so many bytes, and then is full."""

    room = 100_000

    def open(self, source: Source | None, *, mark: str = "", after: int = 0) -> BinaryIO:
        file = super().open(source, mark=mark, after=after)
        return _Bounded(file.detach(), self.room - after)  # type: ignore[attr-defined]


class _Bounded(io.BufferedWriter):
    def __init__(self, raw: io.FileIO, room: int) -> None:
        super().__init__(raw)
        self._room = room

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


def test_a_disk_that_fills_up_loses_nothing_and_is_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    download = Download(hub, tmp_path)
    download.partial = Filling(download.partial.path)
    with pytest.raises(NoRoom, match="what has come so far is kept"):
        download.fetch()
    come = download.partial.path.stat().st_size
    assert 0 < come <= Filling.room
    assert len(hub.asked) == 1, "a full disk is not asked for again and again"
    download.partial = Partial(download.partial.path)
    assert download.fetch() == DATA
    assert hub.asked[1]["range"] == f"bytes={come}-"


def test_a_server_nobody_vouches_for_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.client = open_client()
    with hub.client, pytest.raises(CutOff, match="CERTIFICATE_VERIFY_FAILED"):
        Download(hub, tmp_path).fetch()
