"""Pictures in, embeddings out, the way the service makes them: the pack's detector, alignment and embedder."""

import hashlib
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from faceauth.bench.dataset import Picture
from faceauth.capture.align import align
from faceauth.capture.decode import decode
from faceauth.errors import InvalidImage
from faceauth.sections import CaptureSettings
from faceauth.types import DetectedFace, Detector, Embedder, Image

Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told a label, how much of it is done, and of how much."""

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """What became of each picture.

    `vectors` has shape (n, d); `acquired`, shape (n,), is false where no face was found or the picture could not
    be read: a failure to acquire, whose row is zero.
    """

    vectors: Floats = field(repr=False)
    acquired: NDArray[np.bool_] = field(repr=False)


class Cache:
    """Embeddings of earlier runs, by the SHA-256 of the picture's bytes, for one pack.

    It holds embeddings in the clear: it is for public research sets, never for people's own pictures.
    """

    def __init__(self, file: Path | None, *, pack_digest: bytes) -> None:
        """Read `file` if it is there and of this pack; without a file nothing is kept."""
        self._file = file
        self._pack = pack_digest
        self._rows: dict[bytes, Floats | None] = {}
        if file is not None and file.is_file():
            self._read(file)

    def _read(self, file: Path) -> None:
        try:
            with np.load(file, allow_pickle=False) as kept:
                if kept["pack"].tobytes() != self._pack:
                    return
                rows = zip(kept["digests"], kept["vectors"], kept["acquired"], strict=True)
                self._rows = {digest.tobytes(): vector if found else None for digest, vector, found in rows}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InvalidImage(f"{file} is no cache of embeddings; delete it ({error}).") from None

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._rows

    def __getitem__(self, digest: bytes) -> Floats | None:
        return self._rows[digest]

    def add(self, digest: bytes, vector: Floats | None) -> None:
        """Remember a picture's embedding, or that it has none."""
        self._rows[digest] = vector

    def write(self, dimension: int) -> None:
        """Write the file, whole or not at all."""
        if self._file is None:
            return
        nothing = np.zeros(dimension, np.float32)
        vectors = [nothing if row is None else row for row in self._rows.values()]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_name(self._file.name + ".new")
        with fresh.open("wb") as handle:
            np.savez(
                handle,
                pack=np.frombuffer(self._pack, np.uint8),
                digests=np.frombuffer(b"".join(self._rows), np.uint8).reshape(-1, 32),
                vectors=np.asarray(vectors, np.float32).reshape(-1, dimension),
                acquired=np.asarray([row is not None for row in self._rows.values()], np.bool_),
            )
        fresh.replace(self._file)


def embed_pictures(
    pictures: Sequence[Picture],
    detector: Detector,
    embedder: Embedder,
    *,
    cache: Cache,
    workers: int,
    progress: Progress,
) -> Embedded:
    """Embed one face of every picture: the one nearest the centre, which is whom LFW's label names.

    Args:
        pictures: Of a public set.
        detector: The pack's.
        embedder: The pack's.
        cache: Is asked first, and written at the end, also when the run is broken off.
        workers: Threads; the networks let go of Python's lock.
        progress: Is told after every picture.
    """

    def one(picture: Picture) -> tuple[bytes, Floats | None]:
        data = picture.path.read_bytes()
        digest = hashlib.sha256(data).digest()
        return digest, cache[digest] if digest in cache else _embedded(data, detector, embedder)

    rows: list[Floats | None] = []
    dimension = 0
    try:
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for done, (digest, vector) in enumerate(pool.map(one, pictures), 1):
                cache.add(digest, vector)
                rows.append(vector)
                dimension = dimension if vector is None else len(vector)
                progress("pictures", done, len(pictures))
    finally:
        if dimension:
            cache.write(dimension)
    vectors = np.zeros((len(rows), dimension), np.float32)
    for row, vector in enumerate(rows):
        if vector is not None:
            vectors[row] = vector
    return Embedded(vectors, np.asarray([row is not None for row in rows], np.bool_))


def _embedded(data: bytes, detector: Detector, embedder: Embedder) -> Floats | None:
    try:
        image = decode(data, t_ms=0, step="picture", limits=CaptureSettings()).pixels
    except InvalidImage:
        return None
    faces = detector.detect(image)
    if not faces:
        return None
    chip = align(image, nearest_centre(image, faces).landmarks, embedder.template)
    return np.asarray(embedder.embed([chip])[0], np.float32)


def nearest_centre(image: Image, faces: Sequence[DetectedFace]) -> DetectedFace:
    """Return the face whose landmarks' mean is nearest the picture's centre."""
    height, width = image.shape[:2]
    centre = np.asarray([width / 2, height / 2])
    return min(faces, key=lambda face: float(np.linalg.norm(face.landmarks.mean(axis=0) - centre)))
