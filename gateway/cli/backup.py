"""`fanlight backup` and `fanlight restore`: everything that a gateway keeps, in one file.

It decides what belongs together: the database, the gateway's keys, the indexes, and the demo's
operator token. `backup` may run beside the gateway. `restore` wants it stopped; it refuses a data
folder or a database that holds something, and with `--force` moves a folder's files aside rather
than delete them; keys that came or were retired since the backup stay so. Nothing is put in place
before the whole archive has been checked.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from core.encoding import timestamp
from core.errors import FanlightError, Unavailable
from gateway import __version__
from gateway.adapters.key_folder import keep_known
from gateway.adapters.sql import copies
from gateway.adapters.sql.opening import is_postgresql
from gateway.adapters.sql.sole_file import refuse_held
from gateway.cli.archive import FORM, BadArchive, Manifest, describe, pack, unpack
from gateway.cli.output import Output, as_rows, json_option
from gateway.configuration import ConfigurationError, read_settings
from gateway.settings import Settings

DATABASE: Final = "database"
TOKEN: Final = "operator-token"  # noqa: S105 - a file name
TRIES: Final = 10
KEYS: Final = "keys"
FOLDERS: Final = (KEYS, "kb")
ASIDE: Final = "before-restore-"
_FILE: Final = click.Path(path_type=Path, dir_okay=False)
_config = click.option("--config", type=_FILE, help="Instead of ./fanlight.toml.")


@click.command("backup")
@click.argument("file", type=_FILE)
@_config
@json_option
def backup(file: Path, config: Path | None, as_json: bool) -> None:
    """Write the database, the keys and the indexes into FILE, while the gateway runs or not."""
    output = Output(as_json)
    with _told(output):
        manifest = _back_up(read_settings(config, os.environ), file)
        output.result({"file": str(file), **asdict(manifest)})
        output.show(f"✓ {file}: {len(manifest.parts)} parts, tables of {manifest.revision}")
        output.show("  It holds visitors' words and the gateway's keys: keep it to yourself.")


@click.command("restore")
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Although there is something: it is moved aside.")
@_config
@json_option
def restore(file: Path, force: bool, config: Path | None, as_json: bool) -> None:
    """Put what FILE holds into the data folder and the database; stop the gateway first."""
    output = Output(as_json)
    with _told(output):
        settings = read_settings(config, os.environ)
        _refuse_running(settings)
        manifest = _restore(settings, file, force=force)
        output.result({"restored": str(file), **asdict(manifest)})
        output.show(f"✓ {file} of {manifest.made_at} is in {settings.data_dir}", "  fanlight run")
        output.show(
            "  Were keys rotated, or sessions ended, since then? fanlight keys rotate --at-once"
        )


@contextmanager
def _told(output: Output) -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        output.flaws(error.flaws)
        output.result({"flaws": as_rows(error.flaws)})
        raise SystemExit(1) from error
    except (FanlightError, OSError) as error:
        output.result({"detail": str(error)})
        raise click.ClickException(str(error)) from error


def _back_up(settings: Settings, file: Path) -> Manifest:
    if not file.parent.is_dir():
        raise BadArchive(f"there is no folder {file.parent}: make it first")
    # Beside the archive: that disk must have room for it, and the folder is its owner's alone.
    with TemporaryDirectory(prefix=".fanlight-backup-", dir=file.parent) as folder:
        copy = Path(folder) / DATABASE
        url = settings.database_url
        postgres = is_postgresql(url)
        revision = copies.dump_postgres(url, copy) if postgres else copies.copy_sqlite(url, copy)
        files = {DATABASE: copy, **_copied(settings.data_dir, Path(folder))}
        manifest = Manifest(
            form=FORM,
            fanlight=__version__,
            made_at=timestamp(time.time()),
            database="postgresql" if postgres else "sqlite",
            revision=revision,
            parts=tuple(describe(name, path) for name, path in files.items()),
        )
        pack(file, manifest, files)
    return manifest


def _copied(data_dir: Path, folder: Path) -> dict[str, Path]:
    """Copies that stay as they are; an index that was replaced meanwhile is left out.

    Of the keys none is: a rotation meanwhile takes one away and adds another, and both are copied.
    """
    files = _kept_files(data_dir)
    found = _copy(files, folder)
    for _ in range(TRIES):
        again = _kept_files(data_dir)
        if _keys(again) == _keys(files):
            return found
        files = again
        found = {name: path for name, path in found.items() if name not in _keys(found)}
        found |= _copy({name: files[name] for name in _keys(files)}, folder)
    raise Unavailable("the keys change all the time: back up when no rotation is under way")


def _keys(files: Mapping[str, Path]) -> set[str]:
    return {name for name in files if name.startswith(f"{KEYS}/")}


def _copy(files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    found = {}
    for name, path in files.items():
        copy = folder / name
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            shutil.copyfile(path, copy)
            found[name] = copy
    return found


def _kept_files(data_dir: Path) -> dict[str, Path]:
    """The files beside the database: a new index that is being written has another name."""
    found = {TOKEN: data_dir / TOKEN} if (data_dir / TOKEN).is_file() else {}
    for folder in FOLDERS:
        for path in sorted((data_dir / folder).glob("*")):
            if path.is_file() and path.suffix != ".partial" and not path.name.startswith("."):
                found[f"{folder}/{path.name}"] = path
    return found


def _restore(settings: Settings, file: Path, *, force: bool) -> Manifest:
    data_dir, url = settings.data_dir, settings.database_url
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".fanlight-restore-", dir=data_dir) as name:
        folder = Path(name)
        manifest = unpack(file, folder)
        _refuse_unknown(manifest, url)
        if manifest.database == "sqlite":
            copies.sqlite_revision(folder / DATABASE)
            copies.skip_ids_sqlite(folder / DATABASE)
        if not force:
            _refuse_occupied(settings)
        if manifest.database == "postgresql":
            # First what may fail: all or nothing, and the files are still where they were.
            copies.restore_postgres(url, folder / DATABASE)
            aside = _move_aside(settings)
        else:
            aside = _move_aside(settings)
            path = copies.sqlite_path(url)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.move(folder / DATABASE, path)
        for part in manifest.parts:
            if part.name != DATABASE:
                (data_dir / part.name).parent.mkdir(mode=0o700, exist_ok=True)
                shutil.move(folder / part.name, data_dir / part.name)
    if aside is not None and (aside / KEYS).is_dir():
        (data_dir / KEYS).mkdir(mode=0o700, exist_ok=True)
        keep_known(data_dir / KEYS, aside / KEYS)
    return manifest


def _refuse_unknown(manifest: Manifest, url: str) -> None:
    wanted = "postgresql" if is_postgresql(url) else "sqlite"
    if manifest.database != wanted:
        raise BadArchive(
            f"the backup is of {manifest.database}, and database_url names {wanted}:"
            " name the same kind, and restore it there"
        )
    if manifest.revision not in copies.known_revisions():
        raise BadArchive(
            f"a newer Fanlight ({manifest.fanlight}) made this backup: update Fanlight first"
        )


def _refuse_occupied(settings: Settings) -> None:
    where: Path | str | None = None
    if _occupied(settings):
        where = settings.data_dir
    elif is_postgresql(settings.database_url) and not copies.postgres_is_empty(
        settings.database_url
    ):
        where = "the database"
    if where:
        raise BadArchive(f"{where} is not empty: restore into an empty one, or use --force")


def _move_aside(settings: Settings) -> Path | None:
    """Nothing of the owner's is deleted; where it is now."""
    occupied = _occupied(settings)
    if not occupied:
        return None
    aside = settings.data_dir / f"{ASIDE}{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
    aside.mkdir(mode=0o700)
    for path in occupied:
        shutil.move(path, aside / path.name)
    return aside


def _occupied(settings: Settings) -> list[Path]:
    found = [settings.data_dir / name for name in (*FOLDERS, TOKEN)]
    if not is_postgresql(settings.database_url):
        path = copies.sqlite_path(settings.database_url)
        found += [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]
    return [path for path in found if path.exists() and not _is_empty_folder(path)]


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _refuse_running(settings: Settings) -> None:
    """A gateway that runs would go on writing into what is moved aside."""
    if not is_postgresql(settings.database_url):
        refuse_held(settings.database_url)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex((host, settings.port)) == 0:
            raise Unavailable(f"something answers on port {settings.port}: stop the gateway first")
