"""`fanlight kb nearest` and `fanlight check --online`, with servers that embed and rerank."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.cli.encoders import encoders
from gateway.cli.kb import kb_group
from gateway.configuration import read_settings
from kb import Entry, build_index
from models.engines.kept import KeptModel
from models.registry.registry import Registry
from models.server.app import Limits, Serving, create_app
from tests.gateway.serving import served
from tests.models.conftest import registry, small_encoders
from tests.models.server.test_embeddings import onnx

__all__ = ["registry", "small_encoders"]

ENTRIES = (
    Entry("one", "en", "word7 word8", "word9"),
    Entry("two", "en", "word20 word21", "word22"),
    Entry("three", "en", "word30 word31", "word32"),
)
ENVIRON = {"FANLIGHT_OPERATOR_TOKEN": "an-Operator-token-0123456789"}
FILE = """
[gateway]
private_endpoints = [{private}]
[[sites]]
key = "site_shop"
name = "Shop"
origins = ["https://www.example.com"]
kb = ["site.idx"]
"""


@pytest.fixture
def embeds(small_encoders: Registry) -> Iterator[str]:
    """The origin of a model server with a small encoder."""
    kept = KeptModel(small_encoders, small_encoders.newest("small"), onnx, idle_s=60)
    serving = Serving({"small": kept}, Limits(), time.time, time.monotonic)
    with served(create_app(serving)) as origin:
        yield origin


@pytest.fixture
def reranks() -> Iterator[str]:
    """The origin of a server that prefers passages with `word32`."""

    async def rerank(request: Request) -> JSONResponse:
        asked = await request.json()
        texts = asked["texts"]
        return JSONResponse(
            [{"index": at, "score": float("word32" in text)} for at, text in enumerate(texts)]
        )

    with served(Starlette(routes=[Route("/rerank", rerank, methods=["POST"])])) as origin:
        yield origin


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes `fanlight.toml` for these servers beside an index."""
    monkeypatch.chdir(tmp_path)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "site.idx").write_bytes(build_index(ENTRIES))

    def write(embeds: str = "", reranks: str = "") -> Path:
        private = [f'"{url.removeprefix("http://")}"' for url in (embeds, reranks) if url]
        text = FILE.format(private=", ".join(private))
        if embeds:
            text += f'[embeddings]\nurl = "{embeds}/v1"\nmodel = "small"\n'
        if reranks:
            text += f'[rerank]\nurl = "{reranks}"\n'
        path = tmp_path / "fanlight.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def nearest(*arguments: str) -> Result:
    return CliRunner().invoke(kb_group, ["nearest", "--index", "site.idx", *arguments])


def test_entries_come_by_their_meaning_and_then_as_they_are_reranked(
    configure: Callable[..., Path], embeds: str, reranks: str
) -> None:
    configure(embeds)
    result = nearest("word20 word21 word22", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["nearest"]
    assert rows[0]["id"] == "two"
    assert [row["cosine"] for row in rows] == sorted((row["cosine"] for row in rows), reverse=True)
    assert rows[0]["score"] is None
    configure(embeds, reranks)
    result = nearest("word20 word21 word22", "--limit", "1", "--json")
    (row,) = json.loads(result.stdout)["nearest"]
    assert (row["id"], row["score"]) == ("three", 1.0)
    assert "word30 word31" in nearest("word20").stdout


def test_what_is_not_set_or_not_there_is_said(
    configure: Callable[..., Path], free_port: int
) -> None:
    configure()
    assert "set embeddings.url" in nearest("word7").stderr
    configure(f"http://127.0.0.1:{free_port}")
    assert "the model server failed: ConnectError" in nearest("word7").stderr
    assert "see `fanlight kb build`" in nearest("word7", "--index", "nowhere.idx").stderr
    Path("site.idx").write_bytes(b"no index")
    assert nearest("word7").exit_code == 1


def test_check_asks_the_servers_only_online(
    configure: Callable[..., Path], embeds: str, reranks: str, free_port: int
) -> None:
    settings = read_settings(configure(embeds, reranks), ENVIRON)
    assert [each.state for each in encoders(settings, online=False)] == ["skipped", "skipped"]
    one, other = encoders(settings, online=True)
    assert (one.state, one.detail) == ("ok", f"{embeds}/v1 gives vectors of 32 dimensions")
    assert (other.state, other.detail) == ("ok", f"{reranks} ranks passages")
    (gone,) = encoders(
        read_settings(configure(f"http://127.0.0.1:{free_port}"), ENVIRON), online=True
    )
    assert gone.state == "failed"
    assert "ConnectError" in gone.detail
    assert encoders(read_settings(configure(), ENVIRON), online=True) == []
