"""`fanlight models sign-catalog`: vouch for the entries of a catalogue of one's own.

Decides nothing of what is signed. A private key is made only where asked, for its owner alone, and
never over another.
"""

from __future__ import annotations

from pathlib import Path

import click

from core.errors import FanlightError
from gateway.cli.output import Output, json_option
from models.registry.catalog import read_catalog
from models.registry.signing import KEY_NAME, make_key, sign, signatures_path


@click.command("sign-catalog")
@click.argument("catalog", type=click.Path(path_type=Path))
@click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    required=True,
    help="Ed25519 private key (PEM).",
)
@click.option("--name", required=True, help="What the key is called where it is trusted.")
@click.option("--new-key", is_flag=True, help="Make the key, in the file that --key names.")
@json_option
def sign_command(*, catalog: Path, key_file: Path, name: str, new_key: bool, as_json: bool) -> None:
    """Sign every entry of CATALOG, into CATALOG.sig."""
    output = Output(as_json)
    if not KEY_NAME.fullmatch(name):
        raise click.BadParameter(f"{name!r} does not match {KEY_NAME.pattern}", param_hint="--name")
    try:
        entries = read_catalog(catalog).entries
        pem = make_key(key_file) if new_key else key_file.read_bytes()
        public = sign(catalog, entries, name, pem)
    except FanlightError as error:
        output.result({"detail": str(error)})
        raise click.ClickException(str(error)) from error
    except OSError as error:
        detail = f"{error.filename}: {error.strerror}."
        output.result({"detail": detail})
        raise click.ClickException(detail) from error
    path = signatures_path(catalog)
    output.result({"file": str(path), "entries": len(entries), "name": name, "public_key": public})
    output.show(f"{path}: {len(entries)} entries are signed. Who trusts you writes:", "")
    output.show("  [keys]", f'  {name} = "{public}"')
