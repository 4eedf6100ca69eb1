"""The reference tables of docs/settings.md, written from the one list of settings.

Decides their form; a test holds the page to them.
"""

from __future__ import annotations

from gateway.configuration.setting import Setting
from gateway.configuration.table import SETTINGS
from gateway.configuration.variables import VARIABLES


def settings_table(section: str) -> str:
    """The Markdown table of one section's settings."""
    rows = [_row(setting) for setting in SETTINGS if setting.section == section]
    return "\n".join(("| setting | type | default | meaning |", "| --- | --- | --- | --- |", *rows))


def variables_table() -> str:
    """The Markdown table of the environment variables."""
    rows = [
        f"| `{variable.name}` | {'yes' if variable.secret else ''} | {variable.text} |"
        for variable in VARIABLES
    ]
    return "\n".join(("| variable | secret | meaning |", "| --- | --- | --- |", *rows))


def _row(setting: Setting) -> str:
    return f"| `{setting.name}` | {_type(setting)} | {_default(setting)} | {setting.text} |"


def _type(setting: Setting) -> str:
    if setting.low is None or setting.high is None:
        return setting.kind
    return f"{setting.kind}, {setting.low:g} to {setting.high:,.10g}"


def _default(setting: Setting) -> str:
    if setting.default is None:
        return "required" if setting.required else ""
    if isinstance(setting.default, tuple):
        shown = (f'"{item}"' if isinstance(item, str) else str(item) for item in setting.default)
        listed = ", ".join(shown)
        return f"`[{listed}]`"
    if setting.default == "":
        return ""
    if isinstance(setting.default, bool):
        return f"`{str(setting.default).lower()}`"
    return f'`"{setting.default}"`' if isinstance(setting.default, str) else f"`{setting.default}`"
