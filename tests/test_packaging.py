"""The wheel works on its own, and the container image is made as the Makefile makes it."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--wheel",
        "--outdir",
        folder,
        ROOT,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def inside(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_everything_of_the_package_is_in_the_wheel(inside: set[str]) -> None:
    """Code, manifest, notices, pages and migrations: whatever git would keep."""
    package = [path for path in (ROOT / "faceauth").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    wanted = {path.relative_to(ROOT).as_posix() for path in package}
    assert wanted - inside == set()


@pytest.mark.parametrize(
    "pattern",
    [
        r"faceauth/models/manifest\.toml",
        r"faceauth/consent/texts/login\.en\.md",
        r"faceauth/consent/texts/login\.zh\.md",
        r"faceauth/db/migrations/versions/data/v0001_\w+\.py",
        r"faceauth/db/migrations/versions/keys/v0001_\w+\.py",
        r"faceauth/web/.+\.html(\.j2)?",
        r"faceauth/web/.+\.js",
        r"faceauth/web/.+\.css",
        r"faceauth/py\.typed",
        r"faceauth-[\d.]+\.dist-info/licenses/LICENSE",
    ],
)
def test_what_is_easily_forgotten_is_there(inside: set[str], pattern: str) -> None:
    assert [name for name in inside if re.fullmatch(pattern, name)]


def test_nothing_else_is_in_the_wheel(inside: set[str]) -> None:
    """No tests, no weights, no faces."""
    tops = {name.split("/")[0] for name in inside}
    assert {top for top in tops if not re.fullmatch(r"faceauth|faceauth-[\d.]+\.dist-info", top)} == set()
    weights = (".onnx", ".dat", ".pth", ".bin", ".lz4", ".npz", ".jpg", ".jpeg")
    assert [name for name in inside if name.endswith(weights)] == []


@dataclass(frozen=True)
class Elsewhere:
    """An environment in which only the wheel is installed, and a folder to work in."""

    programs: Path
    folder: Path
    environment: dict[str, str]

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def elsewhere(wheel: Path, models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """The wheel in an empty environment; what it depends on is borrowed from ours, so no network is needed."""
    folder = tmp_path_factory.mktemp("elsewhere")
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    options = ["--quiet", "--no-index", "--no-deps"]
    command: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "install", *options, wheel]
    subprocess.run(command, check=True, capture_output=True)
    site = next((environment / "lib").glob("python*")) / "site-packages"
    # A path added this way comes last, and .pth files in it are not read: the editable install stays out of sight.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FACEAUTH_", "PYTHON"))}
    ours = {"FACEAUTH_DATA_DIR": str(folder / "data"), "FACEAUTH_MODELS_DIR": str(models_dir.absolute())}
    return Elsewhere(environment / "bin", folder, kept | ours)


def test_the_wheel_is_what_runs(elsewhere: Elsewhere) -> None:
    done = elsewhere.run("python", "-c", "import faceauth; print(faceauth.__file__)")
    assert done.stdout.startswith(str(elsewhere.folder))


def test_the_command_line_is_a_module_too(elsewhere: Elsewhere) -> None:
    done = elsewhere.run("python", "-m", "faceauth", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "python -m faceauth" in done.stdout


def test_the_doctor_misses_only_what_the_operator_has_to_say(elsewhere: Elsewhere) -> None:
    """R28: who decides and whose law applies; an installation made a moment ago cannot know."""
    made = elsewhere.run("faceauth", "init", "--json")
    assert made.returncode == 0, made.stderr
    seen = elsewhere.run("faceauth", "doctor", "--json")
    told = json.loads(seen.stdout)
    assert told["ok"] is True, seen.stdout
    assert [one["name"] for one in told["findings"] if one["state"] != "ok"] == ["receipts"]


def test_a_session_from_the_wheel(elsewhere: Elsewhere) -> None:
    """Consent, enrolment, login and withdrawal, with a simulated camera; tests/e2e has the story over HTTP."""
    done = elsewhere.run("python", ROOT / "tests" / "wheel_session.py")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])  # after what the pipeline logs
    assert told.pop("package").startswith(str(elsewhere.folder))
    assert told == {
        "enrol": "accepted",
        "verify": "accepted",
        "amr": ["face"],
        "somebody_else": "denied",
        "after_withdrawal": "consent_required",
    }


# --- the container image ---------------------------------------------------------------------------------------


def logical_lines(name: str) -> list[str]:
    """Return a file's lines without comments, continued ones joined, white space made one."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [
        " ".join(line.split()) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


def commands(name: str) -> list[str]:
    """Return what a file does to install: its pip and faceauth commands, without how the programs are called."""
    found = []
    for line in logical_lines(name):
        if match := re.search(r"(?:\$\(PIP\)|python -m pip) (install .*)", line):
            found.append("pip " + match[1])
        elif match := re.search(r"(faceauth models install .*)", line):
            found.append(match[1])
    return found


def test_the_image_is_made_as_the_makefile_does_it() -> None:
    lines = [line for line in commands("Makefile") if not re.search("dev.lock|--group", line)]
    made = [line.replace(" -e .", " .") for line in lines]
    assert commands("Dockerfile") == made
    assert len(made) == 3


def test_the_image_has_the_lock_and_what_the_wheel_needs() -> None:
    allowed = {line[1:] for line in logical_lines(".dockerignore") if line.startswith("!")}
    copied = set()
    for line in logical_lines("Dockerfile"):
        if line.startswith("COPY ") and "--from" not in line:
            copied |= set(line.split()[1:-1])
    assert copied == allowed == {"faceauth", "requirements/run.lock", "pyproject.toml", "README.md", "LICENSE"}
    assert all((ROOT / name).exists() for name in copied)


def test_the_image_runs_as_nobody_and_keeps_the_keyring_apart() -> None:
    lines = logical_lines("Dockerfile")
    stages = [index for index, line in enumerate(lines) if line.startswith("FROM ")]
    last = lines[stages[-1] :]
    assert len(stages) == 2
    assert "USER faceauth" in last
    assert last.index("USER faceauth") < next(i for i, line in enumerate(last) if line.startswith("CMD "))
    assert any(line.startswith("HEALTHCHECK ") and "/readyz" in line for line in last)
    settings = dict(re.findall(r"(FACEAUTH_\w+)=(\S+)", " ".join(last)))
    data, keyring = Path(settings["FACEAUTH_DATA_DIR"]), Path(settings["FACEAUTH_KEYS__FILE"])
    assert data not in keyring.parents
    volumes = json.loads(next(line for line in last if line.startswith("VOLUME ")).removeprefix("VOLUME "))
    assert volumes == [str(data), str(keyring.parent)]


def test_the_compose_file_keeps_the_same_folders() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"- (\w+):(/var/lib/faceauth[\w-]*)$", text, re.MULTILINE) == [
        ("data", "/var/lib/faceauth"),
        ("keys", "/var/lib/faceauth-keys"),
    ]
