"""Nothing of this service goes to anyone: not from the libraries underneath either."""

import os
import subprocess
import sys
from pathlib import Path

IMPORTED = "import faceauth.embed.session, onnxruntime"


def test_onnxruntime_writes_no_identifier_and_starts_no_uploader(tmp_path: Path) -> None:
    """Its own builds from 1.29 on do both at import unless they are told not to."""
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment = kept | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-B", "-c", IMPORTED], env=environment, check=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_it_is_off_in_every_process_that_imports_us() -> None:
    import faceauth  # noqa: F401, PLC0415  the import is what is tested

    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
