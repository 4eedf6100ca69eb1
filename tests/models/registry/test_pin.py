"""`--pin` with a server that does as hubs do: it leads to a store, by a way that is of use once."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.errors import CannotFetch, Mismatch, NoHash
from models.registry.catalog import read_catalog
from models.registry.https import FIRST_PAUSE_S, LONGEST_PAUSE_S, HttpsFetcher
from models.registry.registry import Registry
from tests.models.registry.hub import Hub, with_store
from tests.models.samples import entry, file_entry, sha256

DATA = bytes(range(256)) * 2_000
FILE = "org/model/resolve/main/model.gguf"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[tuple[Hub, Hub]]:
    with with_store(DATA, tmp_path) as both:
        yield both


@pytest.fixture
def machine(
    servers: tuple[Hub, Hub], tmp_path: Path
) -> Callable[[str], tuple[Registry, list[float]]]:
    """A registry of a machine of this name, and the pauses that it made."""
    hub, _ = servers
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(entry(files=file_entry(source=f"{hub.address}/{FILE}")), encoding="utf-8")

    def make(name: str) -> tuple[Registry, list[float]]:
        pauses: list[float] = []
        fetcher = HttpsFetcher(hub.client, pauses.append)
        return Registry(read_catalog(catalog), tmp_path / name, {"https": fetcher}), pauses

    return make


type Machine = Callable[[str], tuple[Registry, list[float]]]


def test_without_a_pin_nothing_is_asked_for(servers: tuple[Hub, Hub], machine: Machine) -> None:
    registry, _ = machine("one")
    with pytest.raises(NoHash, match="--pin"):
        registry.pull(registry.newest("small"))
    assert servers[0].asked == []


def test_a_pin_holds_through_a_crowd_and_a_cut_and_binds_every_later_copy(
    servers: tuple[Hub, Hub], machine: Machine, tmp_path: Path
) -> None:
    hub, store = servers
    hub.refusals, hub.retry_after, store.cuts = [429], "7", [100_000]
    registry, pauses = machine("one")
    model = registry.newest("small")
    assert registry.pull(model, pin=True) == ["model.gguf"]
    assert registry.shelf.path(model, "model.gguf").read_bytes() == DATA
    assert pauses == [7.0, FIRST_PAUSE_S]
    # After the cut the hub is asked anew for a way, and the store for what is missing.
    assert len(hub.asked) == 3
    first, second = store.asked
    assert "range" not in first
    assert second["range"].startswith("bytes=")
    assert second["if-range"] == '"of-the-store"'
    pinned = json.loads((tmp_path / "one" / "models.lock").read_text(encoding="utf-8"))
    assert pinned == {"small 1": {"model.gguf": sha256(DATA)}}
    # Another machine that is given the pins takes the same file, by now without --pin …
    (tmp_path / "two").mkdir()
    shutil.copy(tmp_path / "one" / "models.lock", tmp_path / "two" / "models.lock")
    other, _ = machine("two")
    assert other.pull(model) == ["model.gguf"]
    # … and nothing else, whatever the hub holds, and with --pin too.
    (tmp_path / "three").mkdir()
    shutil.copy(tmp_path / "one" / "models.lock", tmp_path / "three" / "models.lock")
    store.data, store.etag = DATA[::-1], '"changed"'
    third, _ = machine("three")
    with pytest.raises(Mismatch) as raised:
        third.pull(model, pin=True)
    assert (raised.value.expected, raised.value.found) == (sha256(DATA), sha256(DATA[::-1]))
    assert not third.state(model).ready
    assert registry.state(model).ready


def test_a_way_that_has_run_out_is_said_and_what_came_is_kept(
    servers: tuple[Hub, Hub], machine: Machine
) -> None:
    hub, store = servers
    store.cuts, store.refusals = [100_000], []
    registry, _ = machine("one")
    model = registry.newest("small")
    store.signed = set()  # as though the store's clock were far ahead
    with pytest.raises(CannotFetch, match="localhost answered 403"):
        registry.pull(model, pin=True)
    store.signed = hub.signed
    assert registry.pull(model, pin=True) == ["model.gguf"]


@pytest.mark.parametrize("said", ["86400", "Fri, 31 Dec 1999 23:59:59 GMT", "-1"])
def test_a_crowd_costs_a_minute_at_most(
    servers: tuple[Hub, Hub], machine: Machine, said: str
) -> None:
    hub, _ = servers
    hub.refusals, hub.retry_after = [429], said
    registry, pauses = machine("one")
    registry.pull(registry.newest("small"), pin=True)
    assert pauses == [LONGEST_PAUSE_S if said == "86400" else FIRST_PAUSE_S]
