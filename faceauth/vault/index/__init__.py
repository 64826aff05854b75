"""The index: who looks like this, among those who agreed to be searched for? docs/index-engines.md."""

from faceauth.vault.index.blocks import Sizes
from faceauth.vault.index.engine import Engine, EngineChoice, EngineName
from faceauth.vault.index.partition import Place
from faceauth.vault.index.references import (
    Adding,
    Candidate,
    Progress,
    ReferenceBatch,
    ReferenceIndex,
)

__all__ = [
    "Adding",
    "Candidate",
    "Engine",
    "EngineChoice",
    "EngineName",
    "Place",
    "Progress",
    "ReferenceBatch",
    "ReferenceIndex",
    "Sizes",
]
