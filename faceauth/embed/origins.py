"""Where a pack's file comes from, as the manifest says it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt


def _https(url: str) -> str:
    if not url.startswith("https://"):
        raise ValueError("an https address")
    return url


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Https = Annotated[str, AfterValidator(_https)]


class Frozen(BaseModel):
    """A table of the manifest: no field changes, and none is unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PackageFile(Frozen):
    """One file inside a release of a package on the Python package index.

    `member` is its path once the package is installed; `sha256` and `size` are the member's, `archive_sha256` is
    that of the wheel or source archive it is published in.
    """

    kind: Literal["package"] = "package"
    package: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    version: str = Field(pattern=r"^[0-9][0-9A-Za-z.]*$")
    archive: Literal["wheel", "sdist"]
    archive_sha256: Sha256
    member: str
    sha256: Sha256
    size: PositiveInt


class Conversion(Frozen):
    """A graph this project's own code makes from a file inside a package."""

    kind: Literal["conversion"] = "conversion"
    converter: Literal["dlib_resnet", "mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet"]
    origin: PackageFile


class WebFile(Frozen):
    """One file that a graph is made from, over HTTPS; its name is the address's last part."""

    url: Https
    sha256: Sha256
    size: PositiveInt

    @property
    def name(self) -> str:
        """What the file is called, also in a folder given by ``--from``."""
        return self.url.rsplit("/", 1)[-1]


class WebConversion(Frozen):
    """A graph this project's own code makes from files on the web, in the order the converter takes them."""

    kind: Literal["web-conversion"] = "web-conversion"
    converter: Literal["openvino_ir", "any_size", "minifasnet"]
    origins: tuple[WebFile, ...]


class LocalFile(Frozen):
    """A file that only its owner has: it comes from a folder given by ``--from`` and is never fetched."""

    kind: Literal["local"] = "local"


class Download(Frozen):
    """The file itself, over HTTPS."""

    kind: Literal["download"] = "download"
    url: Https


class ArchiveMember(Frozen):
    """One file of a ZIP archive, over HTTPS."""

    kind: Literal["archive"] = "archive"
    url: Https
    archive_sha256: Sha256
    archive_size: PositiveInt | None = None
    member: str


Source = Annotated[
    Conversion | WebConversion | Download | ArchiveMember | PackageFile | LocalFile, Field(discriminator="kind")
]
