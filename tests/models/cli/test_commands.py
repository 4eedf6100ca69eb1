"""`fanlight models` as people type it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.output import Output
from models.cli.commands import models_group
from models.cli.progress import shown
from models.services import models_folder, open_registry
from tests.models.samples import WORDS, entry, file_entry, known, sha256


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue with two versions of a model, and one model without a hash."""
    (tmp_path / "origin").write_bytes(WORDS)
    files = file_entry(**known())
    entries = [entry(version="1", files=files), entry(version="2", files=files)]
    path = tmp_path / "catalog.toml"
    path.write_text("\n".join([*entries, entry(model="bare")]), encoding="utf-8")
    monkeypatch.setenv("FANLIGHT_MODELS_DIR", str(tmp_path / "kept"))
    return path


def run(catalog: Path, *arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(models_group, [*arguments, "--catalog", str(catalog)])
    assert result.exit_code == status, result.output
    return result


def told(catalog: Path, *arguments: str, status: int = 0) -> dict[str, Any]:
    result = run(catalog, *arguments, "--json", status=status)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_what_can_be_had_and_what_is_here_is_listed(catalog: Path) -> None:
    run(catalog, "pull", "small", "--version", "1")
    text = run(catalog, "list").stdout
    assert "in use" in text
    assert "pull it with --pin" in text
    rows = told(catalog, "list")["models"]
    assert [(row["id"], row["version"], row["ready"], row["used"]) for row in rows] == [
        ("small", "1", True, True),
        ("small", "2", False, False),
        ("bare", "1", False, False),
    ]
    assert rows[0]["size"] == rows[0]["bytes"] == len(WORDS)
    assert (rows[2]["hash_known"], rows[2]["size"]) == (False, None)


def test_pulling_says_what_came(catalog: Path) -> None:
    first = run(catalog, "pull", "small")
    assert first.stdout == "small 2 is here.\n"
    assert first.stderr == "small: fetching model.gguf …\n"
    assert run(catalog, "pull", "small").stdout == "small 2 was here already.\n"
    other = run(catalog, "pull", "small", "--version", "1")
    assert "`fanlight models use small 1`" in other.stdout
    assert told(catalog, "pull", "small")["came"] == []


def test_a_model_without_a_hash_is_pulled_with_pin_alone(catalog: Path, tmp_path: Path) -> None:
    refused = run(catalog, "pull", "bare", status=1)
    assert "--pin" in refused.stderr
    assert "SHA-256" in told(catalog, "pull", "bare", status=1)["detail"]
    run(catalog, "pull", "bare", "--pin")
    pins = json.loads((tmp_path / "kept" / "models.lock").read_text(encoding="utf-8"))
    assert pins == {"bare 1": {"model.gguf": sha256(WORDS)}}


def test_verifying_names_both_hashes_of_what_is_bad(catalog: Path, tmp_path: Path) -> None:
    assert run(catalog, "verify").stdout == "No model is here.\n"
    run(catalog, "pull", "small", "--version", "1")
    assert run(catalog, "verify").stdout.startswith("good")
    (tmp_path / "kept" / "small" / "1" / "model.gguf").write_bytes(b"changed")
    bad = run(catalog, "verify", "small", status=1)
    assert sha256(WORDS) in bad.stdout
    assert sha256(b"changed") in bad.stdout
    found = told(catalog, "verify", status=1)
    assert (found["good"], found["files"][0]["verdict"]) == (False, "bad")


def test_using_goes_back_and_forward(catalog: Path) -> None:
    run(catalog, "pull", "small", "--version", "1")
    run(catalog, "pull", "small", "--version", "2")
    assert run(catalog, "use", "small", "2").stdout.startswith("small 2 is used")
    assert told(catalog, "use", "small", "--back")["version"] == "1"
    assert told(catalog, "use", "small", "--forward") == {
        "id": "small",
        "version": "2",
        "chosen": ["1", "2"],
    }
    assert "after 2" in run(catalog, "use", "small", "--forward", status=1).stderr
    assert "Name a version" in run(catalog, "use", "small", status=2).stderr


def test_removing_and_collecting_say_what_is_free_again(catalog: Path) -> None:
    run(catalog, "pull", "small", "--version", "1")
    run(catalog, "pull", "small", "--version", "2")
    assert "is the one in use" in run(catalog, "remove", "small", status=1).stderr
    assert told(catalog, "gc") == {
        "removed": [{"what": "small 2", "bytes": len(WORDS)}],
        "bytes": len(WORDS),
    }
    assert run(catalog, "gc").stdout == "There is nothing to remove.\n"
    assert "Removed small 1: 0.0 MB" in run(catalog, "remove", "small").stdout
    assert told(catalog, "pull", "small", "--version", "1")["ready"]
    assert told(catalog, "remove", "small")["removed"] == "small 1"


def test_a_flawed_catalogue_ends_in_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(entry(kind='"poem"', parameters="0"), encoding="utf-8")
    said = run(path, "list", status=1).stderr
    assert "models[small].kind" in said
    assert "models[small].parameters" in said


def test_a_folder_that_cannot_be_written_is_named(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("FANLIGHT_MODELS_DIR", str(tmp_path / "file" / "models"))
    refused = run(catalog, "pull", "small", status=1)
    assert "Set FANLIGHT_MODELS_DIR to another folder" in refused.stderr


def test_a_terminal_sees_a_bar_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    output = Output()
    output.err._force_terminal = True
    with shown(output) as progress:
        hear = progress("fetching")
        hear(500_000, 1_000_000)
        hear(1_000_000, 1_000_000)
    said = capsys.readouterr().err
    assert "fetching" in said
    assert "1.0/1.0 MB" in said


def test_elsewhere_a_line_stands_for_each_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    with shown(Output()) as progress:
        hear = progress("fetching")
        for done in range(0, 101, 10):
            hear(done, 100)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "fetching …",
        "fetching: 25 %",
        "fetching: 50 %",
        "fetching: 75 %",
        "fetching: 100 %",
    ]


def test_where_models_are_kept(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert models_folder({"FANLIGHT_MODELS_DIR": str(tmp_path)}) == tmp_path
    assert models_folder({"FANLIGHT_DATA_DIR": str(tmp_path)}) == tmp_path / "models"
    assert models_folder({}) == root / ".fanlight" / "models"
    monkeypatch.setattr("models.services._PROJECT", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert models_folder({}) == tmp_path / ".fanlight" / "models"
    assert list(tmp_path.iterdir()) == []


def test_the_catalogue_that_comes_along_is_the_usual_one(tmp_path: Path) -> None:
    with open_registry({"FANLIGHT_MODELS_DIR": str(tmp_path)}) as registry:
        assert registry.newest("smollm2-135m").kind == "chat"
