"""What a check of `faceauth doctor` says."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in one line that says what to do where something is wrong."""

    name: str
    state: State
    line: str
