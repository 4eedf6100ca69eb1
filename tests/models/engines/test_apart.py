"""An engine in a process of its own: the same replies, and an end that is nobody else's."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from models.engines.apart import EngineApart
from models.engines.llama import LlamaSettings
from models.engines.protocol import Call, Message, Piece, Sampling
from models.errors import BadFile, BadRequest, EngineFailed, Overflow, TooLate

pytestmark = pytest.mark.needs("weights")

SETTINGS = LlamaSettings("llama", context=512, threads=1, at_once=2)
CAPITAL = Call((Message("user", "What is the capital of France?"),), Sampling(16), 60)
STORY = Call("Once upon a time", Sampling(450), 60)


@pytest.fixture
def light(weights: Path) -> Path:
    """The smaller file of the same model: it loads sooner, and what it says does not matter."""
    return weights / "smollm2-135m" / "1" / "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.fixture
async def engine(light: Path) -> AsyncIterator[EngineApart]:
    made = EngineApart(light, SETTINGS, end_s=20)
    await made.load()
    yield made
    await made.unload()


async def pieces_of(engine: EngineApart, call: Call) -> list[Piece]:
    return [piece async for piece in engine.generate(call)]


async def until_idle(engine: EngineApart) -> None:
    async with asyncio.timeout(30):
        while engine.running:  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.02)


def process_of(engine: EngineApart) -> int:
    assert engine.process_id is not None
    return engine.process_id


async def test_it_says_what_the_engine_says(smollm2: Path) -> None:
    engine = EngineApart(smollm2, SETTINGS)
    await asyncio.gather(engine.load(), engine.load())
    pieces = await pieces_of(engine, CAPITAL)
    assert "".join(piece.text for piece in pieces) == "The capital of France is Paris."
    assert len([piece for piece in pieces if piece.text]) > 3
    usage = pieces[-1].usage
    assert usage is not None
    assert (usage.prompt, usage.completion) == (37, 8)
    paris, london = await engine.score("The capital of France is", [" Paris", " London"])
    assert london < paris - 2
    likely = await pieces_of(engine, Call("Paris is in", Sampling(1, logprobs=2), 60))
    (token,) = (each for piece in likely for each in piece.logprobs)
    assert token.likeliest[0] == token.chosen
    assert token.chosen.raw == token.chosen.token.encode()
    await engine.unload()
    await engine.unload()
    assert not engine.loaded


async def test_its_errors_are_the_engines(engine: EngineApart, tmp_path: Path) -> None:
    with pytest.raises(Overflow) as raised:
        await pieces_of(engine, Call("word " * 1_000, Sampling(1), 60))
    assert (raised.value.tokens, raised.value.context) == (1_001, 512)
    with pytest.raises(BadRequest, match="no encoder"):
        await engine.embed(["text"])
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF")
    other = EngineApart(bad, SETTINGS)
    with pytest.raises(BadFile, match=r"bad\.gguf is not a GGUF file"):
        await other.load()
    assert not other.loaded
    with pytest.raises(EngineFailed, match="not loaded"):
        await pieces_of(other, CAPITAL)


async def test_a_call_that_is_late_or_left_ends_its_work_there(engine: EngineApart) -> None:
    with pytest.raises(TooLate, match=r"longer than 0\.2 s"):
        await pieces_of(engine, Call(STORY.prompt, STORY.sampling, 0.2))
    left = engine.generate(STORY)
    await anext(left)
    assert engine.running
    await left.aclose()
    await until_idle(engine)
    assert engine.loaded
    assert await pieces_of(engine, Call("Hi", Sampling(1), 60))


async def test_a_native_crash_is_an_error_for_who_waits_and_it_starts_anew(
    engine: EngineApart,
) -> None:
    first = process_of(engine)
    waiting = engine.generate(STORY)
    await anext(waiting)
    os.kill(first, signal.SIGSEGV)
    with pytest.raises(EngineFailed, match=r"ended \(SIGSEGV\). The next call starts it anew"):
        async for _ in waiting:
            pass
    assert not engine.loaded
    with pytest.raises(EngineFailed, match="SIGSEGV"):
        await pieces_of(engine, STORY)
    await engine.load()
    assert process_of(engine) != first
    assert await pieces_of(engine, Call("Hi", Sampling(1), 60))


async def test_a_process_that_hangs_costs_a_caller_its_deadline_and_is_ended(light: Path) -> None:
    engine = EngineApart(light, SETTINGS, end_s=0.2)
    await engine.load()
    os.kill(process_of(engine), signal.SIGSTOP)
    with pytest.raises(TooLate):
        await pieces_of(engine, Call("Hi", Sampling(1), 0.2))
    async with asyncio.timeout(30):
        while engine.loaded:  # noqa: ASYNC110 - looked at from outside
            await asyncio.sleep(0.02)
    await engine.unload()


PARENT = """
import asyncio, sys
from pathlib import Path
from models.engines.apart import EngineApart
from models.engines.llama import LlamaSettings
async def main():
    engine = EngineApart(Path(sys.argv[1]), LlamaSettings("llama", 512, 1))
    await engine.load()
    print(engine.process_id, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def test_it_does_not_outlive_who_started_it(light: Path, root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, light], cwd=root, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # Ended by the kernel where that can be told: it has no time to hear that stdin has ended.
        os.kill(child, signal.SIGSTOP if sys.platform == "linux" else signal.SIGCONT)
        parent.kill()
        # Its end of the pipe is closed by its death alone.
        assert parent.stdout.read() == ""
        parent.wait(30)
    assert _gone(child)


def _gone(process_id: int) -> bool:
    for _ in range(600):
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{process_id}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True  # ended, and whoever adopted it has not looked yet
        asyncio.run(asyncio.sleep(0.05))
    return False
