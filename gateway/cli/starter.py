"""What `fanlight init` writes: a commented fanlight.toml, first entries, and the names of secrets.

Decides their text. Every other setting has a default, and stands in docs/settings.md.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

CONFIG: Final = """\
# Fanlight's settings. `fanlight check` names every flaw with its remedy.
# Secrets stand in the environment or in .env, never here.

[gateway]
# The address that visitors' browsers use. Before a real site is served: https, and a host such as
# chat.<your domain>.
public_url = "http://localhost:8000"
# The operators' console has a host name of its own.
console_url = "http://console.localhost:8000"
# Private or plain-http endpoints that the gateway may call, exactly: a model server, a webhook.
# private_endpoints = ["localhost:11434"]

[[sites]]
# Public: it stands in the embed snippet.
key = "{key}"
# What visitors read.
name = "{name}"
# Pages that may embed the chat: scheme, host and port. `fanlight run --demo --config fanlight.toml`
# shows it on a page at the second one.
origins = ["https://www.example.com", "http://localhost:8001"]
# Files (.md, .csv, .jsonl) or folders of them.
kb = ["kb"]
locales = ["en", "es", "he"]
default_locale = "en"
accent = "#1f5fbf"
# Below this chance of being right nothing is shown as an answer, and a person gets the question.
confidence_threshold = 0.55
# targets = ["desk"]

# When somebody is there; always, where it is left out.
# hours = "Mon-Fri 09:00-17:00"

# Whom to wake, beside the console. The secret is FANLIGHT_TARGET_DESK_SECRET; for Slack and
# PagerDuty see docs/targets.md.
# [[targets]]
# name = "desk"
# kind = "webhook"
# url = "https://desk.example.com/fanlight"

# A language model, asked when the knowledge base does not know. The key is FANLIGHT_LLM_KEY.
# [model]
# url = "https://models.example.com/v1"
# model = "your-model"
"""

ENTRIES: Final = """\
locale: en

## Greeting {#system-greeting}
- tags: system:greeting

Hello, and welcome. What would you like to know?

## When are you open? {#opening-hours}
- also: opening hours
- also: what time do you close
- also: are you open on Sunday
- also: working hours
- also: when can I come by

We are open from Monday to Friday, 9:00 to 18:00.

## How can I reach you? {#contact}
- also: contact details
- also: email address
- also: how do I get in touch
- also: write to someone
- link: [Contact](https://www.example.com/contact)

Write to hello@example.com, or ask here: what this chat does not know, a person answers.

## I want to cancel {#cancel}
- also: cancel my order
- also: cancel my subscription
- also: stop my contract
- escalate: always

We are sorry to hear that. A colleague takes it from here, in this chat.
"""

ENVIRONMENT: Final = """\
# Copy this file to .env and fill it in. Keep .env to yourself: it belongs in no repository.

# What operators sign in to the console with; 20 characters or more.
FANLIGHT_OPERATOR_TOKEN=

# A language model's key, where model.url is set.
# FANLIGHT_LLM_KEY=

# The signing secret of the webhook named "desk": whsec_ and base64.
# FANLIGHT_TARGET_DESK_SECRET=
"""


def starter_files(folder: Path) -> dict[str, str]:
    """The files by their path in `folder`; the site is called after it."""
    title = re.sub(r"[\"\\\x00-\x1f\x7f]", "", folder.resolve().name)[:60] or "My site"
    slug = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:56].strip("_")
    config = CONFIG.replace("{key}", f"site_{slug or 'main'}").replace("{name}", title)
    return {"fanlight.toml": config, "kb/faq.en.md": ENTRIES, ".env.example": ENVIRONMENT}
