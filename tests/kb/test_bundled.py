"""The embedding that lies beside the code, or does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from kb import IndexFormatError
from kb.bundled import FILE, bundled_embedding, load_bundled
from kb.embed import load_embedding
from tests.small_embedding import release_of, small_embedding


def test_a_table_in_the_folder_is_read_as_it_is(tmp_path: Path) -> None:
    packed = small_embedding()
    (tmp_path / FILE).write_bytes(packed)
    assert bundled_embedding(tmp_path) == packed


def test_a_folder_without_one_has_none(tmp_path: Path) -> None:
    assert bundled_embedding(tmp_path) is None
    assert bundled_embedding(tmp_path / "nowhere") is None
    (tmp_path / "file").touch()
    assert bundled_embedding(tmp_path / "file") is None


def test_the_packages_own_is_loaded_once() -> None:
    packed = bundled_embedding()
    table = load_bundled()
    assert (table is None) == (packed is None)
    assert table is load_bundled()
    if packed is not None and table is not None:
        assert table.release == release_of(packed)


@pytest.mark.parametrize("size", [0, 40, -1])
def test_a_damaged_one_is_refused(size: int) -> None:
    with pytest.raises(IndexFormatError):
        load_embedding(small_embedding()[:size])


def test_neither_searching_nor_importing_reads_it() -> None:
    code = "import sys, kb, kb.search; print('kb.bundled' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
