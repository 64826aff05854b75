"""`faceauth migrate`: how far the change to a new model pack has come, and its end."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from faceauth.cli.approvals import By, named, say_waits
from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.db.tenants import DEFAULT_TENANT
from faceauth.db.upgrade import check
from faceauth.embed.manifest import load_manifest, pack_spec
from faceauth.errors import ConfigurationError
from faceauth.installation import databases, open_installation
from faceauth.renewal import erase_model
from faceauth.settings import Settings, load_settings
from faceauth.two_people import retire_model
from faceauth.vault.enrolled import count_enrolled, models_enrolled

app = typer.Typer(help="Move people to a new model pack without asking everyone again.", no_args_is_help=True)

Pack = Annotated[
    str | None,
    typer.Option("--pack", help="The pack that was replaced, instead of FACEAUTH_MODEL_PACK_BEFORE."),
]


@app.callback()
def group() -> None:
    """Move people to a new model pack without asking everyone again."""


@app.command()
def status(as_json: Json = False) -> None:
    """Count accounts and references by scenario and model: who has moved, and who has not."""
    settings = load_settings()
    for named_pack in filter(None, (settings.model_pack, settings.model_pack_before)):
        pack_spec(named_pack, settings.models_manifest)  # a slip of the pen would pass for a finished change
    rows = _counted(settings)
    left = sum(row["accounts"] for row in rows if not row["active"])
    if as_json:
        print_json(
            {"pack": settings.model_pack, "before": settings.model_pack_before, "models": rows, "left": left}
        )
        return
    from rich.table import Table  # noqa: PLC0415  Rich is slow to import and --json can do without it

    table = Table(box=None, pad_edge=False)
    for heading in ("tenant", "scenario", "model", "accounts", "references"):
        table.add_column(heading)
    for row in rows:
        model = f"{row['pack']} (active)" if row["active"] else row["pack"]
        counts = (f"{row['accounts']:,}", f"{row['references']:,}")
        table.add_row(row["tenant"], row["scenario"], model, *counts)
    if not rows:
        note("Nobody is enrolled.")
        return
    console().print(table)
    note("Everyone has moved." if not left else f"Still to move: {left:,}, each at the next login.")


@app.command()
def finish(by: By, pack: Pack = None) -> None:
    """Erase what is left of the pack before; two people, so ask, and run it again. Consents stay."""
    settings, actor = load_settings(), named(by)
    name, digest = _replaced(settings, pack)
    left = [row for row in _counted(settings) if row["model_digest"] == digest.hex()]
    if not left:
        note(f"Nothing is left of {name}. Unset FACEAUTH_MODEL_PACK_BEFORE and restart the service.")
        return
    accounts, references = (sum(row[key] for row in left) for key in ("accounts", "references"))
    installation = open_installation(settings)
    try:
        with progress_bar() as show:
            done = retire_model(
                name,
                digest,
                data=installation.data,
                approvals=installation.approvals,
                erase=lambda approved: erase_model(
                    installation.data,
                    installation.erasure,
                    installation.audit,
                    model_digest=digest,
                    pack=name,
                    actor=actor,
                    approved=approved,
                    progress=lambda done, total: show("erasing", done, total),
                ),
                tenant=DEFAULT_TENANT,
                actor=actor,
            )
    finally:
        installation.close()
    if done.told is None:
        note(f"{references:,} references of {accounts:,} enrolments were made by {name}; gone is gone.")
        say_waits(done.approval)
        return
    console().print(done.told, markup=False)
    note("Unset FACEAUTH_MODEL_PACK_BEFORE and restart the service: it may still hold them in memory.")


def _replaced(settings: Settings, pack: str | None) -> tuple[str, bytes]:
    name = pack or settings.model_pack_before
    if not name:
        raise ConfigurationError("Say which pack was replaced: set FACEAUTH_MODEL_PACK_BEFORE, or give --pack.")
    digest = pack_spec(name, settings.models_manifest).model_digest()
    if digest == pack_spec(settings.model_pack, settings.models_manifest).model_digest():
        raise ConfigurationError(f"{name} is the model that decides. It is not erased; people withdraw instead.")
    return name, digest


def _counted(settings: Settings) -> list[dict[str, Any]]:
    """Return one row a model and scenario, the active model first."""
    packs = load_manifest(settings.models_manifest).packs.values()
    active = pack_spec(settings.model_pack, settings.models_manifest).model_digest()
    data, keys = databases(settings)
    try:
        check(data, keys)
        with data.read() as conn:
            found = [
                (digest, one)
                for digest in models_enrolled(conn)
                for one in count_enrolled(conn, model_digest=digest)
            ]
    finally:
        data.dispose()
        keys.dispose()
    rows = [
        {
            "tenant": one.tenant,
            "scenario": one.scenario,
            "pack": _named(digest, ((spec.name, spec.model_digest()) for spec in packs)),
            "active": digest == active,
            "model_digest": digest.hex(),
            "accounts": one.accounts,
            "references": one.references,
        }
        for digest, one in found
    ]
    return sorted(rows, key=lambda row: (row["tenant"], row["scenario"], not row["active"], row["pack"]))


def _named(digest: bytes, packs: Iterable[tuple[str, bytes]]) -> str:
    """Name the packs that embed with this model; two packs may share an embedder."""
    names = [name for name, one in packs if one == digest]
    return ", ".join(names) or f"unknown ({digest.hex()[:12]}…)"
