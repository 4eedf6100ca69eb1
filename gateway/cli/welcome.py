"""What `fanlight run` says once everything answers: the addresses, and what to try.

Decides the wording. The operator token is shown where the demo made it, never where it was set.
"""

from __future__ import annotations

import os

from rich.text import Text

from gateway.cli.output import Output
from gateway.settings import Settings


def welcome(settings: Settings, output: Output, page: str | None, *, show_token: bool) -> None:
    """Say what runs where; `page` is the demo's host page."""
    chats = {site.key: f"{settings.public_url}/chat/{site.key}" for site in settings.sites}
    token = settings.operator_token.reveal() if show_token else None
    output.result(
        {
            "running": True,
            "gateway": settings.public_url,
            "console": settings.console_url,
            "page": page,
            "chats": chats,
            "operator_token": token,
            "model": settings.models[0].model if settings.models else None,
            "pid": os.getpid(),
        }
    )
    output.show("", Text("Fanlight is running. Ctrl-C stops it.", "bold"), "")
    if page:
        output.show(_line("Page", page, "with the chat in its corner"))
    output.show(_line("Gateway", settings.public_url, ""))
    for chat in chats.values():
        output.show(_line("Chat", chat, "on a page of its own"))
    with_token = f"operator token: {token}" if token else "sign in with FANLIGHT_OPERATOR_TOKEN"
    output.show(_line("Console", settings.console_url, with_token))
    for number, model in enumerate(dict.fromkeys(each.model for each in settings.models)):
        remark = "for what the knowledge does not cover" if number == 0 else "where those fail"
        output.show(_line("Model", model, remark))
    output.show("")
    if show_token and page:
        output.show(*_things_to_try(page, settings.console_url, next(iter(chats.values()))))
        if settings.models:
            output.show("  With the model: ask What is the capital of France?")
            output.show(
                f"  {settings.console_url}/#figures shows what it cost, and how sure it was."
            )
            if settings.routing.tiers:
                output.show("  The two tiers and their prices are examples: nothing is paid here.")
            output.show("")
    if not settings.models:
        output.show(Text("No model is set: what the answers do not cover goes to a person.", "dim"))
        if show_token:
            output.show(Text("`fanlight models pull smollm2-135m` brings a small one.", "dim"))


def _line(label: str, address: str, remark: str) -> Text:
    padded = f"{address:<42}" if remark else address
    return Text.assemble(f"  {label:<9}", (padded, "bold"), (remark, "dim"))


def _things_to_try(page: str, console: str, chat: str) -> tuple[str, ...]:
    return (
        "Three things to try:",
        f"  1. Open {page} and ask: Does it work offline?",
        "     The answer is found in your browser; /es and /he are in Spanish and Hebrew.",
        "  2. Ask: When does the bakery open?",
        "     Fanlight says that it does not know, and wakes a person: you.",
        f"     Sign in to {console} and answer; the reply appears in the chat.",
        f"  3. Let the chat remember, open {chat},",
        "     stop this with Ctrl-C, and reload: it still answers.",
        "",
    )
