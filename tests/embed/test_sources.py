"""One file out of a package: from a folder, from what is installed, from the package index; its digest always."""

import io
import subprocess
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from faceauth.embed.origins import PackageFile
from faceauth.embed.sources import extract, package_file, sha256_hex
from faceauth.errors import ModelAltered, ModelError

DATA = b"weights" * 100


def source(**changes: Any) -> PackageFile:
    fields: dict[str, Any] = {
        "package": "a_package",
        "version": "1.0",
        "archive": "wheel",
        "archive_sha256": "0" * 64,
        "member": "a_package/data/weights.dat",
        "sha256": sha256_hex(DATA),
        "size": len(DATA),
    }
    return PackageFile(**{**fields, **changes})


def wheel(folder: Path, data: bytes = DATA, member: str = "a_package/data/weights.dat") -> Path:
    path = folder / "a_package-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a_package/__init__.py", "raise SystemExit('imported')")
        archive.writestr(member, data)
    return path


def sdist(folder: Path, data: bytes = DATA, link: str = "") -> Path:
    path = folder / "a_package-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("a_package-1.0/a_package/data/weights.dat")
        if link:
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
        else:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("make", [wheel, sdist])
def test_from_an_archive_in_a_folder(tmp_path: Path, make: Any) -> None:
    make(tmp_path)
    assert package_file(source(), from_dir=tmp_path) == DATA


def test_the_file_itself_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "weights.dat").write_bytes(DATA)
    assert package_file(source(), from_dir=tmp_path) == DATA


@pytest.mark.parametrize("make", [wheel, sdist])
def test_other_bytes_are_refused(tmp_path: Path, make: Any) -> None:
    """R22: the digest decides, wherever the file came from."""
    make(tmp_path, data=DATA + b"!")
    with pytest.raises(ModelAltered, match="not the file"):
        package_file(source(), from_dir=tmp_path)


def test_oversized_member_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A bomb is cut off one byte past the size the manifest names."""
    path = wheel(tmp_path, data=b"\0" * 5_000_000)
    assert len(extract(source(), path)) == len(DATA) + 1


def test_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    """No path tricks: a link is not a file."""
    path = sdist(tmp_path, link="/etc/passwd")
    with pytest.raises(ModelError, match="holds no"):
        extract(source(), path)


@pytest.mark.parametrize("name", ["a_package-1.0.whl", "a_package-1.0.tar.gz"])
def test_damaged_archive_is_an_error_of_ours(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(ModelError, match="cannot be read"):
        package_file(source(), from_dir=tmp_path)


def test_empty_folder_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"weights\.dat nor a_package-1\.0"):
        package_file(source(), from_dir=tmp_path)


def test_installed_package_is_read_without_importing_it() -> None:
    """A photograph of the insightface package, which is installed for the tests."""
    member = "insightface/data/images/Tom_Hanks_54745.png"
    data = Path(str(distribution("insightface").locate_file(member))).read_bytes()
    named = source(package="insightface", version="2.1", member=member, sha256=sha256_hex(data), size=len(data))
    assert package_file(named) == data


class Pip:
    """Stands for pip: leaves archives in the folder it is told, or fails."""

    def __init__(self, make: Any = None, stderr: str = "") -> None:
        self.make = make
        self.stderr = stderr
        self.pins = ""
        self.command: list[str] = []

    def __call__(self, command: list[str], **_: Any) -> Any:
        self.command = command
        self.pins = Path(command[command.index("-r") + 1]).read_text(encoding="utf-8")
        if self.make:
            folder = Path(command[command.index("-d") + 1])
            folder.mkdir()
            self.make(folder)
        return subprocess.CompletedProcess(command, 1 if self.stderr else 0, "", self.stderr)


def test_pip_is_asked_for_one_pinned_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name, version and hash are pinned, dependencies are left alone."""
    pip = Pip(sdist)
    monkeypatch.setattr(subprocess, "run", pip)
    told: list[tuple[str, int, int]] = []
    found = package_file(source(archive="sdist"), progress=lambda *args: told.append(args))
    assert found == DATA
    assert pip.pins == f"a_package==1.0 --hash=sha256:{'0' * 64}\n"
    assert {"--require-hashes", "--no-deps", "--no-binary=a_package"} <= set(pip.command)
    assert told == [("a_package 1.0", 0, 0), ("a_package 1.0", 1, 1)]


def test_pip_that_fails_gives_its_reason_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", Pip(stderr="a warning\nERROR: No matching distribution\n"))
    with pytest.raises(ModelError, match=r"No matching distribution .*--from DIR"):
        package_file(source())


def test_pip_that_brings_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "run", Pip())
    with pytest.raises(ModelError, match="0 files"):
        package_file(source())
