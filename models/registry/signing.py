"""Signatures of catalogue entries: who vouches for what a catalogue promises.

Decides what is signed: the canonical form (RFC 8785) of an entry, with Ed25519. Signatures stand in
a file beside the catalogue, `<catalogue>.sig`, by entry. Which keys count stands in a file of this
machine's, never in what comes with a catalogue. Refuses an entry whose signature is not its own or
by a key that nobody here trusts, and one without any where the machine's owner wants them all.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.encoding import canonical_json
from models.errors import INSTALL, BadSignature, ModelError
from models.registry.partial import PRIVATE

KEY_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
TRUST_FORM: Final = 'required = true or false, and under [keys] lines of NAME = "PUBLIC KEY"'
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is signed, and its signature where it has one, by the key of this name."""

    message: bytes
    key: str = ""
    signature: bytes = b""


@dataclass(frozen=True, slots=True)
class Trust:
    """The public keys that count, by name; with `required` an entry without a signature does not.

    `path` is where they stand, for whoever has to add one.
    """

    keys: Mapping[str, bytes] = field(default_factory=dict)
    required: bool = False
    path: Path | None = None

    def check(self, name: str, entry: Entry) -> None:
        """Raise `BadSignature` where this entry is not to be used."""
        if not entry.signature:
            if self.required:
                raise BadSignature(f"{name} is not signed, and {self.path} requires it.")
            return
        if entry.key not in self.keys:
            raise BadSignature(
                f"{name} is signed by {entry.key!r}, whose key is not in {self.path}. "
                f"Add it there where you trust it: {TRUST_FORM}."
            )
        if not _verified(self.keys[entry.key], entry):
            raise BadSignature(
                f"The signature of {name} by {entry.key!r} is not that of this entry: the "
                "catalogue or its .sig was changed, or the key is another. Do not use it; get both "
                "anew from who made them."
            )


def read_trust(path: Path) -> Trust:
    """The keys in a file; none where there is no file. Raises `ModelError` where it is damaged."""
    try:
        return _trust(tomllib.loads(path.read_text(encoding="utf-8")), path)
    except (FileNotFoundError, NotADirectoryError):
        return Trust(path=path)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}. It holds {TRUST_FORM}.") from error


def _trust(document: dict[str, Any], path: Path) -> Trust:
    keys, required = document.pop("keys", {}), document.pop("required", False)
    if document or not isinstance(keys, dict) or not isinstance(required, bool):
        raise ValueError("it has something else in it")
    return Trust({name: _public(text) for name, text in keys.items()}, required, path)


def signatures_path(catalog: Path) -> Path:
    """Where the signatures of a catalogue stand."""
    return catalog.with_name(f"{catalog.name}.sig")


def read_signatures(catalog: Path) -> Mapping[str, tuple[str, bytes]]:
    """The key's name and the signature, by entry. Raises `ValueError` with what is wrong."""
    path = signatures_path(catalog)
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {name: (str(row["key"]), _bytes(row["signature"])) for name, row in rows.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read; sign the catalogue anew") from error


def entry_of(row: Mapping[str, Any], signatures: Mapping[str, tuple[str, bytes]]) -> Entry:
    """An entry of a catalogue that was found to be whole."""
    key, signature = signatures.get(f"{row['id']} {row['version']}", ("", b""))
    return Entry(canonical_json(row), key, signature)


def sign(catalog: Path, entries: Mapping[str, Entry], key: str, pem: bytes) -> str:
    """Write the signatures of all entries; gives the public key. Raises `ModelError`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - see _verified
        Ed25519PrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        private = load_pem_private_key(pem, None)
    except (TypeError, ValueError) as error:
        raise ModelError(f"That is no private key without a password: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ModelError("That key is not of Ed25519. `--new-key` makes one.")
    rows = {
        name: {"key": key, "signature": base64.b64encode(private.sign(entry.message)).decode()}
        for name, entry in entries.items()
    }
    path = signatures_path(catalog)
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(path)
    return base64.b64encode(private.public_key().public_bytes_raw()).decode()


def make_key(path: Path) -> bytes:
    """A new private key, in a file for its owner alone. Raises `ModelError` where there is one."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - see _verified
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        path.touch(PRIVATE, exist_ok=False)
    except FileExistsError as error:
        raise ModelError(f"{path} is there already: leave out --new-key to use it.") from error
    path.write_bytes(pem)
    return pem


def _verified(public: bytes, entry: Entry) -> bool:
    # Of the extra `server`; a machine without it can still list what there is.
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
            Ed25519PublicKey,
        )
    except ImportError as error:
        raise BadSignature(
            f"A signature cannot be checked without cryptography. {INSTALL}"
        ) from error
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(entry.signature, entry.message)
    except InvalidSignature:
        return False
    return True


def _public(text: object) -> bytes:
    key = _bytes(text)
    if len(key) != _KEY_BYTES:
        raise ValueError(f"{text!r} is no public key of Ed25519")
    return key


def _bytes(text: object) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error as error:
        raise ValueError(f"{text!r} is not base64") from error
