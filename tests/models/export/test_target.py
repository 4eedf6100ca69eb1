"""Targets are there whole, or not at all."""

import errno
from pathlib import Path

import pytest

from models.errors import ModelError, NoRoom, Occupied
from models.export.target import MARK, new_file, new_folder


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    with new_file(tmp_path / "out", 3, force=False) as out:
        out.write(b"abc")
        assert not (tmp_path / "out").exists()
    assert names(tmp_path) == ["out"]
    with pytest.raises(Occupied, match="--force"), new_file(tmp_path / "out", 3, force=False):
        pass
    with new_file(tmp_path / "out", 3, force=True) as out:
        out.write(b"new")
    assert (tmp_path / "out").read_bytes() == b"new"


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), ModelError("no"), MemoryError()])
def test_what_fails_leaves_what_was_there(
    tmp_path: Path, folder: bool, error: BaseException
) -> None:
    target = tmp_path / "out"
    (target / "held" if folder else tmp_path).mkdir(parents=True, exist_ok=True)
    (target / MARK if folder else target).write_text("old")

    def fail() -> None:
        if folder:
            with new_folder(target, 3, force=True) as coming:
                (coming / "new").write_text("half")
                raise error
        with new_file(target, 3, force=True) as out:
            out.write(b"ne")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert (target / MARK if folder else target).read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_a_folder_is_replaced_only_where_it_is_an_earlier_export(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    with new_folder(target, 3, force=False) as coming:
        (coming / MARK).write_text("{}")
        (coming / "old").write_text("")
    with pytest.raises(Occupied, match="--force"), new_folder(target, 3, force=False):
        pass
    with new_folder(target, 3, force=True) as coming:
        (coming / "new").write_text("")
    assert names(target) == ["new"]
    assert names(tmp_path) == ["out"]
    with pytest.raises(Occupied, match="no earlier export"), new_folder(target, 3, force=True):
        pass
    assert names(target) == ["new"]


def test_room_is_looked_at_before_anything_is_written(tmp_path: Path) -> None:
    for opened in (new_file, new_folder):
        with (
            pytest.raises(NoRoom, match="another disk"),
            opened(tmp_path / "out", 1 << 30, force=False, free=lambda _folder: 1 << 20),
        ):
            pass
    assert names(tmp_path) == []


def test_a_disk_that_fills_up_is_said_with_its_remedy(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")

    def fill() -> None:
        with new_file(tmp_path / "out", 3, force=False):
            raise full

    with pytest.raises(NoRoom, match="nothing was written"):
        fill()
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("target", "reason"), [("none/out", "is no folder"), ("held/out/x", "is no folder")]
)
def test_a_target_that_cannot_be_is_refused(tmp_path: Path, target: str, reason: str) -> None:
    (tmp_path / "held").mkdir()
    (tmp_path / "held" / "out").write_text("")
    with pytest.raises(ModelError, match=reason), new_file(tmp_path / target, 3, force=False):
        pass
    with pytest.raises(Occupied, match="is a folder"), new_file(tmp_path / "held", 3, force=True):
        pass
