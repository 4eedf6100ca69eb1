"""The settings of the pipeline: which models it asks, and in which stages."""

from __future__ import annotations

from typing import Final

from gateway.configuration.setting import Setting

PIPELINE_SETTINGS: Final = (
    Setting(
        "model",
        "url",
        "string",
        "The base of an OpenAI-compatible server, ending in `/v1`. Without it no model is asked.",
    ),
    Setting("model", "model", "string", "The model's name, as that server knows it."),
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
