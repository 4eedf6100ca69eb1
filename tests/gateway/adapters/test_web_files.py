"""The built web assets as the server reads them."""

from pathlib import Path

from gateway.adapters.web_files import load_web


def test_files_are_read_with_their_type_and_their_packed_form(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.wasm").write_bytes(b"wasm")
    (tmp_path / "loader.js").write_bytes(b"js")
    (tmp_path / "loader.js.br").write_bytes(b"br")
    (tmp_path / "loader.js.map").write_bytes(b"map")
    web = load_web(tmp_path)
    assert set(web) == {"assets/a.wasm", "loader.js"}
    assert web["assets/a.wasm"].media_type == "application/wasm"
    assert web["loader.js"].brotli == b"br"


def test_no_folder_is_no_files(tmp_path: Path) -> None:
    assert load_web(tmp_path / "none") == {}
