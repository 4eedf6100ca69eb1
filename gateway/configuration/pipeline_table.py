"""The settings of the pipeline: which models it asks, and in which stages."""

from __future__ import annotations

from typing import Final

from gateway.configuration.routing_table import price
from gateway.configuration.setting import Setting
from gateway.configuration.variables import MODEL_KEY
from gateway.pipeline.models import CONTEXT_TOKENS


def _context(section: str) -> Setting:
    return Setting(
        *(section, "context_tokens", "integer"),
        "How many tokens the model can read and write together; what does not fit is left out.",
        CONTEXT_TOKENS,
        low=512,
        high=10_000_000,
    )


def _asked_for(section: str) -> tuple[Setting, Setting]:
    return (
        Setting(
            *(section, "tools", "true or false"),
            "Whether the model may call the site's `tools`. A server that refuses them by name is "
            "asked without, whatever stands here.",
            default=True,
        ),
        Setting(
            *(section, "logprobs", "true or false"),
            "Whether the server is asked how likely the model's words are, which then moves the "
            "confidence by a weight that is assumed, not fitted. One that refuses that by name is "
            "asked without; `anthropic` knows no such thing.",
            default=False,
        ),
    )


PIPELINE_SETTINGS: Final = (
    Setting(
        "model",
        "url",
        "string",
        "The base of an OpenAI-compatible server, ending in `/v1`. Without it no model is asked.",
    ),
    Setting("model", "model", "string", "The model's name, as that server knows it."),
    _context("model"),
    *price("model"),
    *_asked_for("model"),
    Setting(
        *("models", "name", "string"),
        f"Small letters, digits, `_` or `-`; its key, where it wants one, is in `{MODEL_KEY}`.",
        required=True,
    ),
    Setting(
        *("models", "dialect", "string"),
        "What the server speaks: `openai` (as vLLM, Ollama, Workers AI and most do) or "
        "`anthropic`.",
        "openai",
    ),
    Setting(
        *("models", "url", "string"),
        "The server's base, ending in `/v1`; https, or http when listed in "
        "`gateway.private_endpoints`.",
        required=True,
    ),
    Setting(
        *("models", "model", "string"),
        "The model's name, as that server knows it.",
        required=True,
    ),
    _context("models"),
    *price("models"),
    *_asked_for("models"),
    Setting(
        *("prompts", "folder", "string"),
        "A folder of prompt templates of your own; what is not in it, Fanlight's own say.",
    ),
    Setting(
        *("prompts", "canary", "true or false"),
        "Whether each prompt has a hidden word, by which a reply that was copied from the "
        "instructions is found. Small models answer worse with it: see pipeline.md.",
        default=False,
    ),
    Setting(
        *("prompts", "personalities", "string"),
        "A folder of personalities of your own, `<name>.yaml` each: see personality.md.",
    ),
    Setting(
        *("workflows", "name", "string"),
        "`workflow.chat` is what answers; any other name, such as `workflow.code`, builds on it.",
        required=True,
    ),
    Setting(
        *("workflows", "stages", "list of strings"),
        "What takes the place of a stage of `workflow.chat`, such as `score.calibrated`.",
        (),
    ),
    Setting(
        *("workflows", "task_types", "list of strings"),
        "The types of task that go through this workflow; all others go through `workflow.chat`.",
        (),
    ),
)
