"""What `fanlight check` says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

type State = Literal["ok", "warned", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One look at one thing. `key` names the setting that it hangs on."""

    name: str
    state: State
    key: str
    detail: str
    remedy: str = ""
