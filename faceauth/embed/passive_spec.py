"""The manifest's entries of passive packs: networks that tell a living face from a picture of one by its looks."""

from typing import Literal

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from faceauth.embed.fileset import FileName, FileSet, PerChannel, Points5
from faceauth.embed.origins import Frozen


class PassiveNetworkSpec(Frozen):
    """One network and how it is fed: (pixel − mean) · scale, in the given layout and colour order.

    What it sees is cut in one of two ways: `box`, by how much the detector's box is widened about its centre, or
    `template`, where the five landmarks come to lie in the square of `size` pixels; then at most the share
    `outside` of the square may lie beyond the picture. `live` is the number of the class that is a living person,
    or left out where the answer is that probability itself. A graph's one input or output needs no name.
    """

    file: FileName
    input: str | None = None
    output: str | None = None
    layout: Literal["nchw"]
    colour: Literal["rgb", "bgr"]
    size: PositiveInt
    mean: PerChannel
    scale: float
    batch: Literal["any", "one"]
    box: float | None = Field(default=None, ge=1.0, le=8.0)
    template: Points5 | None = None
    outside: float = Field(default=0.0, ge=0.0, le=1.0)
    live: NonNegativeInt | None = None

    @model_validator(mode="after")
    def _is_cut_in_one_way(self) -> "PassiveNetworkSpec":
        if (self.box is None) == (self.template is None):
            raise ValueError("either box or template, and not both")
        return self


class PassiveSpec(FileSet):
    """One passive pack: its networks' mean is how living a face looks."""

    networks: tuple[PassiveNetworkSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _files_are_there(self) -> "PassiveSpec":
        self.check_names({network.file for network in self.networks})
        return self
