"""The demo's own model: offered, declined, fetched, started, and gone without."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from gateway.cli.output import Output
from gateway.cli.own_model import MODEL, own_model
from gateway.configuration import demo_settings
from gateway.configuration.demo import LARGE_TIER, SMALL_TIER

F16 = "SmolLM2-135M-Instruct.F16.gguf"
Q4_1 = "SmolLM2-135M-Instruct.Q4_1.gguf"


class Typed(io.StringIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Output:
    """An output that is a terminal."""
    output = Output()
    output.err._force_terminal = True
    monkeypatch.setenv("NO_COLOR", "1")
    return output


def environ(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FANLIGHT_")}
    return {**kept, **more}


def answers(url: str) -> bool:
    try:
        httpx.get(f"{url}/models")
    except httpx.ConnectError:
        return False
    return True


def test_without_weights_and_terminal_nothing_is_changed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = environ()
    with own_model(given, tmp_path, Output()) as beside:
        assert beside == given
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_model_that_is_named_is_the_one(tmp_path: Path) -> None:
    (tmp_path / "models" / MODEL).mkdir(parents=True)
    given = environ(FANLIGHT_LLM_URL="http://127.0.0.1:9/v1")
    with own_model(given, tmp_path, Output()) as beside:
        assert beside == given


def test_who_declines_goes_on_and_nothing_is_fetched(
    tmp_path: Path,
    terminal: Output,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Typed("n\n"))
    given = environ()
    with own_model(given, tmp_path, terminal) as beside:
        assert beside == given
    assert list(tmp_path.iterdir()) == []
    said = capfd.readouterr().err
    assert "SmolLM2 135M Instruct, Apache-2.0" in said
    assert "93 MB come, 364 MB are kept [y/N]" in said


def test_a_fetch_that_fails_is_told_and_the_demo_goes_on(
    tmp_path: Path,
    terminal: Output,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Typed("y\n"))
    given = environ(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    with own_model(given, tmp_path, terminal) as beside:
        assert beside == given
    said = capfd.readouterr().err
    assert "came from none of its sources" in said
    assert "The demo goes on without a model" in said


@pytest.mark.needs("weights")
def test_what_is_fetched_is_started_and_ends_with_the_demo(
    weights: Path,
    tmp_path: Path,
    terminal: Output,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    # The packaged file is there already, so that nothing has to come.
    folder = tmp_path / "models" / MODEL / "1"
    folder.mkdir(parents=True)
    os.link(weights / MODEL / "1" / Q4_1, folder / Q4_1)
    monkeypatch.setattr("sys.stdin", Typed("y\n"))
    with own_model(environ(), tmp_path, terminal) as beside:
        assert (folder / F16).stat().st_mode & 0o777 == 0o600
        url, key = (beside[f"FANLIGHT_LLM_{name}"] for name in ("URL", "KEY"))
        assert httpx.get(f"{url}/models").status_code == 401
        listed = httpx.get(f"{url}/models", headers={"authorization": f"Bearer {key}"}).json()
        assert [each["id"] for each in listed["data"]] == [beside["FANLIGHT_LLM_MODEL"]]
        settings = demo_settings(tmp_path, beside)
        assert settings.limits.first_token_s == 20
        assert settings.sites[0].confidence_threshold == 0.55
        # One server, and two tiers with example prices, so that a console shows something.
        assert {(each.url, each.model, each.key.reveal()) for each in settings.models} == {
            (url, MODEL, key)
        }
        assert [each.price.written_usd > 0 for each in settings.models] == [True, True]
        assert [tier.name for tier in settings.routing.tiers] == [SMALL_TIER, LARGE_TIER]
    assert not answers(url)
    assert (tmp_path / "models" / "server.log").stat().st_mode & 0o777 == 0o600


def test_weights_that_are_bad_are_told_and_the_demo_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "models" / MODEL / "1"
    folder.mkdir(parents=True)
    (folder / F16).write_bytes(b"none")
    given = environ()
    with own_model(given, tmp_path, Output()) as beside:
        assert beside == given
    said = capfd.readouterr().err
    assert "The demo goes on without a model" in said
    assert "is not what the catalogue promises" in said


@pytest.mark.needs("weights")
def test_a_demo_that_is_killed_leaves_no_model_server(weights: Path, tmp_path: Path) -> None:
    code = (
        "import json, os, sys\nfrom pathlib import Path\n"
        "from gateway.cli.output import Output\nfrom gateway.cli.own_model import own_model\n"
        "with own_model(os.environ, Path(sys.argv[1]), Output(True)) as beside:\n"
        "    print(json.dumps(beside['FANLIGHT_LLM_URL']), flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path],
        env=environ(FANLIGHT_MODELS_DIR=str(weights)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())
    assert httpx.get(f"{url}/models").status_code == 401
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    deadline = time.monotonic() + 20
    while answers(url):
        assert time.monotonic() < deadline
        time.sleep(0.05)
