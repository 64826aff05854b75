"""What every entry of the manifest has, whatever its files are for: a name, a licence, and the files."""

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, PositiveInt

from faceauth.embed.origins import Frozen, Https, LocalFile, Sha256, Source
from faceauth.errors import ModelError


def _plain_name(name: str) -> str:
    if PurePosixPath(name).name != name or name.startswith("."):
        raise ValueError("a file's name, without a folder")
    return name


FileName = Annotated[str, AfterValidator(_plain_name)]
PerChannel = tuple[float, float, float]
Point = tuple[float, float]
Points5 = tuple[Point, Point, Point, Point, Point]


class ModelFile(Frozen):
    """One file of a pack, as it lies in the models folder."""

    name: FileName
    sha256: Sha256
    size: PositiveInt | None = None
    licence: str
    source: Source = Field(default_factory=LocalFile)


class FileSet(Frozen):
    """A named set of files under one licence, installed together."""

    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    title: str
    licence: str
    licence_url: Https
    accept_licence: bool = False
    not_installable: str | None = None
    files: tuple[ModelFile, ...]

    def file(self, name: str) -> ModelFile:
        """Return the file of that name.

        Raises:
            ModelError: The pack has none.
        """
        for one in self.files:
            if one.name == name:
                return one
        raise ModelError(f"The pack {self.name} has no file {name!r}.")

    def check_names(self, used: set[str]) -> None:
        """Check that the files' names differ and include those that are used.

        Raises:
            ValueError: They do not; for pydantic to report.
        """
        named = {one.name for one in self.files}
        if len(named) != len(self.files):
            raise ValueError("a file is named twice")
        if missing := used - named:
            raise ValueError(f"used but not listed: {sorted(missing)}")
