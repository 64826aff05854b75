"""The rules of the house, read from the code's syntax trees. Each returns what it found, one line a breach.

Run as a program (`make house`), it prints every breach; `test_house.py` holds the same, and that each can fail.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "faceauth"

BASE = {"errors", "types", "geometry", "clock", "bearer", "sections", "settings", "signing", "db"}
STAGES = {"capture", "liveness", "embed", "match", "vault", "consent", "identity", "oidc", "outbox"}
BELOW_PIPELINE = BASE | STAGES | {"audit"}
COMPOSERS = {
    *(
        "sessions",
        "charging",
        "comparing",
        "sameness",
        "lifecycle",
        "pipeline",
        "posting",
        "proving",
        "refusing",
        "search",
        "streaming",
        "renewal",
        "filling",
        "restoring",
        "thresholds",
        "two_people",
    ),
    *("assembly", "installation"),
}

ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "types": set(),
    "geometry": set(),
    "clock": set(),
    "bearer": set(),
    "sections": set(),
    "settings": {"errors", "sections"},
    "signing": {"errors"},
    "db": {"errors", "clock"},
    "audit": BASE,
    **dict.fromkeys(STAGES, BASE | {"audit"}),
    "simulate": {"errors", "types"},
    "sessions": BELOW_PIPELINE,
    "lifecycle": BELOW_PIPELINE,
    "pipeline": BELOW_PIPELINE
    | {"renewal", "charging", "comparing", "sameness", "posting", "proving", "refusing"},
    "search": BELOW_PIPELINE,
    "charging": BELOW_PIPELINE,
    "comparing": BELOW_PIPELINE | {"renewal", "sameness", "search", "thresholds"},
    "thresholds": BELOW_PIPELINE,
    "sameness": BELOW_PIPELINE,
    "posting": BELOW_PIPELINE,
    "proving": BELOW_PIPELINE,
    "refusing": BELOW_PIPELINE | {"charging", "proving"},
    "streaming": BELOW_PIPELINE | {"charging", "pipeline"},
    "renewal": BELOW_PIPELINE,
    "two_people": BELOW_PIPELINE | {"lifecycle", "thresholds"},
    "restoring": BELOW_PIPELINE,
    "filling": BELOW_PIPELINE,
    "assembly": BELOW_PIPELINE | COMPOSERS,
    "installation": BELOW_PIPELINE | COMPOSERS,
    "privacy": BELOW_PIPELINE | COMPOSERS,
    "retention": BELOW_PIPELINE | COMPOSERS,
    "schedule": BELOW_PIPELINE | COMPOSERS,
    "asking": BELOW_PIPELINE | COMPOSERS,
    "campaigns": BELOW_PIPELINE | COMPOSERS | {"asking"},
    "binding": BELOW_PIPELINE | COMPOSERS,
    "console": BELOW_PIPELINE | COMPOSERS,
    "console_openid": BELOW_PIPELINE | COMPOSERS | {"console"},
    "incidents": BELOW_PIPELINE | COMPOSERS | {"telling"},
    "telling": BELOW_PIPELINE,
    "statistics": BELOW_PIPELINE | COMPOSERS,
    "issuing": BELOW_PIPELINE | COMPOSERS,
    "people": BELOW_PIPELINE | COMPOSERS,
    "packs": BELOW_PIPELINE | COMPOSERS | {"bench"},
    "inventory": BELOW_PIPELINE | COMPOSERS,
    "introspection": BELOW_PIPELINE | COMPOSERS,
    "flows": BELOW_PIPELINE | COMPOSERS,
    "granting": BELOW_PIPELINE | COMPOSERS,
    "openid": BELOW_PIPELINE | COMPOSERS | {"granting"},
    "linking": BELOW_PIPELINE | COMPOSERS,
    "bench": BELOW_PIPELINE | COMPOSERS | {"simulate", "asking", "campaigns"},
    "demo": BELOW_PIPELINE | COMPOSERS | {"simulate"},
    "__init__": set(),
    "__main__": {"cli"},
    "models": set(),
    "web": set(),
    "api": BELOW_PIPELINE
    | COMPOSERS
    | {"introspection", "campaigns", "console", "console_openid", "issuing", "people", "packs"}
    | {
        "incidents",
        "statistics",
        "inventory",
        "retention",
        "schedule",
        "binding",
        "flows",
        "linking",
        "openid",
        "privacy",
        "web",
    },
    "cli": BELOW_PIPELINE
    | COMPOSERS
    | {"asking", "campaigns"}
    | {"incidents", "statistics", "inventory", "retention", "simulate", "bench", "demo", "api"},
}
"""Every room and the rooms it may import besides itself: cli, api → pipeline → stages → types. A stage knows no
other stage."""

MAKERS = {
    "LiveCapture": "liveness",
    "Probe": "embed",
    "ConsentGrant": "consent",
    "MatchDecision": "match",
    "DeviceProof": "identity",
}
"""Who alone may make the types that say something was checked."""

FRAMEWORKS = {"fastapi": {"api"}, "starlette": {"api"}, "uvicorn": {"api", "cli"}, "typer": {"cli"}}
"""HTTP is the api's business, the command line the cli's; no other room knows of them."""

REPOSITORIES = {
    "audit/affected.py",
    "audit/log.py",
    "audit/register.py",
    "audit/tree.py",
    "audit/usage.py",
    "capture/flow.py",
    "capture/seen_frames.py",
    "capture/seen_views.py",
    "capture/session.py",
    "consent/accounts.py",
    "consent/drafts.py",
    "consent/campaigns.py",
    "consent/events.py",
    "consent/gate.py",
    "consent/ledger.py",
    "consent/notices.py",
    "consent/questions.py",
    "consent/people.py",
    "consent/scenarios.py",
    "consent/standing.py",
    "consent/terms.py",
    "identity/apikeys.py",
    "identity/approvals.py",
    "identity/attempts.py",
    "identity/privacy_links.py",
    "identity/console_logins.py",
    "identity/console_sessions.py",
    "identity/places.py",
    "identity/rates.py",
    "oidc/asking.py",
    "oidc/clients.py",
    "oidc/export.py",
    "oidc/grants.py",
    "oidc/links.py",
    "identity/devices.py",
    "liveness/observations.py",
    "match/accepted.py",
    "outbox/endpoints.py",
    "outbox/messages.py",
    "vault/erasure.py",
    "vault/journal.py",
    "vault/keyring.py",
    "vault/keystore.py",
    "vault/enrolled.py",
    "vault/gallery.py",
    "vault/quarantine.py",
    "vault/references.py",
    "vault/scope.py",
    "vault/tombstones.py",
    "vault/wrapped.py",
}
"""Where SQL is. `db/` is the engine itself and stands beside this list."""

ANYONE = {"Connection", "Row", "RowMapping"}
"""What any module may name of SQLAlchemy: types to pass on, nothing that makes a statement."""

ENVIRONMENT = {"settings.py": "the one reader", "__init__.py": "sets one, to switch telemetry off; reads none"}
"""Which files may read the environment, and why."""

SECRET_WORDS = (
    *("vector", "embedding", "landmark", "pixel", "chip", "sealed"),
    *("score", "distance", "margin", "cosine", "similarity", "threshold"),
    *("secret", "token", "password"),
)
"""What no log line may name (R9, R24)."""

LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "msg", "log", "bind"}
LOGGERS = {"log", "logger", "logging", "structlog", "get_logger", "getLogger"}

DRAWERS = {"util", "utils", "helper", "helpers", "common", "misc"}
LONGEST_FILE = 400


@cache
def nodes(text: str) -> tuple[ast.AST, ...]:
    """Return every node of a module; several rules go through the same ones."""
    return tuple(ast.walk(ast.parse(text)))


def modules() -> Iterator[tuple[str, str]]:
    """Yield every module's path inside the package and its text; migrations are history and stay as they are."""
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE).as_posix()
        if not inside.startswith("db/migrations/versions/"):
            yield inside, path.read_text(encoding="utf-8")


def room_of(path: str) -> str:
    """Return the room a module stands in: its folder, or its own name."""
    return path.split("/", maxsplit=1)[0].removesuffix(".py")


def check_imports(path: str, text: str) -> list[str]:
    """Imports run one way, and none is relative."""
    room = room_of(path)
    if room not in ROOMS:
        return [f"{path}: the room {room!r} is not in the table of rooms"]
    found = []
    for module, line in _imports(text):
        parts = module.split(".")
        if module.startswith("."):
            found.append(f"{path}:{line}: a relative import")
        elif parts[0] in FRAMEWORKS and room not in FRAMEWORKS[parts[0]]:
            found.append(f"{path}:{line}: {parts[0]} is not this room's business")
        elif parts[0] == "tests" or (
            parts[0] == "faceauth" and parts[1:] and parts[1] not in ROOMS[room] | {room}
        ):
            found.append(f"{path}:{line}: {room} may not import {module}")
    return found


def check_makers(path: str, text: str) -> list[str]:
    """Only the verifier makes the verified type, under its own name."""
    found = []
    for node in nodes(text):
        if isinstance(node, ast.Call):
            name = _last_name(node.func)
            if name in MAKERS and room_of(path) != MAKERS[name]:
                found.append(f"{path}:{node.lineno}: makes a {name}, which only {MAKERS[name]} may")
        elif isinstance(node, ast.ImportFrom):
            found += [
                f"{path}:{node.lineno}: {alias.name} under another name cannot be followed"
                for alias in node.names
                if alias.name in MAKERS and alias.asname not in {None, alias.name}
            ]
    return found


def check_environment(path: str, text: str) -> list[str]:
    """Only settings.py reads the environment."""
    if path in ENVIRONMENT:
        return []
    names = {"environ", "environb", "getenv", "getenvb"}
    found = []
    for node in nodes(text):
        attribute = isinstance(node, ast.Attribute) and node.attr in names and _last_name(node.value) == "os"
        imported = (
            isinstance(node, ast.ImportFrom) and node.module == "os" and {a.name for a in node.names} & names
        )
        if (attribute or imported) and isinstance(node, ast.Attribute | ast.ImportFrom):
            found.append(f"{path}:{node.lineno}: reads the environment; add a setting instead")
    return found


def check_sql(path: str, text: str) -> list[str]:
    """SQL only in repositories, and transactions are ended by the block that began them."""
    found = []
    trusted = path in REPOSITORIES or room_of(path) == "db"
    for node in nodes(text):
        if isinstance(node, ast.Call) and _last_name(node.func) in {"commit", "rollback"}:
            found.append(f"{path}:{node.lineno}: ends a transaction that a `with` block should end")
        if trusted:
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy":
            names = {alias.name for alias in node.names} - ANYONE
            # Telling a refused row from a failure is reading an error, not making SQL.
            names -= {"IntegrityError"} if node.module == "sqlalchemy.exc" else set()
            found += [f"{path}:{node.lineno}: {name} of SQLAlchemy outside a repository" for name in sorted(names)]
        elif isinstance(node, ast.Import) and any(a.name.split(".")[0] == "sqlalchemy" for a in node.names):
            found.append(f"{path}:{node.lineno}: SQLAlchemy outside a repository")
        elif isinstance(node, ast.Call) and _last_name(node.func) == "exec_driver_sql":
            found.append(f"{path}:{node.lineno}: SQL outside a repository")
    return found


def check_logs(path: str, text: str) -> list[str]:
    """No log call names a vector, a score or a secret, in its words or in what it is given."""
    found = []
    for node in nodes(text):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in LOG_METHODS or not _is_logger(node.func.value):
            continue
        named = " ".join(_names(node)).lower()
        found += [f"{path}:{node.lineno}: a log call names {word!r}" for word in SECRET_WORDS if word in named]
    return found


def check_files(path: str, text: str) -> list[str]:
    """No drawers for odds and ends, and no file too long to read at once."""
    found = [
        f"{path}: {part!r} is a drawer; name the idea"
        for part in Path(path).with_suffix("").parts
        if part in DRAWERS
    ]
    lines = text.count("\n")
    return [*found, f"{path}: {lines} lines"] if lines > LONGEST_FILE else found


CHECKS = (check_imports, check_makers, check_environment, check_sql, check_logs, check_files)


def _imports(text: str) -> Iterator[tuple[str, int]]:
    for node in nodes(text):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            # `from faceauth import vault` names a room as well as `import faceauth.vault` does.
            names = [f"faceauth.{alias.name}" for alias in node.names] if module == "faceauth" else [module]
            yield from ((name, node.lineno) for name in names)


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


def _is_logger(node: ast.expr) -> bool:
    while isinstance(node, ast.Call):
        node = node.func
        if isinstance(node, ast.Attribute) and node.attr in LOG_METHODS:
            node = node.value
    name = _last_name(node)
    return name is not None and name.lstrip("_").lower() in {known.lower() for known in LOGGERS}


def _names(call: ast.Call) -> Iterator[str]:
    for node in ast.walk(call):
        if isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _main() -> int:
    read = list(modules())
    found = [line for check in CHECKS for path, text in read for line in check(path, text)]
    for line in found:
        print(line)  # noqa: T201  it is a program here
    print(f"The rules of the house: {len(read)} modules read, {len(found)} breaches.")  # noqa: T201  the same
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(_main())
