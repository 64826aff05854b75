"""Whether the passive models are there for the scenarios that ask for them; told at start and by doctor."""

from sqlalchemy import Connection

from faceauth.cli.console import note
from faceauth.consent.scenarios import ScenarioStore
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.embed.install import is_installed, verify
from faceauth.embed.manifest import passive_spec
from faceauth.installation import Installation
from faceauth.liveness.profiles import PROFILES
from faceauth.settings import Settings


def asking(conn: Connection, scenarios: ScenarioStore) -> list[str]:
    """Return the active scenarios whose level names the passive models."""
    return [
        one.scenario
        for one in scenarios.list(conn, DEFAULT_TENANT)
        if one.state == "active" and one.liveness_profile in PROFILES and PROFILES[one.liveness_profile].passive
    ]


def problem(settings: Settings, asked_by: list[str]) -> str | None:
    """Say what is wrong with the passive pack, or nothing.

    Args:
        settings: name the pack and its place.
        asked_by: the scenarios that need it.

    Raises:
        ConfigurationError, ModelError: the manifest is wrong, or has no such passive pack.
    """
    name = settings.pad_pack
    if name and is_there(settings):
        problems = verify(name, settings.models_dir, settings.models_manifest)
        return f"{name}: {' '.join(problems)} Run: faceauth models install {name}" if problems else None
    if not asked_by:
        return None
    wanted = f"Run: faceauth models install {name}" if name else "Set FACEAUTH_PAD_PACK=pad-minifasnet."
    return (
        f"Everybody is denied in {', '.join(asked_by)}: the level needs passive models, none are there. {wanted}"
    )


def is_there(settings: Settings) -> bool:
    """Say whether the pack that is set is installed.

    Raises:
        ConfigurationError, ModelError: as `problem`.
    """
    name, manifest = settings.pad_pack, settings.models_manifest
    return bool(name) and is_installed(passive_spec(name, manifest).name, settings.models_dir, manifest)


def warn(installation: Installation) -> None:
    """Say at start what would deny everybody; the service serves, for other scenarios may do without (R4)."""
    with installation.data.read() as conn:
        asked_by = asking(conn, installation.scenarios)
    if found := problem(installation.settings, asked_by):
        note(f"warning: {found}")
