"""Files that are coming, and a disk that fills up meanwhile."""

import errno
import io
import json
from pathlib import Path

import pytest

from models.errors import NoRoom
from models.registry.model import parse_source
from models.registry.partial import Partial, free_bytes, make_private


class FullDisk(io.BytesIO):
    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def write(self, _data: object) -> int:
        raise OSError(self._number, "no")


def test_a_disk_that_fills_up_keeps_what_has_come(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "model.part", lambda _folder: 3)
    source = parse_source("file:x", tmp_path)
    with partial.open(source) as file:
        partial.write(file, b"some", None)
    with pytest.raises(NoRoom, match="what has come so far is kept"):
        partial.write(FullDisk(errno.ENOSPC), b"more", 100)
    assert partial.begun(source) == (4, "")


def test_another_trouble_with_the_disk_is_not_called_full(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "model.part")
    with pytest.raises(OSError, match="no"):
        partial.write(FullDisk(errno.EIO), b"more", None)


def test_what_came_from_elsewhere_is_not_gone_on_with(tmp_path: Path) -> None:
    partial = Partial(tmp_path / "model.part")
    one, two = (parse_source(f"file:{name}", tmp_path) for name in ("one", "two"))
    with partial.open(one, mark="m") as file:
        file.write(b"some")
    assert partial.begun(one) == (4, "m")
    assert partial.begun(two) == (0, "")
    with partial.open(None) as file:
        file.write(b"made")
    assert partial.begun(one) == (0, "")


@pytest.mark.parametrize("note", ["", "[]", "{", json.dumps({"source": "file:two"})])
def test_a_note_that_says_nothing_begins_anew(tmp_path: Path, note: str) -> None:
    partial = Partial(tmp_path / "model.part")
    (tmp_path / "model.part").write_bytes(b"some")
    (tmp_path / "model.part.json").write_text(note, encoding="utf-8")
    assert partial.begun(parse_source("file:one", tmp_path)) == (0, "")


def test_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    made = make_private(tmp_path / "a" / "b")
    assert [path.stat().st_mode & 0o777 for path in (made, made.parent)] == [0o700, 0o700]
    assert free_bytes(made) > 0
