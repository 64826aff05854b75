"""What every test may ask for."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real weights and faces beside the project; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared with real weights and faces")
    return folder


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder `make test` installs the model pack `open` into."""
    folder = Path(os.environ.get("FACEAUTH_MODELS_DIR", ROOT / ".cache" / "models"))
    if not (folder / "open").is_dir():
        pytest.skip("needs the model pack: run faceauth models install open, or make test")
    return folder
