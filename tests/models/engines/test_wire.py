"""What passes between a server and an engine's process, and what is made of anything else."""

from pathlib import Path
from typing import Any

import pytest

from models.engines.apart import EngineApart
from models.engines.jax import JaxSettings
from models.engines.llama import LlamaSettings
from models.engines.protocol import (
    Call,
    Likelihood,
    Message,
    Piece,
    Sampling,
    TokenLikelihood,
    Usage,
)
from models.engines.wire import (
    LENGTH,
    LONGEST,
    Settings,
    call_from,
    call_to,
    error_from,
    error_to,
    length_of,
    numbers_from,
    packed,
    piece_from,
    piece_to,
    settings_from,
    settings_to,
    unpacked,
)
from models.errors import (
    BadFile,
    BadRequest,
    EngineFailed,
    ModelError,
    NoHash,
    Overflow,
    TooLate,
    UnknownAdapter,
)

LIKELY = Likelihood("☺", b"\xe2\x98\xff", -0.5)


def crossed(frame: dict[str, Any]) -> dict[str, Any]:
    sent = packed(frame)
    assert length_of(sent[: LENGTH.size]) == len(sent) - LENGTH.size
    return unpacked(sent[LENGTH.size :])


@pytest.mark.parametrize(
    "settings",
    [
        LlamaSettings("llama", 512, 2, encoder=True),
        JaxSettings("llama", 512, 3, "float32", (("mine", Path("/a/mine.gguf")),)),
    ],
)
def test_settings_cross(settings: Settings) -> None:
    assert settings_from(crossed(settings_to(settings))) == settings


@pytest.mark.parametrize("prompt", ["שלום\x00", (Message("user", "Hi"), Message("system", ""))])
def test_calls_cross(prompt: Any) -> None:
    call = Call(prompt, Sampling(4, 0.5, seed=7, stop=("a", "b"), logprobs=0), 1.5, (("x", -1.0),))
    assert call_from(crossed(call_to(call))) == call


@pytest.mark.parametrize(
    "piece",
    [
        Piece("naïve"),
        Piece("", (TokenLikelihood(LIKELY, (LIKELY, LIKELY)),)),
        Piece("end", (), "length", Usage(3, 4)),
    ],
)
def test_pieces_cross(piece: Piece) -> None:
    assert piece_from(crossed({"piece": piece_to(piece)})["piece"]) == piece


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Overflow(9, 8), Overflow),
        (BadRequest("no", "prompt"), BadRequest),
        (UnknownAdapter("no"), UnknownAdapter),
        (TooLate("late"), TooLate),
        (BadFile("bad"), BadFile),
        (EngineFailed("no"), EngineFailed),
    ],
)
def test_errors_cross_with_what_they_carry(error: ModelError, kind: type[ModelError]) -> None:
    found = error_from(crossed(error_to(error)))
    assert type(found) is kind
    assert (str(found), vars(found)) == (str(error), vars(error))


@pytest.mark.parametrize("error", [KeyError("x"), NoHash("x")])
def test_other_errors_are_the_engines(error: Exception) -> None:
    found = error_from(crossed(error_to(error)))
    assert type(found) is EngineFailed
    assert str(found) == f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("frame", [{}, {"kind": "Overflow"}, {"kind": []}, {"kind": "Exit"}, 3])
def test_an_error_that_is_none_is_the_engines_failure(frame: Any) -> None:
    assert isinstance(error_from(frame), EngineFailed)


@pytest.mark.parametrize("row", [None, [], [1, 2], ["a", [[1]], None, None], ["a", [], None, 3]])
def test_a_piece_that_is_none_is_refused(row: Any) -> None:
    with pytest.raises(EngineFailed):
        piece_from(row)


def test_frames_that_are_none_are_refused() -> None:
    for body in (b"", b"{", b"[]", b"\xff"):
        with pytest.raises(EngineFailed, match="something else than a frame"):
            unpacked(body)
    with pytest.raises(EngineFailed, match="something else than a frame"):
        length_of(LENGTH.pack(LONGEST + 1))
    values: tuple[Any, ...] = (None, "text", [None], {})
    for value in values:
        with pytest.raises(EngineFailed):
            numbers_from(value)


async def test_a_process_that_does_not_start_is_the_engines_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "none"))
    engine = EngineApart(tmp_path / "model.gguf", LlamaSettings("llama", 64, 1))
    with pytest.raises(EngineFailed, match="process does not start"):
        await engine.load()


LIAR = """#!/bin/sh
printf '%b' '{said}'
exec sleep 60
"""


@pytest.mark.parametrize(
    "said",
    [
        r"\0377\0377\0377\0377",  # four gigabytes, it says
        r"\0000\0000\0000\0002[]",
        r"\0000\0000\0000\0014{\042id\042:[[]]}" + r"\0377" * 4,
    ],
)
async def test_a_process_that_sends_something_else_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    liar = tmp_path / "liar"
    liar.write_text(LIAR.format(said=said), encoding="ascii")
    liar.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(liar))
    engine = EngineApart(tmp_path / "model.gguf", LlamaSettings("llama", 64, 1))
    with pytest.raises(EngineFailed, match=r"process ended \(SIGKILL\)"):
        await engine.load()
    assert not engine.loaded
