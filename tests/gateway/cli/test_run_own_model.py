"""`fanlight run --demo` with real weights: a visitor's question, answered by a model beside it."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.adapters.visitor import Visitor
from tests.browser.product import SITE, Product, running

pytestmark = pytest.mark.needs("weights")


async def asked(visitor: Visitor, question: str) -> dict[str, Any]:
    response = await visitor.ask(question)
    turn: dict[str, Any] = response.raise_for_status().json()
    return turn


async def model_server(product: Product) -> int:
    """The process id of the model server, which is a child of the demo."""
    assert product._process is not None
    pgrep = await asyncio.create_subprocess_exec(
        *("pgrep", "-P", str(product._process.pid), "-f", "models serve"),
        stdout=asyncio.subprocess.PIPE,
    )
    found, _ = await pgrep.communicate()
    return int(found)


async def test_a_question_beyond_the_pages_is_answered_by_the_model_beside(
    weights: Path, tmp_path: Path
) -> None:
    product = Product(tmp_path, environ={"FANLIGHT_MODELS_DIR": str(weights)})
    async with running(product), httpx.AsyncClient(timeout=60) as client:
        visitor = Visitor(client, product.gateway, SITE)
        await visitor.open_session()
        turn = await asked(visitor, "What is the capital of France?")
        assert "The capital of France is Paris." in turn["reply"]
        assert (turn["source"], turn["model"], turn["escalate"]) == ("cloud", "smollm2-135m", False)
        assert (await asked(visitor, "Does it work offline?"))["source"] == "kb"

        # Killed while it writes, it costs the visitor an answer, never the turn.
        body = visitor.chat_body("Tell me a story of a fox", stream=True)
        request = await visitor.request("POST", "/v1/chat", body, key="a-key-of-its-own")
        response = await client.send(request, stream=True)
        killed = False
        text = ""
        async for line in response.aiter_lines():
            text += f"{line}\n"
            if not killed and line == "event: delta":
                os.kill(await model_server(product), signal.SIGKILL)
                killed = True
        assert killed
        assert "model_unavailable" in text
        assert "event: done" in text
        again = await asked(visitor, "What is the capital of Spain?")
        assert again["escalate"]
        assert "model_unavailable" in again["reasons"]
    assert product.errors().endswith("Stopped.\n")
