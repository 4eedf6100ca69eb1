"""`fanlight run`, as the process that a person starts."""

import asyncio
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.cli.knowledge import prepare
from gateway.cli.output import Output
from gateway.cli.serving import CannotServe, Listener, bind, refusal, serve
from gateway.configuration import demo_settings
from gateway.demo.app import create_demo
from tests.kept_knowledge import bring, keep

TOKEN = "a-token-that-is-long-enough-1"
STARTED_S = 120
STOPPED_S = 30


@dataclass
class Started:
    """A running `fanlight run --json` and what it printed when it was ready."""

    process: subprocess.Popen[str]
    ready: dict[str, Any]

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=STOPPED_S)
        return self.process.returncode, errors


def command(*arguments: str, data: Path, **environ: str) -> subprocess.Popen[str]:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("FANLIGHT_")}
    code = "import sys; from gateway.cli.entry import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, "run", *arguments],
        env={**variables, "FANLIGHT_DATA_DIR": str(data), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=data,
        start_new_session=True,
    )


def ended(*arguments: str, data: Path, **environ: str) -> tuple[int, str, str]:
    process = command(*arguments, data=data, **environ)
    out, errors = process.communicate(timeout=STARTED_S)
    return process.returncode, out, errors


@pytest.fixture
def ports() -> tuple[int, int]:
    """Two ports that were free a moment ago."""
    with socket.socket() as one, socket.socket() as two:
        for probe in (one, two):
            probe.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's index, built once; every start that finds it is quick."""
    folder = tmp_path_factory.mktemp("built")
    settings = demo_settings(folder, {"FANLIGHT_OPERATOR_TOKEN": TOKEN})
    bring(folder)
    prepare(settings.sites[0], folder, Output().progress)
    keep(folder)
    return folder / "kb"


@pytest.fixture
def start(tmp_path: Path, ports: tuple[int, int], built: Path) -> Iterator[Callable[..., Started]]:
    shutil.copytree(built, tmp_path / "kb")
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environ: str) -> Started:
        port, page = map(str, ports)
        given = (*arguments, "--json", "--port", port, "--demo-port", page)
        process = command(*given, data=tmp_path, **environ)
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=STARTED_S)[1]
        return Started(process, json.loads(line))

    yield start
    for process in processes:
        process.kill()
        process.communicate(timeout=STOPPED_S)


@pytest.fixture
def config(tmp_path: Path, ports: tuple[int, int]) -> Path:
    (tmp_path / "faq.md").write_text(
        "locale: en\n\n## When are you open? {#hours}\n\nFrom nine.\n\n## Bad {#bad}\n",
        encoding="utf-8",
    )
    path = tmp_path / "fanlight.toml"
    path.write_text(
        '[[sites]]\nkey = "site_shop"\nname = "Shop"\nkb = ["faq.md"]\n'
        f'origins = ["http://localhost:{ports[1]}"]\n',
        encoding="utf-8",
    )
    return path


def test_the_demo_runs_and_stops_in_order(
    start: Callable[..., Started], tmp_path: Path, ports: tuple[int, int]
) -> None:
    port, page = ports
    running = start("--demo")
    assert running.ready["page"] == f"http://localhost:{page}"
    assert running.ready["chats"] == {"site_demo": f"http://localhost:{port}/chat/site_demo"}
    token = (tmp_path / "operator-token").read_text(encoding="ascii").strip()
    assert running.ready["operator_token"] == token
    health = httpx.get(f"http://127.0.0.1:{port}/health")
    assert health.status_code == 200
    assert "server" not in health.headers
    # `localhost` may mean either loopback.
    for host in ("127.0.0.1", "localhost"):
        shown = httpx.get(f"http://{host}:{page}/")
        assert f'src="http://localhost:{port}/loader.js"' in shown.text
    status, errors = running.stop()
    assert status == 0
    assert errors == "Stopped.\n", "the kept index was found"
    assert (tmp_path / ".gitignore").read_text(encoding="ascii") == "*\n"
    assert list((tmp_path / "kb").glob("site_demo-*.idx"))


def test_a_configured_site_runs_with_a_page_and_sigterm_stops_it(
    start: Callable[..., Started], config: Path
) -> None:
    running = start("--demo", "--config", str(config), FANLIGHT_OPERATOR_TOKEN=TOKEN)
    assert running.ready["operator_token"] is None
    assert 'data-site="site_shop"' in httpx.get(running.ready["page"]).text
    status, errors = running.stop(signal.SIGTERM)
    assert status == 0
    assert "faq.md:7: " in errors
    assert "web assets" in errors or (Path(__file__).parents[3] / "web/dist/panel.html").exists()


def test_people_are_told_the_addresses_and_what_to_try(
    tmp_path: Path, ports: tuple[int, int], built: Path
) -> None:
    shutil.copytree(built, tmp_path / "kb")
    port, page = map(str, ports)
    process = command("--demo", "--port", port, "--demo-port", page, data=tmp_path)
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "No model is set" in line:
                break
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=STOPPED_S)
    told = "".join(lines)
    assert process.returncode == 0
    for address in (f"http://localhost:{page}", f"http://console.localhost:{port}"):
        assert address in told
    assert "Three things to try:" in told
    assert (tmp_path / "operator-token").read_text(encoding="ascii").strip() in told


def test_without_the_demo_there_is_no_page(start: Callable[..., Started], config: Path) -> None:
    running = start("--config", str(config), FANLIGHT_OPERATOR_TOKEN=TOKEN)
    assert running.ready["page"] is None
    assert httpx.get(f"{running.ready['gateway']}/health").status_code == 200
    assert running.stop()[0] == 0


@pytest.mark.parametrize("taken", [0, 1])
def test_a_taken_port_is_one_line_with_the_remedy(
    tmp_path: Path, ports: tuple[int, int], taken: int
) -> None:
    with socket.create_server(("127.0.0.1", ports[taken])):
        port, page = map(str, ports)
        status, _, errors = ended("--demo", "--port", port, "--demo-port", page, data=tmp_path)
    option = ("--port", "--demo-port")[taken]
    assert status == 1
    assert errors.strip() == (
        f"Error: Port {ports[taken]} is in use. Choose another with {option}."
    )


def test_a_second_ctrl_c_cuts_off_a_request_under_way(
    start: Callable[..., Started], ports: tuple[int, int]
) -> None:
    running = start("--demo")
    with socket.create_connection(("127.0.0.1", ports[0])) as client:
        # A body that never comes whole keeps the request under way.
        client.sendall(
            b"POST /v1/challenges HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\ncontent-length: 100\r\n"
            b"expect: 100-continue\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 100"), "the app has begun to read"
        running.process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(1)
        status, errors = running.stop()
    assert status == 130
    assert "cut off" in errors


def test_ctrl_c_while_a_knowledge_base_is_read_ends_at_once(
    config: Path, tmp_path: Path, ports: tuple[int, int]
) -> None:
    (tmp_path / "faq.md").unlink()
    os.mkfifo(tmp_path / "faq.md")
    process = command(
        *("--config", str(config), "--port", str(ports[0])),
        data=tmp_path,
        FANLIGHT_OPERATOR_TOKEN=TOKEN,
    )
    # Opens once the other side reads, which it then does until there is an end.
    with (tmp_path / "faq.md").open("wb"):
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=STOPPED_S)
    assert process.returncode == 130
    assert "Traceback" not in errors


def test_what_a_start_finds_wrong_is_told_and_does_not_stop_it(
    start: Callable[..., Started], config: Path, tmp_path: Path
) -> None:
    rows = "\n".join(f"r{number},en,," for number in range(12))
    (tmp_path / "faq.md").unlink()
    (tmp_path / "faq.csv").write_text(f"id,locale,question,answer\n{rows}\n", encoding="utf-8")
    text = config.read_text(encoding="utf-8").replace("faq.md", "faq.csv")
    config.write_text('[gateway]\nweb_dir = "nowhere"\n\n' + text, encoding="utf-8")
    running = start("--config", str(config), FANLIGHT_OPERATOR_TOKEN=TOKEN)
    status, errors = running.stop()
    assert status == 0
    assert errors.count("faq.csv:") == 10
    assert "… and 2 more rows" in errors
    assert "there is no panel" in errors


def test_flawed_settings_are_listed_and_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "fanlight.toml").write_text("[gatway]\n", encoding="utf-8")
    status, out, errors = ended("--json", data=tmp_path)
    assert status == 1
    assert [flaw["key"] for flaw in json.loads(out)["flaws"]] == [
        "gatway",
        "sites",
        "FANLIGHT_OPERATOR_TOKEN",
    ]
    assert "Did you mean gateway?" in errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fanlight.toml"]


def test_a_site_that_the_page_may_not_embed_is_refused(config: Path, tmp_path: Path) -> None:
    status, _, errors = ended(
        *("--demo", "--config", str(config), "--demo-port", "1"),
        data=tmp_path,
        FANLIGHT_OPERATOR_TOKEN=TOKEN,
    )
    assert status == 1
    assert 'Add "http://localhost:1"' in errors


def test_a_data_folder_that_cannot_be_made_is_one_line(
    config: Path, tmp_path: Path, ports: tuple[int, int]
) -> None:
    status, out, errors = ended(
        *("--config", str(config), "--port", str(ports[0]), "--json"),
        data=tmp_path,
        FANLIGHT_OPERATOR_TOKEN=TOKEN,
        FANLIGHT_DATA_DIR=str(config),
    )
    assert status == 1
    assert "FANLIGHT_DATA_DIR" in json.loads(out)["detail"]
    assert "Traceback" not in errors


def test_loopback_is_bound_in_both_families(free_port: int) -> None:
    sockets = bind("127.0.0.1", free_port, "--port")
    try:
        names = {made.getsockname()[0] for made in sockets}
    finally:
        for made in sockets:
            made.close()
    assert "127.0.0.1" in names
    assert names <= {"127.0.0.1", "::1"}


async def test_each_part_of_an_answer_is_sent_at_once(free_port: int) -> None:
    (only,) = bind("127.0.0.1", free_port, "--port", {})
    at_once: asyncio.Queue[int] = asyncio.Queue()

    async def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        await at_once.put(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(connected, sock=only):
        _, writer = await asyncio.open_connection("127.0.0.1", free_port)
        assert await at_once.get() == 1
        writer.close()


def test_a_machine_without_the_other_loopback_has_one_socket(free_port: int) -> None:
    (only,) = bind("127.0.0.1", free_port, "--port", {"127.0.0.1": "2001:db8::7"})
    assert only.getsockname()[0] == "127.0.0.1"
    only.close()


def test_all_networks_are_bound_when_asked_for(free_port: int) -> None:
    (only,) = bind("0.0.0.0", free_port, "--port")  # noqa: S104 - what is tested
    assert only.getsockname() == ("0.0.0.0", free_port)  # noqa: S104
    only.close()


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EADDRINUSE, "Port 80 is in use. Choose another with --port."),
        (errno.EACCES, "Port 80 needs more rights. Choose one above 1023 with --port."),
        (errno.EAFNOSUPPORT, "This machine has no address ::1. Set gateway.host to one it has."),
        (errno.EMFILE, "::1:80 cannot be listened on: Too many open files."),
    ],
)
def test_a_socket_that_cannot_be_had_is_explained(number: int, told: str) -> None:
    assert str(refusal(OSError(number, os.strerror(number)), "::1", 80, "--port")) == told


def test_a_port_taken_on_the_other_loopback_is_refused(free_port: int) -> None:
    try:
        blocker = socket.create_server(("::1", free_port), family=socket.AF_INET6)
    except OSError as error:
        if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            raise
        return  # no IPv6 here: nothing can be in the way
    with blocker, pytest.raises(CannotServe, match="is in use"):
        bind("127.0.0.1", free_port, "--port")


@pytest.mark.parametrize(
    ("host", "remedy"), [("203.0.113.7", "Set gateway.host"), ("2001:db8::7", "Set gateway.host")]
)
def test_an_address_of_another_machine_is_refused(host: str, remedy: str, free_port: int) -> None:
    with pytest.raises(CannotServe, match=remedy):
        bind(host, free_port, "--port")


async def test_an_app_that_does_not_start_ends_all(free_port: int) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    sockets = bind("127.0.0.1", free_port, "--port")
    with pytest.raises(CannotServe, match="did not start"):
        await serve(
            [Listener(broken, sockets, lifespan=True)], ready=lambda: None, stopping=lambda: None
        )
    for made in sockets:
        made.close()


async def test_a_second_signal_cuts_off_what_is_under_way(free_port: int) -> None:
    entered = asyncio.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        entered.set()
        await asyncio.Event().wait()

    stopped: list[str] = []
    listener = Listener(endless, bind("127.0.0.1", free_port, "--port"), lifespan=False)
    serving = asyncio.create_task(
        serve([listener], ready=lambda: None, stopping=lambda: stopped.append("asked"))
    )
    _, writer = await asyncio.open_connection("127.0.0.1", free_port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    await entered.wait()
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(0.3)
    assert stopped == ["asked"]
    assert not serving.done()
    os.kill(os.getpid(), signal.SIGINT)
    assert await serving is False
    writer.close()


@pytest.mark.parametrize(
    ("trusted", "client"),
    [
        ((), "127.0.0.1"),
        (("127.0.0.1",), "203.0.113.7"),
        (("10.0.0.0/8",), "127.0.0.1"),
        (("127.0.0.0/8", "203.0.113.7"), "198.51.100.9"),
    ],
)
async def test_only_a_trusted_proxy_says_whose_request_it_is(
    free_port: int, trusted: tuple[str, ...], client: str
) -> None:
    async def who(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["client"][0].encode()})

    ready = asyncio.Event()
    sockets = bind("127.0.0.1", free_port, "--port")
    listener = Listener(who, sockets, lifespan=False, trusted_proxies=trusted)
    serving = asyncio.create_task(serve([listener], ready=ready.set, stopping=lambda: None))
    await ready.wait()
    async with httpx.AsyncClient() as visitor:
        headers = {"x-forwarded-for": "198.51.100.9, 203.0.113.7"}
        response = await visitor.get(f"http://127.0.0.1:{free_port}/", headers=headers)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await serving is True
    assert response.text == client


async def test_a_cancelled_server_is_cancelled_and_gives_the_signals_back(free_port: int) -> None:
    before = signal.getsignal(signal.SIGTERM)
    ready = asyncio.Event()
    listener = Listener(
        create_demo("http://x", "s"), bind("127.0.0.1", free_port, "--port"), lifespan=False
    )
    serving = asyncio.create_task(serve([listener], ready=ready.set, stopping=lambda: None))
    await ready.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert signal.getsignal(signal.SIGTERM) is before
    for made in listener.sockets:
        made.close()
