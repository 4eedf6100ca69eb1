"""`fanlight receipts verify`: whether receipts that somebody kept are whole; needs no gateway.

Decides how each break is told, and the exit status: 0 when every receipt verifies and every chain
is unbroken, 1 otherwise. Says what it cannot know.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from core import jose
from core.digest import sha256_hex
from core.errors import Unavailable
from core.ports import PublicKey
from core.receipt_chain import Break, Chain, Kept, breaks, chains, read_receipt
from gateway.adapters.crypto import LocalVerifier
from gateway.adapters.key_documents import NoKeys, load_keys
from gateway.adapters.key_folder import KeyFolder
from gateway.cli.keys import config_option, data_dir_option, keys_folder
from gateway.cli.output import Output, json_option
from gateway.cli.receipt_files import NoReceipts, Written, read_receipts

LATE_S: Final = 60
"""How long after a key was retired a process may not have noticed, and gone on signing."""

LIMITS: Final = (
    "What this cannot show: receipts missing at the end of a session, or a whole session. "
    "Compare the last hashes with what you know of the session."
)


@click.group("receipts")
def receipts_group() -> None:
    """Receipts of the gateway's answers."""


@receipts_group.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--keys", help="The published keys: a file, or an address. Else the data folder's.")
@config_option
@data_dir_option
@json_option
def verify(
    file: Path, keys: str | None, config: Path | None, data_dir: Path | None, as_json: bool
) -> None:
    """Verify the receipts of FILE: that none was altered, moved, added or left out."""
    output = Output(as_json)
    try:
        known = load_keys(keys) if keys else _own_keys(config, data_dir, output)
        written = read_receipts(file.read_text(encoding="utf-8"))
    except (NoKeys, NoReceipts, Unavailable) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8.") from error
    kept, found = asyncio.run(examine(written, known))
    found += breaks(kept)
    _tell(output, len(written), chains(kept), found)
    if found:
        raise SystemExit(1)


def _own_keys(config: Path | None, data_dir: Path | None, output: Output) -> dict[str, PublicKey]:
    folder = KeyFolder(keys_folder(config, data_dir, output), clock=time.time)
    return {key.kid: key for key in folder.published}


async def examine(
    written: Sequence[Written], keys: Mapping[str, PublicKey]
) -> tuple[list[Kept], list[Break]]:
    """The receipts whose signatures hold, and what is wrong with the others."""
    verifier = LocalVerifier()
    kept: list[Kept] = []
    found: list[Break] = []
    for one in written:
        try:
            parts = jose.split(one.token)
        except ValueError as error:
            found.append(Break(one.place, "altered", f"it is no receipt: {error}"))
            continue
        if parts.kid not in keys:
            found.append(Break(one.place, "foreign", "it is signed by none of these keys"))
        elif not await verifier.verify(keys[parts.kid].jwk, parts.signed, parts.signature):
            found.append(Break(one.place, "altered", "its signature does not hold"))
        else:
            _keep(one, parts, keys[parts.kid], kept, found)
    return kept, found


def _keep(
    one: Written,
    parts: jose.CompactJws,
    key: PublicKey,
    kept: list[Kept],
    found: list[Break],
) -> None:
    try:
        receipt = read_receipt(parts)
    except ValueError as error:
        found.append(Break(one.place, "altered", f"{error}"))
        return
    if key.retired_at is not None and receipt.iat > key.retired_at + LATE_S:
        found.append(Break(one.place, "foreign", "its key signed no more when it says it was made"))
    kept.append(Kept(one.place, one.token, receipt))
    for name, text, expected in (
        ("question", one.question, receipt.question_sha256),
        ("answer", one.answer, receipt.answer_sha256),
    ):
        if text is not None and sha256_hex(text) != expected:
            found.append(Break(one.place, "altered", f"it was given for another {name}"))


def _tell(output: Output, count: int, sessions: list[Chain], found: list[Break]) -> None:
    output.result(
        {
            "ok": not found,
            "receipts": count,
            "breaks": [asdict(one) for one in found],
            "sessions": [asdict(one) for one in sessions],
        }
    )
    for one in found:
        output.show(f"✗ {one.place}: {one.kind}: {one.detail}")
    for session in sessions:
        output.show(
            f"  session {session.sid}: {session.receipts} receipts, the last {session.head}"
        )
    if not found:
        output.show(f"{count} receipts verify; no chain is broken.")
    output.show(LIMITS)
