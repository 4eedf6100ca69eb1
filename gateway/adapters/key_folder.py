"""The gateway's keys in a folder: the newest signs, the older ones verify, and none is forgotten.

`gateway.pem`, `gateway-2.pem`, … hold private keys (mode 0600); the one with the greatest number
signs. `rotate` adds the next and puts each older one's public half in its place
(`gateway.retired.json`), so that a key that signs no more cannot be stolen. Every step leaves a
folder that reads well: a new key is linked under its name whole or not at all, and an older private
key that is still there counts as retired when the next one came. `gateway-2.next.pem` is a key that
`add` made and that waits: its tokens are read, and the next rotation lets it sign. So machines
without a common disk can all know a key before the first of them signs with it.

Processes that share the folder look at it every few seconds, and at once when they meet a key that
they do not know: none has to be told. A folder that cannot be read keeps a running gateway on the
keys that it has; one that starts refuses with `Unavailable`.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from core.errors import Unavailable
from core.jose import public_jwk, thumbprint
from core.ports import Clock, PublicKey, Signer
from gateway.adapters.crypto import LocalSigner
from gateway.tokens import GRACE_S

log = logging.getLogger("fanlight")

LOOK_S: Final = 2.0
"""A rotation is noticed within this many seconds."""

_UNKNOWN_LOOK_S: Final = 0.2
"""However many tokens name keys that nobody has: the folder is not read more often."""

_NAME: Final = re.compile(r"gateway(?:-([1-9][0-9]{0,5}))?\.(pem|next\.pem|retired\.json)")
_PRIVATE: Final = "pem"
_WAITING: Final = "next.pem"
_RETIRED: Final = "retired.json"


@dataclass(frozen=True, slots=True)
class _Ring:
    """What the folder held when it was read."""

    kid: str
    signer: LocalSigner
    keys: Mapping[str, PublicKey]


class KeyFolder:
    """A `KeyRing` over a folder, which gets its first key when it has none."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        if not _numbers(folder):
            _add_first(folder)
        self._seen = _state(folder)
        self._ring = _read(folder)
        self._looked = clock()

    @property
    def signing(self) -> tuple[str, Signer]:
        """The `kid` of the key that signs now, and the key."""
        self._look(LOOK_S)
        return self._ring.kid, self._ring.signer

    @property
    def published(self) -> Sequence[PublicKey]:
        """Every key that there was, newest last."""
        self._look(LOOK_S)
        return tuple(self._ring.keys.values())

    def find(self, kid: str) -> PublicKey | None:
        """The key of this id; one that is not known is looked for."""
        self._look(LOOK_S if kid in self._ring.keys else _UNKNOWN_LOOK_S)
        return self._ring.keys.get(kid)

    def _look(self, every_s: float) -> None:
        now = self._clock()
        # A clock that was set back would otherwise stop the looking.
        if 0 <= now - self._looked < every_s:
            return
        self._looked = now
        try:
            state = _state(self._folder)
            if state != self._seen:
                self._ring, self._seen = _read(self._folder), state
        except Unavailable as error:
            log.warning("the keys stay as they are: %s", error)


def add(folder: Path) -> str:
    """Add a key that waits for the next rotation; its id.

    Raises `Unavailable` when one waits already, the folder cannot be written, or somebody else has
    just added a key.
    """
    numbers = _numbers(folder)
    if any(_waits(folder, number) for number in numbers):
        raise Unavailable("a key waits already: bring it to all machines, then rotate")
    with _changing(folder):
        return _add(folder, max(numbers, default=0) + 1, _WAITING)


def rotate(folder: Path, *, now: float, at_once: bool = False) -> str:
    """Let the key that waits, or a new one, sign from now on, and retire the others; its id.

    With `at_once` their tokens are refused from now on, and one that waits is not used: for a key
    that was stolen. Raises `Unavailable` when the folder cannot be written, or somebody else has
    just added a key.
    """
    numbers = _numbers(folder)
    signing = max(numbers, default=0)
    with _changing(folder):
        if signing and _waits(folder, signing) and not at_once:
            kid = _let_sign(folder, signing)
        else:
            signing += 1
            kid = _add(folder, signing, _PRIVATE)
        for number in range(1, signing):
            if _private(folder, number).exists():
                _retire(folder, number, now=now, tokens_until=now if at_once else now + GRACE_S)
            elif at_once:
                _end_grace(folder, number, now)
    return kid


@contextmanager
def _changing(folder: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as exc:
        raise Unavailable("somebody else has just added a key; look before you repeat") from exc
    except OSError as exc:
        raise Unavailable(f"the keys in {folder} cannot be changed: {exc.strerror}") from exc


def keep_known(folder: Path, known: Path) -> None:
    """Add to a folder that came from a backup what is known besides it.

    No key comes back that was retired since, nor is a later one lost. Raises `OSError`.
    """
    for number in sorted(_numbers(known)):
        forms = (_RETIRED, _PRIVATE, _WAITING)  # each is later in a key's life than the next
        retired, private, waiting = (_path(folder, number, form) for form in forms)
        if (known / retired.name).exists():
            shutil.copy2(known / retired.name, retired)
        elif not retired.exists() and (known / private.name).exists():
            if not private.exists():
                shutil.copy2(known / private.name, private)
        elif not retired.exists() and not private.exists() and not waiting.exists():
            shutil.copy2(known / waiting.name, waiting)
        if retired.exists():
            private.unlink(missing_ok=True)
        if retired.exists() or private.exists():
            waiting.unlink(missing_ok=True)


def _path(folder: Path, number: int, suffix: str) -> Path:
    return folder / (f"gateway.{suffix}" if number == 1 else f"gateway-{number}.{suffix}")


def _private(folder: Path, number: int) -> Path:
    """Where this key's private half is, if anywhere: it signs, or it waits."""
    path = _path(folder, number, _PRIVATE)
    return path if path.exists() else _path(folder, number, _WAITING)


def _waits(folder: Path, number: int) -> bool:
    """Whether this key has never signed; beside a later form its first one counts for nothing."""
    if any(_path(folder, number, form).exists() for form in (_PRIVATE, _RETIRED)):
        return False
    return _path(folder, number, _WAITING).exists()


def _state(folder: Path) -> frozenset[tuple[str, int, int]]:
    """What tells whether the folder has changed; empty where there is none."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if _NAME.fullmatch(entry.name)]
    except FileNotFoundError:
        return frozenset()
    except OSError as exc:
        raise Unavailable(f"the keys in {folder} cannot be read: {exc.strerror}") from exc
    found = set()
    for name in names:
        with suppress(OSError):  # gone since
            state = (folder / name).stat()
            found.add((name, state.st_mtime_ns, state.st_ino))
    return frozenset(found)


def _numbers(folder: Path) -> set[int]:
    found = (_NAME.fullmatch(name) for name, _, _ in _state(folder))
    return {int(match[1] or 1) for match in found if match is not None}


def _read(folder: Path) -> _Ring:
    """Read the whole folder; once more when it was being changed meanwhile."""
    try:
        try:
            return _ring(folder)
        except FileNotFoundError:
            return _ring(folder)
    except OSError as exc:
        raise Unavailable(f"the keys in {folder} cannot be read: {exc.strerror}") from exc


def _ring(folder: Path) -> _Ring:
    every = sorted(_numbers(folder))
    waiting = [number for number in every if _waits(folder, number)]
    numbers = [number for number in every if number not in waiting]
    newest = numbers[-1] if numbers else 1
    signer = LocalSigner.load(_path(folder, newest, _PRIVATE))
    older = [_older(folder, number, after) for number, after in pairwise(numbers)]
    next_ones = [LocalSigner.load(_path(folder, number, _WAITING)) for number in waiting]
    own, *later = (_public(one) for one in (signer, *next_ones))
    return _Ring(own.kid, signer, {key.kid: key for key in (*older, own, *later)})


def _public(signer: LocalSigner) -> PublicKey:
    return PublicKey(thumbprint(dict(signer.jwk)), signer.jwk)


def _older(folder: Path, number: int, next_number: int) -> PublicKey:
    retired = _path(folder, number, _RETIRED)
    if retired.exists():
        return _retired(retired)
    signer = LocalSigner.load(_path(folder, number, _PRIVATE))
    # A rotation that was cut off: the next key signs already.
    since = _path(folder, next_number, _PRIVATE).stat().st_mtime
    return PublicKey(thumbprint(dict(signer.jwk)), signer.jwk, since, since + GRACE_S)


def _retired(path: Path) -> PublicKey:
    try:
        document = json.loads(path.read_bytes())
        jwk = public_jwk(document["jwk"])
        times = float(document["retired_at"]), float(document["tokens_until"])
    except (ValueError, LookupError, TypeError) as exc:
        raise Unavailable(f"{path.name} is not a retired key; restore it or move it away") from exc
    return PublicKey(thumbprint(jwk), jwk, *times)


def _add_first(folder: Path) -> None:
    try:
        _add(folder, 1, _PRIVATE)
    except FileExistsError:
        pass  # two first starts at once agree on one key
    except OSError as exc:
        raise Unavailable(f"a key cannot be written to {folder}: {exc.strerror}") from exc


def _add(folder: Path, number: int, form: str) -> str:
    """Make a key under this number; its id. Raises `FileExistsError` where the number was used."""
    made = LocalSigner.generate()
    path = _path(folder, number, form)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _place(_written(folder, made.pem()), path)
    others = {_PRIVATE, _WAITING, _RETIRED} - {form}
    if any(_path(folder, number, one).exists() for one in others):  # by others, meanwhile
        path.unlink(missing_ok=True)
        raise FileExistsError(errno.EEXIST, "the number was used", path.name)
    return thumbprint(dict(made.jwk))


def _let_sign(folder: Path, number: int) -> str:
    waiting = _path(folder, number, _WAITING)
    signer = LocalSigner.load(waiting)
    # A new file: its time says when the key began to sign.
    _place(_written(folder, signer.pem()), _path(folder, number, _PRIVATE))
    waiting.unlink(missing_ok=True)
    _sync(folder)
    return thumbprint(dict(signer.jwk))


def _retire(folder: Path, number: int, *, now: float, tokens_until: float) -> None:
    """Put a key's public half in its place."""
    private = _private(folder, number)
    try:
        jwk = dict(LocalSigner.load(private).jwk)
    except FileNotFoundError:
        return  # by a rotation that came right after
    with suppress(FileExistsError):  # retired already, and the private half was left over
        _place(_retired_file(folder, jwk, now, tokens_until), _path(folder, number, _RETIRED))
    for form in (_PRIVATE, _WAITING):
        _path(folder, number, form).unlink(missing_ok=True)
    _sync(folder)


def _end_grace(folder: Path, number: int, now: float) -> None:
    path = _path(folder, number, _RETIRED)
    if not path.exists():
        return
    key = _retired(path)
    if key.retired_at is not None and key.tokens_until is not None and key.tokens_until > now:
        _retired_file(folder, key.jwk, key.retired_at, now).replace(path)
        _sync(folder)


def _retired_file(
    folder: Path, jwk: Mapping[str, str], retired_at: float, tokens_until: float
) -> Path:
    document = {"jwk": dict(jwk), "retired_at": retired_at, "tokens_until": tokens_until}
    return _written(folder, json.dumps(document).encode())


def _written(folder: Path, data: bytes) -> Path:
    """A new file with this content on disk, readable by its owner alone."""
    descriptor, name = tempfile.mkstemp(dir=folder, suffix=".partial")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _place(written: Path, path: Path) -> None:
    """Give a written file its name, unless the name is taken (`FileExistsError`)."""
    try:
        # Unlike a rename, a link never takes the place of what another process made.
        path.hardlink_to(written)
    finally:
        written.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make names as durable as contents."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
