"""A model's likelihoods of the labels for many commands, from a model server.

Decides nothing beside the question, which is the gateway's own (`core.commands.prompt`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import httpx

from core.commands.head import Shares
from core.commands.parts import parts_of
from core.commands.prompt import TEMPERATURE, prompt_of, shares_of
from models.commands.examples import Example
from models.errors import ModelError

TIMEOUT_S = 60.0
LIKELIEST = 5

Progress = Callable[[int], None]


class NotAsked(ModelError):
    """The model server gives no likelihoods."""


def likelihoods_of(
    examples: Iterable[Example],
    client: httpx.Client,
    model: str,
    progress: Progress = lambda _done: None,
) -> dict[str, Shares]:
    """By the text of each part, what the model makes of it. Raises `NotAsked`.

    `client` has the server's address, which ends in `/v1/`, and its key.
    """
    found: dict[str, Shares] = {}
    parts = {part.text: part for each in examples for part in parts_of(each.command)}
    for done, (text, part) in enumerate(parts.items(), 1):
        if part.kind != "opaque":
            shares = shares_of(_first_tokens(client, model, prompt_of(part)))
            if shares is not None:
                found[text] = shares
        progress(done)
    return found


def _first_tokens(client: httpx.Client, model: str, prompt: str) -> dict[str, float]:
    asked = {
        "model": model,
        "prompt": prompt,
        "max_tokens": 1,
        "temperature": TEMPERATURE,
        "logprobs": LIKELIEST,
    }
    try:
        reply = client.post("completions", json=asked, timeout=TIMEOUT_S)
        reply.raise_for_status()
        (told,) = reply.json()["choices"][0]["logprobs"]["top_logprobs"]
        return {str(token): float(logprob) for token, logprob in told.items()}
    except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotAsked(f"The model server gives no likelihoods: {error!r}.") from error
