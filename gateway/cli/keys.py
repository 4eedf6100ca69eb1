"""`fanlight keys`: the keys that the gateway signs with, and a new one without a dropped session.

Decides where the keys are. Refuses to touch a folder that has none, which would be the wrong one.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import click

from core.encoding import timestamp
from core.errors import Unavailable
from core.ports import PublicKey
from gateway.adapters import key_folder
from gateway.adapters.key_folder import KeyFolder
from gateway.cli.output import Output, as_rows, json_option
from gateway.configuration import ConfigurationError, read_settings

FOLDER: Final = "keys"

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="Instead of ./fanlight.toml."
)
data_dir_option = click.option(
    "--data-dir", type=click.Path(path_type=Path), help="Instead of the settings' own data_dir."
)


def keys_folder(config: Path | None, data_dir: Path | None, output: Output) -> Path:
    """The folder of the keys; raises `click.ClickException` or `SystemExit` where there is none."""
    if data_dir is None:
        try:
            data_dir = read_settings(config, os.environ).data_dir
        except ConfigurationError as error:
            output.flaws(error.flaws)
            output.result({"flaws": as_rows(error.flaws)})
            raise SystemExit(1) from error
    folder = data_dir / FOLDER
    if not folder.is_dir():
        remedy = "Start the gateway once, or name its data folder with --data-dir."
        raise click.ClickException(f"There are no keys in {folder}. {remedy}")
    return folder


@click.group("keys")
def keys_group() -> None:
    """The keys that the gateway signs with."""


@keys_group.command("list")
@config_option
@data_dir_option
@json_option
def list_keys(config: Path | None, data_dir: Path | None, as_json: bool) -> None:
    """Show every key that there was, newest last."""
    output = Output(as_json)
    folder = keys_folder(config, data_dir, output)
    try:
        keys = KeyFolder(folder, clock=time.time)
        found, signing = keys.published, keys.signing[0]
    except Unavailable as error:
        raise click.ClickException(str(error)) from error
    output.result({"keys": [_row(key, signing) for key in found]})
    for key in found:
        output.show(f"{key.kid}  {_state(key, signing, time.time())}")


@keys_group.command("add")
@config_option
@data_dir_option
@json_option
def add(config: Path | None, data_dir: Path | None, as_json: bool) -> None:
    """Add a key that signs after the next rotation, for several machines to know it before."""
    output = Output(as_json)
    folder = keys_folder(config, data_dir, output)
    try:
        kid = key_folder.add(folder)
    except Unavailable as error:
        raise click.ClickException(str(error)) from error
    output.result({"kid": kid})
    output.show(f"{kid} waits. Copy {folder} to every other machine, then rotate on each.")


@keys_group.command("rotate")
@click.option(
    "--at-once", is_flag=True, help="Refuse the older keys' tokens now: a key was stolen."
)
@config_option
@data_dir_option
@json_option
def rotate(at_once: bool, config: Path | None, data_dir: Path | None, as_json: bool) -> None:
    """Let a new key sign from now on, or the one that waits. Gateways see it within seconds."""
    output = Output(as_json)
    folder = keys_folder(config, data_dir, output)
    try:
        kid = key_folder.rotate(folder, now=time.time(), at_once=at_once)
    except Unavailable as error:
        raise click.ClickException(str(error)) from error
    output.result({"kid": kid})
    output.show(f"{kid} signs from now on.")
    kept = (
        "Visitors open new sessions." if at_once else "Sessions go on; no visitor notices anything."
    )
    output.show(f"{kept} Receipts under older keys can be verified as before.")


def _row(key: PublicKey, signing: str) -> dict[str, object]:
    return {
        "kid": key.kid,
        "signs": key.kid == signing,
        "retired_at": None if key.retired_at is None else timestamp(key.retired_at),
        "tokens_until": None if key.tokens_until is None else timestamp(key.tokens_until),
    }


def _state(key: PublicKey, signing: str, now: float) -> str:
    if key.retired_at is None or key.tokens_until is None:
        return "signs" if key.kid == signing else "waits for the next rotation"
    if key.tokens_until > now:
        return f"retired {timestamp(key.retired_at)}; its tokens hold until they run out"
    return f"retired {timestamp(key.retired_at)}; its receipts verify, its tokens do not"
