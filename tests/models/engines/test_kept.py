"""Models that are loaded when they are wanted, and unloaded when they are not."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path

import pytest

from core.ports import Purpose
from models.engines.kept import KeptModel
from models.engines.protocol import Call, Embedded, Engine, Piece
from models.errors import EngineFailed, InUse, Mismatch
from models.registry import cleaning
from models.registry.model import Model
from models.registry.registry import Registry
from tests.models.samples import WORDS, entry, file_entry, known

IDLE_S = 0.05


class Counting:
    """An engine that runs nothing, and counts how often it is loaded; it may fail to at first."""

    def __init__(self, failures: int = 0) -> None:
        self.loads = 0
        self.unloads = 0
        self.loaded = False
        self.running = 0
        self._failures = failures

    async def load(self) -> None:
        self.loads += 1
        await asyncio.sleep(0.01)
        if self.loads <= self._failures:
            raise EngineFailed("no")
        self.loaded = True

    async def unload(self) -> None:
        self.unloads += 1
        self.loaded = False

    async def generate(self, call: Call) -> AsyncGenerator[Piece]:
        yield Piece(str(call.prompt))

    async def score(self, prompt: str, continuations: Sequence[str]) -> list[float]:
        return [0.0 for _ in continuations]

    async def embed(self, texts: Sequence[str], purpose: Purpose = "query") -> Embedded:
        return Embedded([[1.0] for _ in texts], len(texts))


@pytest.fixture
def pulled(registry: Callable[..., Registry], tmp_path: Path) -> Registry:
    (tmp_path / "origin").write_bytes(WORDS)
    made = registry(entry(files=file_entry(**known())))
    made.pull(made.newest("small"))
    return made


def kept(registry: Registry, engine: Counting, idle_s: float = IDLE_S) -> KeptModel:
    def make(path: Path, model: Model) -> Engine:
        assert path.read_bytes() == WORDS
        assert model.id == "small"
        return engine

    return KeptModel(registry, registry.newest("small"), make, idle_s=idle_s)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.01)


async def test_it_is_loaded_once_for_all_who_want_it(pulled: Registry) -> None:
    engine = Counting()
    model = kept(pulled, engine)
    assert not model.loaded

    async def want() -> None:
        async with model.used() as got:
            assert got.loaded

    await asyncio.gather(want(), want(), want())
    assert engine.loads == 1
    await model.close()


async def test_it_is_unloaded_when_idle_and_loaded_again(pulled: Registry) -> None:
    engine = Counting()
    model = kept(pulled, engine)
    async with model.used():
        await asyncio.sleep(IDLE_S * 3)
        assert model.loaded, "it is used"
    await until(lambda: not model.loaded)
    async with model.used():
        assert engine.loads == 2
    await model.close()
    assert engine.unloads == 2


async def test_what_comes_in_time_keeps_it_loaded(pulled: Registry) -> None:
    engine = Counting()
    model = kept(pulled, engine, idle_s=60)
    for _ in range(3):
        async with model.used():
            pass
    assert engine.loads == 1
    await model.close()
    assert not model.loaded


async def test_a_load_that_fails_leaves_nothing_and_is_tried_again(pulled: Registry) -> None:
    engine = Counting(failures=1)
    model = kept(pulled, engine)
    with pytest.raises(EngineFailed):
        async with model.used():
            pass
    assert not model.loaded
    # Nothing holds the files any more.
    async with model.used():
        assert engine.loads == 2
    await model.close()
    cleaning.remove(pulled, model.model)


async def test_its_files_are_held_while_it_is_loaded(pulled: Registry) -> None:
    model = kept(pulled, Counting())
    async with model.used():
        with pytest.raises(InUse):
            cleaning.remove(pulled, model.model)
    await model.close()
    cleaning.remove(pulled, model.model)


async def test_a_file_that_has_changed_is_not_loaded(pulled: Registry) -> None:
    engine = Counting()
    model = kept(pulled, engine)
    pulled.shelf.path(model.model, "model.gguf").write_bytes(b"changed")
    with pytest.raises(Mismatch):
        async with model.used():
            pass
    assert engine.loads == 0


async def test_it_gives_way_when_those_who_use_it_have_ended_and_who_comes_waits(
    pulled: Registry,
) -> None:
    engine = Counting()
    model = kept(pulled, engine, idle_s=60)
    order: list[str] = []

    async def come() -> None:
        async with model.used():
            order.append("served anew")

    async with model.used():
        going = asyncio.create_task(model.give_up())
        await asyncio.sleep(0)
        coming = asyncio.create_task(come())
        await asyncio.sleep(IDLE_S)
        order.append("ended")
        assert engine.unloads == 0
    await asyncio.gather(going, coming)
    assert order == ["ended", "served anew"]
    assert (engine.unloads, engine.loads) == (1, 2)
    await model.close()
