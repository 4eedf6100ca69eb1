"""`fanlight backup` and `fanlight restore`: what was kept is there again; nothing else is lost."""

import asyncio
import gzip
import io
import json
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import click
import httpx
import pytest
from alembic import command as alembic_command
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, Unavailable
from gateway.adapters.key_folder import KeyFolder, rotate
from gateway.adapters.sql import copies, opening
from gateway.adapters.sql.postgres import Postgres
from gateway.adapters.sql.truth import SqlTruth
from gateway.adapters.visitor import Visitor
from gateway.cli.archive import BadArchive, Manifest, describe, pack, unpack
from gateway.cli.backup import backup, restore
from tests.congruence.samples import ANNA, StandingClock, a_request, a_turn, a_work, named, opened
from tests.gateway.cli.test_run import TOKEN, command
from tests.servers import PASSWORD, PostgresServer, free_port


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "faq.md").write_text("locale: en\n\n## Open? {#hours}\n\nFrom nine.\n", "utf-8")
    path = tmp_path / "fanlight.toml"
    path.write_text(
        f"[gateway]\nport = {free_port()}\n"
        '[[sites]]\nkey = "site_shop"\nname = "Shop"\nkb = ["faq.md"]\n'
        'origins = ["http://localhost:1"]\n[limits]\npow_difficulty = 0\n',
        "utf-8",
    )
    return path


def invoke(which: click.Command, config: Path, *arguments: object, **environ: str) -> Result:
    given = [*map(str, arguments), "--config", str(config)]
    variables = {"FANLIGHT_OPERATOR_TOKEN": TOKEN, "FANLIGHT_DATA_DIR": "", **environ}
    return CliRunner().invoke(which, given, env=variables)


async def fill(url: str, questions: int = 1) -> None:
    """Escalations, as a gateway leaves them."""
    store = SqlTruth(url, clock=StandingClock(), deadline_s=30)
    await store.start()
    for number in range(1, questions + 1):
        escalation = opened(number, a_request(number, number))
        turn = a_turn(number, number)
        with suppress(Conflict):
            await store.commit(a_work(f"k{number}", turn=turn, escalation=escalation))
    await store.close()


async def make_tables(url: str, revision: str) -> None:
    """The tables as an older Fanlight left them."""
    store = Postgres(url, deadline_s=30, waiting_limit=9)
    await store.run(lambda one: alembic_command.upgrade(opening.configuration(one), revision))
    await store.close()


async def last_event(url: str, number: int) -> int:
    """The last that the visitor of this conversation was told."""
    store = SqlTruth(url, clock=StandingClock(), deadline_s=30)
    await store.start()
    found = await store.events(ANNA, named("c", number), 0)
    await store.close()
    return found[-1].id


async def kept(url: str) -> list[str]:
    store = SqlTruth(url, clock=StandingClock(), deadline_s=30)
    await store.start()
    found = await store.escalations(status="all", before=None, limit=999)
    await store.close()
    return sorted(one.id for one in found)


@pytest.fixture
async def data(config: Path) -> Path:
    """A data folder with an escalation, a key and an index."""
    folder = config.parent / ".fanlight"
    await fill(f"sqlite:///{folder}/fanlight.db")
    for name in ("keys/gateway.pem", "kb/site_shop-1.idx", "operator-token"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"the {name}")
        path.chmod(0o600)
    return folder


@pytest.fixture
def archive(config: Path, data: Path, tmp_path: Path) -> Path:
    file = tmp_path / "backup.fanlight"
    done = invoke(backup, config, file)
    assert done.exit_code == 0, done.output
    return file


class TestAWholeGateway:
    @pytest.fixture
    def processes(self) -> Iterator[list[subprocess.Popen[str]]]:
        running: list[subprocess.Popen[str]] = []
        yield running
        for process in running:
            process.kill()
            process.communicate(timeout=20)

    async def test_a_restored_gateway_serves_what_was_asked_before(
        self, config: Path, tmp_path: Path, processes: list[subprocess.Popen[str]]
    ) -> None:
        first, second = tmp_path / "first", tmp_path / "second"
        first.mkdir()
        file = tmp_path / "backup.fanlight"

        def start(folder: Path) -> str:
            arguments = ("--config", str(config), "--json")
            environ = {"FANLIGHT_OPERATOR_TOKEN": TOKEN}
            processes.append(command(*arguments, data=folder, **environ))
            out = processes[-1].stdout
            assert out is not None
            ready: dict[str, Any] = json.loads(out.readline())
            return str(ready["gateway"])

        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            visitor = Visitor(client, start(first), "site_shop")
            await visitor.open_session()
            turn = (await visitor.ask("Which stone is the moon made of?")).json()
            done = invoke(backup, config, file, FANLIGHT_DATA_DIR=str(first))
            assert done.exit_code == 0, "it is taken while the gateway runs"
            refused = invoke(restore, config, file, FANLIGHT_DATA_DIR=str(second))
            assert "stop the gateway first" in refused.output
            processes[-1].send_signal(signal.SIGTERM)
            processes[-1].communicate(timeout=20)
            shutil.rmtree(first)

            done = invoke(restore, config, file, FANLIGHT_DATA_DIR=str(second))
            assert done.exit_code == 0, done.output
            start(second)
            path = f"/v1/conversations/{turn['conversation_id']}/events"
            request = await visitor.request("GET", path)
            response = await client.send(request, stream=True)
            assert response.status_code == 200, "its token is still a token: the key is there"
            told = ""
            async for line in response.aiter_lines():
                told += line
                if "queued" in told:
                    break
            await response.aclose()
            assert turn["id"] in told


class TestBackup:
    def test_the_archive_is_its_owners_alone_and_says_what_it_holds(
        self, archive: Path, config: Path
    ) -> None:
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600
        with tarfile.open(archive) as tar:
            names = tar.getnames()
            manifest = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]
        parts = ["database", "operator-token", "keys/gateway.pem", "kb/site_shop-1.idx"]
        assert names == ["manifest.json", *parts]
        assert [part["name"] for part in manifest["parts"]] == parts
        assert manifest["revision"] in copies.known_revisions()
        assert sorted(one.name for one in archive.parent.iterdir() if "backup-" in one.name) == []

    def test_nothing_is_overwritten_and_a_missing_folder_is_named(
        self, archive: Path, config: Path
    ) -> None:
        before = archive.read_bytes()
        again = invoke(backup, config, archive)
        assert again.exit_code == 1
        assert "nothing is overwritten" in again.output
        assert archive.read_bytes() == before
        nowhere = invoke(backup, config, archive.parent / "no" / "x")
        assert "make it first" in nowhere.output

    def test_where_there_is_nothing_it_says_so(self, config: Path, tmp_path: Path) -> None:
        done = invoke(backup, config, tmp_path / "x")
        assert done.exit_code == 1
        assert "nothing to back up" in done.output
        assert not (tmp_path / "x").exists()

    async def test_it_is_consistent_while_others_write(
        self, config: Path, data: Path, tmp_path: Path
    ) -> None:
        url = f"sqlite:///{data}/fanlight.db"
        writer = SqlTruth(url, clock=StandingClock(), deadline_s=30)
        await writer.start()
        for number in range(2, 40):
            escalation = opened(number, a_request(number, number))
            work = a_work(f"k{number}", turn=a_turn(number, number), escalation=escalation)
            await writer.commit(work)
            if number % 10 == 0:
                file = tmp_path / f"{number}.fanlight"
                assert invoke(backup, config, file).exit_code == 0
                unpack(file, tmp_path / str(number))
        await writer.close()
        for number in (10, 20, 30):
            found = await kept(f"sqlite:///{tmp_path}/{number}/database")
            assert len(found) == number

    def test_a_rotation_meanwhile_costs_no_key(
        self, config: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        keys = data / "keys"
        shutil.rmtree(keys)
        KeyFolder(keys, clock=StandingClock())
        copy = shutil.copyfile
        turned: list[str] = []

        def rotated_first(source: Path, to: Path) -> object:
            if source.parent == keys and not turned:
                turned.append(rotate(keys, now=5.0))
            return copy(source, to)

        monkeypatch.setattr(shutil, "copyfile", rotated_first)
        file = tmp_path / "meanwhile.fanlight"
        done = invoke(backup, config, file)
        assert done.exit_code == 0, done.output
        unpack(file, tmp_path / "into")
        assert KeyFolder(tmp_path / "into" / "keys", clock=StandingClock()).signing[0] == turned[0]


class TestRestore:
    async def test_all_of_it_is_there_again(self, archive: Path, config: Path, data: Path) -> None:
        shutil.rmtree(data)
        done = invoke(restore, config, archive)
        assert done.exit_code == 0, done.output
        assert await kept(f"sqlite:///{data}/fanlight.db") == [named("e", 1)]
        for name in ("keys/gateway.pem", "kb/site_shop-1.idx", "operator-token"):
            assert (data / name).read_text() == f"the {name}"
            assert stat.S_IMODE((data / name).stat().st_mode) == 0o600
        assert stat.S_IMODE((data / "fanlight.db").stat().st_mode) == 0o600

    async def test_what_is_there_is_refused_and_with_force_moved_aside(
        self, archive: Path, config: Path, data: Path
    ) -> None:
        url = f"sqlite:///{data}/fanlight.db"
        await fill(url, 3)
        (data / "keys" / "gateway.pem").write_text("a newer key")
        refused = invoke(restore, config, archive)
        assert refused.exit_code == 1
        assert "use --force" in refused.output
        assert len(await kept(url)) == 3
        done = invoke(restore, config, archive, "--force")
        assert done.exit_code == 0, done.output
        assert await kept(url) == [named("e", 1)]
        [aside] = aside_of(data)
        assert (aside / "keys" / "gateway.pem").read_text() == "a newer key"
        assert len(await kept(f"sqlite:///{aside}/fanlight.db")) == 3

    async def test_what_comes_later_has_ids_that_no_browser_saw(
        self, archive: Path, config: Path, data: Path
    ) -> None:
        url = f"sqlite:///{data}/fanlight.db"
        await fill(url, 5)
        seen = await last_event(url, 5)
        assert invoke(restore, config, archive, "--force").exit_code == 0
        await fill(url, 2)
        assert await last_event(url, 2) > seen

    def test_a_copy_without_events_skips_ids_too(self, config: Path, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path}/.fanlight/fanlight.db"
        asyncio.run(fill(url, 0))
        file = tmp_path / "empty.fanlight"
        assert invoke(backup, config, file).exit_code == 0
        asyncio.run(fill(url, 3))
        seen = asyncio.run(last_event(url, 3))
        assert invoke(restore, config, file, "--force").exit_code == 0
        asyncio.run(fill(url, 1))
        assert asyncio.run(last_event(url, 1)) > seen

    def test_keys_that_came_or_were_retired_since_stay_so(
        self, config: Path, data: Path, tmp_path: Path
    ) -> None:
        keys = data / "keys"
        shutil.rmtree(keys)
        first, _ = KeyFolder(keys, clock=StandingClock()).signing
        file = tmp_path / "before.fanlight"
        assert invoke(backup, config, file).exit_code == 0
        second = rotate(keys, now=5.0, at_once=True)
        done = invoke(restore, config, file, "--force")
        assert done.exit_code == 0, done.output
        assert "keys rotate --at-once" in done.output
        assert sorted(one.name for one in keys.iterdir()) == [
            "gateway-2.pem",
            "gateway.retired.json",
        ]
        ring = KeyFolder(keys, clock=StandingClock())
        assert ring.signing[0] == second
        stolen = ring.find(first)
        assert stolen is not None
        assert stolen.tokens_until == 5.0

    def test_a_key_that_the_backup_knows_as_retired_does_not_come_back(
        self, config: Path, data: Path, tmp_path: Path
    ) -> None:
        keys, before = data / "keys", tmp_path / "before"
        shutil.rmtree(keys)
        KeyFolder(keys, clock=StandingClock())
        shutil.copytree(keys, before)
        second = rotate(keys, now=5.0)
        file = tmp_path / "after.fanlight"
        assert invoke(backup, config, file).exit_code == 0
        shutil.rmtree(keys)
        before.rename(keys)
        assert invoke(restore, config, file, "--force").exit_code == 0
        assert not (keys / "gateway.pem").exists()
        assert KeyFolder(keys, clock=StandingClock()).signing[0] == second

    def test_a_newer_schema_is_refused_and_nothing_is_touched(
        self, config: Path, data: Path, tmp_path: Path
    ) -> None:
        with sqlite3.connect(data / "fanlight.db") as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.close()
        file = tmp_path / "newer.fanlight"
        assert invoke(backup, config, file).exit_code == 0
        shutil.rmtree(data)
        done = invoke(restore, config, file)
        assert done.exit_code == 1
        assert "update Fanlight first" in done.output
        assert list(data.iterdir()) == []

    def test_another_kind_of_database_is_refused(self, archive: Path, config: Path) -> None:
        url = "postgresql://a@127.0.0.1:1/x"
        done = invoke(restore, config, archive, "--force", FANLIGHT_DATABASE_URL=url)
        assert done.exit_code == 1
        assert "name the same kind" in done.output

    def test_a_database_that_is_none_is_refused(
        self, config: Path, tmp_path: Path, data: Path
    ) -> None:
        file = made(tmp_path, {"database": b"this is no database" * 99})
        shutil.rmtree(data)
        done = invoke(restore, config, file)
        assert done.exit_code == 1
        assert "no database of Fanlight" in done.output
        assert list(data.iterdir()) == []


def aside_of(data: Path) -> list[Path]:
    return list(data.glob("before-restore-*"))


def made(folder: Path, contents: dict[str, bytes], **changes: Any) -> Path:
    """An archive of these parts."""
    source = folder / "source"
    files = {}
    for name, data in contents.items():
        path = source / name.replace("/", "-")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        files[name] = path
    parts = tuple(describe(name, path) for name, path in files.items())
    values: dict[str, Any] = {"form": 1, "fanlight": "0", "made_at": "", "database": "sqlite"}
    values |= {"revision": "0001", "parts": parts, **changes}
    file = folder / "made.fanlight"
    pack(file, Manifest(**values), files)
    return file


class TestDamage:
    PARTS: ClassVar = {"database": b"d" * 3000, "keys/gateway.pem": b"k" * 900}

    def test_a_changed_part_is_named(self, tmp_path: Path) -> None:
        tar = gzip.decompress(made(tmp_path, self.PARTS).read_bytes())
        for name, letter in (("database", b"d"), ("keys/gateway.pem", b"k")):
            changed = tmp_path / name.replace("/", "-")
            at = tar.index(letter * 900) + 100
            changed.write_bytes(gzip.compress(tar[:at] + b"x" + tar[at + 1 :], mtime=0))
            with pytest.raises(BadArchive, match=f"{name} is damaged"):
                unpack(changed, tmp_path / f"into-{letter.decode()}")

    def test_a_missing_part_is_named(self, tmp_path: Path) -> None:
        file = made(tmp_path, self.PARTS)
        with tarfile.open(file) as tar:
            members = [(one, tar.extractfile(one).read()) for one in tar]  # type: ignore[union-attr]
        short = tmp_path / "short"
        with tarfile.open(short, "w:gz") as tar:
            for member, data in members[:-1]:
                tar.addfile(member, io.BytesIO(data))
        with pytest.raises(BadArchive, match=r"keys/gateway\.pem is missing"):
            unpack(short, tmp_path / "into")

    @pytest.mark.parametrize(
        "name", ["../evil", "/etc/passwd", "keys/../../x", "kb/.hidden", "other", "keys/a/b"]
    )
    def test_a_name_that_is_none_of_a_backups_is_refused(self, tmp_path: Path, name: str) -> None:
        file = made(tmp_path, {"database": b"d", name: b"x"})
        with pytest.raises(BadArchive):
            unpack(file, tmp_path / "into")
        assert not (tmp_path / "evil").exists()

    def test_a_newer_form_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BadArchive, match="update Fanlight"):
            unpack(made(tmp_path, self.PARTS, form=2), tmp_path / "into")

    def test_what_is_no_archive_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "x"
        with pytest.raises(BadArchive, match="No such file"):
            unpack(file, tmp_path / "into")
        for content in (
            b"",
            b"text",
            gzip.compress(b"text", mtime=0),
            gzip.compress(b"\0" * 2048, mtime=0),
        ):
            file.write_bytes(content)
            with pytest.raises(BadArchive):
                unpack(file, tmp_path / "into")

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(st.data())
    def test_no_damage_passes(self, tmp_path: Path, data: st.DataObject) -> None:
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        noise = random.Random(1).randbytes(3000)
        whole = made(tmp_path, {"database": noise, "keys/gateway.pem": b"k" * 900}).read_bytes()
        at = data.draw(st.integers(0, 10**6)) % len(whole)
        if data.draw(st.booleans()):
            damaged = whole[:at]
        else:
            damaged = whole[:at] + bytes([whole[at] ^ (1 << data.draw(st.integers(0, 7)))])
            damaged += whole[at + 1 :]
        file, into = tmp_path / "damaged", tmp_path / "into"
        file.write_bytes(damaged)
        try:
            unpack(file, into)
        except BadArchive:
            return
        # Some bits of the wrapping mean nothing; what comes out is what went in.
        assert (into / "database").read_bytes() == noise
        assert (into / "keys" / "gateway.pem").read_bytes() == b"k" * 900


@pytest.mark.needs("postgresql")
class TestPostgresql:
    def test_a_database_is_backed_up_and_restored_whole(
        self, config: Path, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        first, second = postgres_server.create_database(), postgres_server.create_database()
        asyncio.run(fill(first, 3))
        file = tmp_path / "backup.fanlight"
        done = invoke(backup, config, file, FANLIGHT_DATABASE_URL=first)
        assert done.exit_code == 0, done.output
        done = invoke(restore, config, file, FANLIGHT_DATABASE_URL=second)
        assert done.exit_code == 0, done.output
        assert asyncio.run(kept(second)) == [named("e", number) for number in (1, 2, 3)]
        asyncio.run(fill(first, 4))
        seen = asyncio.run(last_event(first, 4))
        refused = invoke(restore, config, file, FANLIGHT_DATABASE_URL=first)
        assert "the database is not empty" in refused.output
        assert len(asyncio.run(kept(first))) == 4
        done = invoke(restore, config, file, "--force", FANLIGHT_DATABASE_URL=first)
        assert done.exit_code == 0, done.output
        assert len(asyncio.run(kept(first))) == 3
        asyncio.run(fill(first, 5))
        assert len(asyncio.run(kept(first))) == 5
        assert asyncio.run(last_event(first, 5)) > seen + copies.SKIPPED // 2

    @pytest.mark.parametrize("revision", sorted(copies.known_revisions()))
    def test_a_backup_from_before_an_upgrade_takes_the_newer_tables_away(
        self, config: Path, tmp_path: Path, postgres_server: PostgresServer, revision: str
    ) -> None:
        url = postgres_server.create_database()
        name = url.rpartition("/")[2]
        asyncio.run(make_tables(url, revision))
        postgres_server.run_sql("INSERT INTO conversations VALUES ('c', 's', 'x', 0)", name)
        file = tmp_path / "before.fanlight"
        done = invoke(backup, config, file, FANLIGHT_DATABASE_URL=url)
        assert done.exit_code == 0, done.output
        asyncio.run(fill(url, 2))
        done = invoke(restore, config, file, "--force", FANLIGHT_DATABASE_URL=url)
        assert done.exit_code == 0, done.output
        found = postgres_server.run_sql("SELECT version_num FROM alembic_version", name)
        assert found == revision
        assert postgres_server.run_sql("SELECT id FROM conversations", name) == "c"
        asyncio.run(fill(url, 3))
        assert len(asyncio.run(kept(url))) == 3

    def test_a_restore_that_fails_leaves_the_database_as_it_was(
        self, config: Path, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        url = postgres_server.create_database()
        asyncio.run(fill(url, 2))
        file = tmp_path / "backup.fanlight"
        assert invoke(backup, config, file, FANLIGHT_DATABASE_URL=url).exit_code == 0
        asyncio.run(fill(url, 3))
        whole = tmp_path / "whole"
        unpack(file, whole)
        dump = (whole / "database").read_bytes()
        for at in range(len(dump) // 2, len(dump), len(dump) // 8):
            cut = tmp_path / f"cut-{at}"
            cut.mkdir()
            (cut / "database").write_bytes(dump[:at])
            with pytest.raises(Unavailable):
                copies.restore_postgres(url, cut / "database")
        assert len(asyncio.run(kept(url))) == 3

    def test_what_fails_is_said_without_the_password(
        self, config: Path, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        empty = postgres_server.create_database()
        for url, words in (
            (empty, "nothing to back up"),
            (postgres_server.url("nowhere"), "does not exist"),
        ):
            done = invoke(backup, config, tmp_path / "x", FANLIGHT_DATABASE_URL=url)
            assert done.exit_code == 1
            assert words in done.output
            assert PASSWORD not in done.output

    def test_a_missing_program_is_named_with_the_remedy(
        self, config: Path, tmp_path: Path, postgres_server: PostgresServer
    ) -> None:
        postgres_server.run_sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num text)")
        url = postgres_server.url()
        done = invoke(backup, config, tmp_path / "x", FANLIGHT_DATABASE_URL=url, PATH="/nowhere")
        assert done.exit_code == 1
        assert "postgresql-client" in done.output


def test_a_password_is_taken_out_of_an_address() -> None:
    assert copies.without_password("postgresql://anna:p%40ss@db:5432/x?sslmode=require") == (
        "postgresql://anna@db:5432/x?sslmode=require",
        "p@ss",
    )
    assert copies.without_password("postgresql://db/x") == ("postgresql://db/x", "")
