"""`fanlight init` and `fanlight check`."""

import json
import os
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.builders import meaning
from gateway.cli.inspection import ASSETS
from gateway.cli.setup import check, init
from gateway.cli.starter import starter_files
from gateway.configuration import parse_settings
from kb import Entry, build_index
from kb.embed import load_embedding
from tests.small_embedding import small_embedding

TOKEN = "a-token-that-is-long-enough-1"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("FANLIGHT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    folder.mkdir()
    for name in ASSETS:
        (folder / name).write_text("__FANLIGHT_GATEWAY__", encoding="utf-8")
    return folder


def invoke(command: Any, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def configure(text: str = "", gateway: str = "") -> None:
    """A fresh starter in the working folder, with the web assets of the fixture."""
    invoke(init)
    path = Path("fanlight.toml")
    made = path.read_text(encoding="utf-8").replace(
        "[gateway]", f'[gateway]\nweb_dir = "web"\n{gateway}'
    )
    path.write_text(made + text, encoding="utf-8")


def findings(*arguments: str, status: int) -> dict[str, list[dict[str, str]]]:
    result = invoke(check, "--json", *arguments)
    assert result.exit_code == status, result.output
    shown = json.loads(result.stdout)
    assert shown["ok"] is (status == 0)
    by_name: dict[str, list[dict[str, str]]] = {}
    for row in shown["checks"]:
        by_name.setdefault(row["name"], []).append(row)
    return by_name


def test_init_writes_what_check_and_run_accept(web: Path) -> None:
    configure()
    found = findings(status=0)
    assert found["knowledge base"][0]["detail"] == "4 entries (en)"
    assert found["data folder"][0]["detail"] == ".fanlight will be made on the first run"


def test_init_makes_the_folder_and_says_the_next_three_steps() -> None:
    result = invoke(init, "deep/shop & co", "--json")
    shown = json.loads(result.stdout)
    assert shown["written"] == ["fanlight.toml", "kb/faq.en.md", ".env.example"]
    assert len(shown["next"]) == 3
    settings = tomllib.loads(Path("deep/shop & co/fanlight.toml").read_text(encoding="utf-8"))
    assert settings["sites"][0]["key"] == "site_shop_co"
    assert settings["sites"][0]["name"] == "shop & co"


def test_init_never_overwrites() -> None:
    Path("fanlight.toml").write_text("mine", encoding="utf-8")
    result = invoke(init)
    assert result.exit_code == 0
    assert Path("fanlight.toml").read_text(encoding="utf-8") == "mine"
    assert "fanlight.toml is there already" in result.stdout
    assert Path("kb/faq.en.md").exists()


def test_init_says_where_it_cannot_write() -> None:
    Path("kb").write_text("in the way", encoding="utf-8")
    result = invoke(init)
    assert result.exit_code == 1
    assert "Choose a folder that you may write to." in result.output


@pytest.mark.parametrize("name", ['"quoted" \\', "日本", "a" * 99, "---"])
def test_any_folder_name_gives_settings_without_a_flaw(tmp_path: Path, name: str) -> None:
    document = tomllib.loads(starter_files(tmp_path / name)["fanlight.toml"])
    assert parse_settings(document, {"FANLIGHT_OPERATOR_TOKEN": TOKEN}, tmp_path)[1] == []


def test_check_shows_people_key_and_remedy_and_fails(web: Path) -> None:
    configure('\n[modle]\nurl = "x"\n')
    result = invoke(check)
    assert result.exit_code == 1
    assert "modle" in result.stdout
    assert "Did you mean model?" in result.stdout
    assert "1 to mend." in result.stdout


def test_check_tells_people_when_all_is_well(web: Path) -> None:
    configure()
    result = invoke(check)
    assert result.exit_code == 0
    assert "Ready: fanlight run" in result.stdout


def test_check_without_a_file_names_it_and_stops_there() -> None:
    found = findings("--config", "other.toml", status=1)
    assert list(found) == ["settings"]
    assert found["settings"][0]["key"] == "other.toml"


def test_check_names_a_weak_token(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", "admin")
    (row,) = findings(status=1)["operator token"]
    assert row["state"] == "failed"


def test_check_names_file_and_line_of_every_bad_row(web: Path) -> None:
    configure()
    Path("kb/rows.csv").write_text("id,locale,question,answer\nx,en,,\n", encoding="utf-8")
    rows = findings(status=1)["knowledge base"]
    assert [row["state"] for row in rows] == ["failed", "ok"]
    assert rows[0]["detail"].startswith("kb/rows.csv:2: ")


def test_check_fails_when_there_is_no_entry_at_all(web: Path) -> None:
    configure()
    Path("kb/faq.en.md").unlink()
    (row,) = findings(status=1)["knowledge base"]
    assert "no entry" in row["detail"]


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (build_index([Entry("a", "en", "Where?", "Here.")]), 0, "1 entries (en)"),
        (b"damaged", 1, "not an index"),
    ],
)
def test_check_reads_a_given_index(web: Path, content: bytes, status: int, detail: str) -> None:
    configure()
    Path("a.idx").write_bytes(content)
    path = Path("fanlight.toml")
    text = path.read_text(encoding="utf-8").replace('kb = ["kb"]', 'kb = ["a.idx"]')
    path.write_text(text, encoding="utf-8")
    (row,) = findings(status=status)["knowledge base"]
    assert detail in row["detail"]


@pytest.mark.parametrize("seed", [None, 1], ids=["words alone", "another embedding"])
def test_check_says_when_a_given_index_knows_no_meanings_here(web: Path, seed: int | None) -> None:
    configure()
    table = load_embedding(small_embedding(seed)) if seed else None
    Path("a.idx").write_bytes(build_index([Entry("a", "en", "Where?", "Here.")], embedding=table))
    path = Path("fanlight.toml")
    text = path.read_text(encoding="utf-8").replace('kb = ["kb"]', 'kb = ["a.idx"]')
    path.write_text(text, encoding="utf-8")
    (row,) = findings(status=0)["knowledge base"]
    assert ("it knows no meanings here" in row["detail"]) == (meaning() is not None)


def test_check_names_missing_web_assets(web: Path) -> None:
    configure()
    (web / "sw.js").unlink()
    (row,) = findings(status=1)["web assets"]
    assert row["detail"].endswith("lacks sw.js")


def test_check_names_a_loader_that_cannot_know_its_gateway(web: Path) -> None:
    configure()
    (web / "loader.js").write_text("", encoding="utf-8")
    (row,) = findings(status=1)["web assets"]
    assert row["detail"].endswith("has no place for this gateway's address")


def test_check_says_which_pages_may_embed_a_site(web: Path) -> None:
    configure()
    (row,) = findings(status=0)["embedding"]
    assert row["detail"].startswith("https://www.example.com, http://localhost:8001; ")
    assert "`fanlight embed site_" in row["detail"]


def test_check_names_a_data_folder_that_cannot_be_written(web: Path) -> None:
    configure(gateway='data_dir = "blocked"')
    Path("blocked").write_text("", encoding="utf-8")
    (row,) = findings(status=1)["data folder"]
    assert "FANLIGHT_DATA_DIR" in row["remedy"]


def test_check_says_when_the_data_folder_is_there(web: Path) -> None:
    configure()
    Path(".fanlight").mkdir()
    assert findings(status=0)["data folder"][0]["detail"] == ".fanlight can be written"


class ModelHandler(BaseHTTPRequestHandler):
    """Answers with the status that the path names; /hang does not answer before the test ends."""

    ended = Event()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.path.startswith("/hang"):
            self.ended.wait(30)
            return
        wanted = self.path.split("/", 2)[1]
        self.send_response(200 if wanted == "garbage" else int(wanted))
        self.end_headers()
        event = "{" if wanted == "garbage" else '{"choices": [{"delta": {"content": "Hi"}}]}'
        self.wfile.write(f"data: {event}\n\ndata: [DONE]\n\n".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def model_server() -> Iterator[Callable[[str], str]]:
    ModelHandler.ended.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), ModelHandler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield lambda path: f"127.0.0.1:{server.server_port}/{path}"
    ModelHandler.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


def model(address: str) -> None:
    configure(
        f'\n[model]\nurl = "http://{address}"\nmodel = "m"\n',
        gateway=f'private_endpoints = ["{address.partition("/")[0]}"]',
    )


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("200", 0, "answers"),
        ("401", 1, "answered 401"),
        ("503", 1, "answered 503"),
        ("garbage", 1, "something else than its dialect"),
        ("hang", 1, "no answer within 3 s"),
    ],
)
def test_check_online_calls_the_model_server(
    web: Path, model_server: Callable[[str], str], path: str, status: int, detail: str
) -> None:
    Path(".env").write_text("FANLIGHT_LLM_KEY=sk-1\n", encoding="utf-8")
    model(model_server(path))
    (row,) = findings("--online", status=status)["model server"]
    assert detail in row["detail"]


def test_check_online_names_a_server_that_is_not_there(web: Path, free_port: int) -> None:
    model(f"127.0.0.1:{free_port}/v1")
    (row,) = findings("--online", status=1)["model server"]
    assert "start that server" in row["remedy"]


def test_check_calls_nobody_unless_asked(web: Path, free_port: int) -> None:
    model(f"127.0.0.1:{free_port}/v1")
    (row,) = findings(status=0)["model server"]
    assert row["state"] == "skipped"


def test_check_calls_nobody_at_a_flawed_address(web: Path) -> None:
    configure('\n[model]\nurl = "http://10.0.0.1/v1"\nmodel = "m"\n')
    assert "model server" not in findings("--online", status=1)
