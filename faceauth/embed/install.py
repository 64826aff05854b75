"""Putting a pack into the models folder: all of it, checked, or nothing."""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from faceauth.embed.convert import any_size, dlib_resnet, minifasnet, mtcnn, openvino_ir
from faceauth.embed.download import fetch
from faceauth.embed.fileset import FileSet, ModelFile
from faceauth.embed.manifest import any_spec
from faceauth.embed.origins import (
    ArchiveMember,
    Conversion,
    Download,
    LocalFile,
    PackageFile,
    WebConversion,
    WebFile,
)
from faceauth.embed.sources import Progress, package_file, sha256_hex, silent
from faceauth.errors import LicenceNotAccepted, ModelAltered, ModelError, StorageError

CONVERTERS: Mapping[str, Callable[..., bytes]] = {
    "any_size": any_size.convert,
    "dlib_resnet": dlib_resnet.convert,
    "minifasnet": minifasnet.convert,
    "openvino_ir": openvino_ir.convert,
    "mtcnn_pnet": lambda data: mtcnn.convert("pnet", data),
    "mtcnn_rnet": lambda data: mtcnn.convert("rnet", data),
    "mtcnn_onet": lambda data: mtcnn.convert("onet", data),
}


def install(
    name: str,
    models_dir: Path,
    *,
    manifest: Path | None = None,
    accept_licence: bool = False,
    from_dir: Path | None = None,
    progress: Progress = silent,
) -> None:
    """Install a pack; files that are already there and right are left alone.

    Args:
        name: The pack's name in the manifest.
        models_dir: The models folder; the pack goes into its folder `name`.
        manifest: A manifest of one's own, with more packs.
        accept_licence: Says that the pack's licence was read and accepted; asked for only where the manifest does.
        from_dir: A folder with the files, or with what they are made from, or with such folders; nothing is
            fetched then.
        progress: Is told how far it is.

    Raises:
        LicenceNotAccepted: The pack's licence must be accepted first.
        ModelAltered: Something found, fetched or converted is not what the manifest names.
        ModelError: There is no such pack, it cannot be installed yet, or a file could not be had.
        StorageError: The models folder cannot be written.
    """
    spec = any_spec(name, manifest)
    install_spec(spec, models_dir, accept_licence=accept_licence, from_dir=from_dir, progress=progress)


def install_spec(
    spec: FileSet,
    models_dir: Path,
    *,
    accept_licence: bool = False,
    from_dir: Path | None = None,
    progress: Progress = silent,
) -> None:
    """Install a pack by its entry; see `install`."""
    if spec.not_installable:
        raise ModelError(f"The pack {spec.name} cannot be installed yet: {spec.not_installable}")
    if spec.accept_licence and not accept_licence:
        raise LicenceNotAccepted(
            f"{spec.name}: {spec.licence}. Read {spec.licence_url} and run this again with --accept-licence."
        )
    if from_dir is not None and not from_dir.is_dir():
        raise ModelError(f"{from_dir} is not a folder.")
    folder = models_dir / spec.name
    wanted = [one for one in spec.files if problem_of(one, folder)]
    if not wanted:
        return
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{spec.name}-", dir=models_dir) as temporary:
            fresh = Path(temporary) / spec.name
            fresh.mkdir()
            downloads = models_dir / ".downloads"
            for one in wanted:
                _write(fresh / one.name, _obtain(one, downloads, from_dir, progress))
                progress(one.name, one.size or 1, one.size or 1)
            _move(fresh, folder)
        shutil.rmtree(models_dir / ".downloads", ignore_errors=True)
    except OSError as error:
        raise StorageError(f"The models folder {models_dir} cannot be written: {error.strerror}.") from error


def _write(path: Path, data: bytes) -> None:
    """Write and flush to the disk, so that the rename after it never reveals an empty file."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _move(fresh: Path, folder: Path) -> None:
    """Move what is new into place: the folder at once, or file by file into one that is there already."""
    if not folder.exists():
        fresh.rename(folder)
        return
    for path in sorted(fresh.iterdir()):
        path.replace(folder / path.name)


def _obtain(file: ModelFile, downloads: Path, from_dir: Path | None, progress: Progress) -> bytes:
    """Return a file's bytes, checked."""
    source = file.source
    data = None if from_dir is None else _lying_in(from_dir, file.name, file.sha256)
    if data is not None:
        return data
    if isinstance(source, Conversion):
        data = CONVERTERS[source.converter](package_file(source.origin, from_dir=from_dir, progress=progress))
    elif isinstance(source, WebConversion):
        origins = [_web_file(one, downloads, from_dir, progress) for one in source.origins]
        data = CONVERTERS[source.converter](*origins)
    elif isinstance(source, PackageFile):
        data = package_file(source, from_dir=from_dir, progress=progress)
    elif isinstance(source, LocalFile):
        raise ModelError(f"{file.name} cannot be fetched; name the folder that holds it with --from.")
    elif from_dir is not None:
        data = _from_archive(source, from_dir)
    else:
        data = _from_web(file, source, downloads, progress)
    if sha256_hex(data) != file.sha256:
        raise ModelAltered(f"{file.name} is not the file the manifest names; nothing was installed.")
    return data


def _lying_in(folder: Path, name: str, sha256: str) -> bytes | None:
    """Return the file of that name in a folder, or the right one in one of its folders; nothing if there is none.

    Raises:
        ModelAltered: The folder itself holds one, and it is not the right one.
    """
    for path in (folder / name, *sorted(folder.glob(f"*/{name}"))):
        data = path.read_bytes() if path.is_file() else None
        if data is not None and sha256_hex(data) == sha256:
            return data
        if data is not None and path.parent == folder:
            raise ModelAltered(f"{path} is not the file the manifest names; nothing was installed.")
    return None


def _from_archive(source: Download | ArchiveMember, folder: Path) -> bytes:
    name = source.url.rsplit("/", 1)[-1]
    archive = folder / name
    if isinstance(source, ArchiveMember) and archive.is_file():
        return _unzip(archive, source.member)
    raise ModelError(f"{folder} holds no {name}. Put it there, or install without --from.")


def _web_file(file: WebFile, downloads: Path, from_dir: Path | None, progress: Progress) -> bytes:
    """Return a file that something is made from, checked."""
    if from_dir is None:
        return _fetched(file.url, file.sha256, file.size, downloads, progress)
    data = _lying_in(from_dir, file.name, file.sha256)
    if data is None:
        raise ModelError(f"{from_dir} holds no {file.name}. Put it there, or install without --from.")
    return data


def _from_web(file: ModelFile, source: Download | ArchiveMember, downloads: Path, progress: Progress) -> bytes:
    """Fetch a file; an archive stays in the folder of downloads until every file of the pack is there."""
    if isinstance(source, Download):
        return _fetched(source.url, file.sha256, file.size, downloads, progress)
    target = downloads / source.archive_sha256
    if not target.is_file():
        _fetched(source.url, source.archive_sha256, source.archive_size, downloads, progress)
    return _unzip(target, source.member)


def _fetched(url: str, sha256: str, size: int | None, downloads: Path, progress: Progress) -> bytes:
    """Fetch into the folder of downloads, where a broken one waits to be continued."""
    downloads.mkdir(parents=True, exist_ok=True)
    target = downloads / sha256
    fetch(url, target, expected_sha256=sha256, expected_size=size, progress=progress)
    return target.read_bytes()


def _unzip(archive: Path, member: str) -> bytes:
    """Read one member, found by its last name: some archives keep their files in a folder, some do not."""
    try:
        with zipfile.ZipFile(archive) as opened:
            last = member.rsplit("/", 1)[-1]
            names = [name for name in opened.namelist() if name.rsplit("/", 1)[-1] == last]
            if len(names) != 1:
                raise ModelError(f"{archive.name} holds {len(names)} files named {last}, not one.")
            return opened.read(names[0])
    except (zipfile.BadZipFile, EOFError) as error:
        raise ModelError(f"{archive.name} is not a ZIP archive.") from error


def problem_of(file: ModelFile, folder: Path) -> str | None:
    """Say what is wrong with one installed file, or nothing."""
    try:
        data = (folder / file.name).read_bytes()
    except FileNotFoundError:
        return f"{file.name} is missing."
    except OSError as error:
        return f"{file.name} cannot be read: {error.strerror}."
    return None if sha256_hex(data) == file.sha256 else f"{file.name} is not the file the manifest names."


def verify(name: str, models_dir: Path, manifest: Path | None = None) -> list[str]:
    """Check every file of an installed pack.

    Args:
        name: The pack's name.
        models_dir: The models folder.
        manifest: A manifest of one's own, with more packs.

    Returns:
        One line for each problem; none when all is well.

    Raises:
        ModelError: There is no such pack.
    """
    found = (problem_of(one, models_dir / name) for one in any_spec(name, manifest).files)
    return [problem for problem in found if problem is not None]


def is_installed(name: str, models_dir: Path, manifest: Path | None = None) -> bool:
    """Say whether every file of a pack lies there, without reading them."""
    return all((models_dir / name / one.name).is_file() for one in any_spec(name, manifest).files)
