"""Where a measurement was made: versions, processor, commit."""

import os
import platform
import shutil
import subprocess
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("faceauth", "numpy", "onnxruntime", "opencv-python-headless")


@dataclass(frozen=True, slots=True)
class Environment:
    """`commit` ends in ``-dirty`` where files differ from it, and is None outside a repository."""

    commit: str | None
    python: str
    system: str
    processor: str
    cores: int
    packages: dict[str, str]


def environment() -> Environment:
    """Return what is known of this machine, without its name or any path on it."""
    return Environment(
        commit=_commit(),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        processor=_processor(),
        cores=os.cpu_count() or 1,
        packages={name: found for name in PACKAGES if (found := _version(name))},
    )


def environment_json() -> dict[str, object]:
    """Return when and where a measurement is made, as a report holds it."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": asdict(environment()),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    git = shutil.which("git")
    root = Path(__file__).resolve().parents[2]
    if git is None or not (root / ".git").exists():
        return None
    asked = [git, "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty", "--exclude=*"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603  fixed words
    return found.stdout.strip() or None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
