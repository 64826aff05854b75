"""`faceauth models`: list, install, verify and describe model packs."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from faceauth.bench.rates import Rate
from faceauth.cli.console import Json, console, fail, note, print_json, progress_bar
from faceauth.cli.thresholds import thresholds
from faceauth.db.upgrade import check
from faceauth.embed.fileset import FileSet
from faceauth.embed.install import install as install_pack
from faceauth.embed.install import is_installed
from faceauth.embed.install import verify as verify_pack
from faceauth.embed.manifest import PackSpec, PointSpec, any_spec, load_manifest
from faceauth.embed.passive_spec import PassiveSpec
from faceauth.errors import StorageError
from faceauth.installation import databases
from faceauth.settings import Settings, load_settings
from faceauth.vault.enrolled import count_enrolled

app = typer.Typer(help="List, install and verify model packs.", no_args_is_help=True)

app.command()(thresholds)

PackName = Annotated[str, typer.Argument(help="The pack's name.", show_default=False)]


@app.callback()
def group() -> None:
    """List, install and verify model packs."""


def _state(spec: FileSet, settings: Settings) -> str:
    if spec.not_installable:
        return "not yet"
    return "installed" if is_installed(spec.name, settings.models_dir, settings.models_manifest) else "no"


@app.command("list")
def list_packs(as_json: Json = False) -> None:
    """Show every pack: whether it is installed, its licence, what it is."""
    settings = load_settings()
    rows = [
        {
            "name": spec.name,
            "installed": _state(spec, settings),
            "kind": "passive" if isinstance(spec, PassiveSpec) else "embedder",
            "active": spec.name in {settings.model_pack, settings.pad_pack},
            "accept_licence": spec.accept_licence,
            "licence": spec.licence,
            "title": spec.title,
        }
        for spec in load_manifest(settings.models_manifest).all.values()
    ]
    if as_json:
        print_json(rows)
        return
    from rich.table import Table  # noqa: PLC0415  Rich is slow to import and --json can do without it

    table = Table(box=None, pad_edge=False)
    for heading in ("pack", "installed", "licence", "what it is"):
        table.add_column(heading)
    for row in rows:
        name = f"{row['name']} (active)" if row["active"] else str(row["name"])
        table.add_row(name, str(row["installed"]), str(row["licence"]), str(row["title"]))
    console().print(table)


@app.command()
def install(
    pack: PackName,
    from_dir: Annotated[
        Path | None,
        typer.Option(
            "--from", help="A folder with the files, or with what they are made from.", show_default=False
        ),
    ] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="I have read the pack's licence and accept it.")
    ] = False,
) -> None:
    """Fetch or convert a pack's files, check their digests, and put them into the models folder."""
    settings = load_settings()
    spec = any_spec(pack, settings.models_manifest)
    if spec.accept_licence and accept_licence:
        # Also shown to whoever accepts at once; without the option, the refusal names both.
        note(f"{pack} comes under this licence: {spec.licence}. Its text: {spec.licence_url}")
    with progress_bar() as progress:
        install_pack(
            pack,
            settings.models_dir,
            manifest=settings.models_manifest,
            accept_licence=accept_licence,
            from_dir=from_dir,
            progress=progress,
        )
    note(f"{pack} is installed in {settings.models_dir / pack}. Licence: {spec.licence}.")
    if isinstance(spec, PackSpec) and not spec.operating_points:
        note(f"Nothing was measured with {pack} yet: see docs/models.md before it decides anything.")


@app.command()
def verify(
    pack: Annotated[str | None, typer.Argument(help="The pack; every installed one if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Check the digest of every file of a pack."""
    settings = load_settings()
    models_dir, manifest = settings.models_dir, settings.models_manifest
    names = [pack] if pack else [name for name in load_manifest(manifest).all if (models_dir / name).is_dir()]
    if not names:
        fail(f"No pack is installed in {models_dir}. Run: faceauth models install open")
    problems = {name: verify_pack(name, models_dir, manifest) for name in names}
    if as_json:
        print_json({name: {"ok": not found, "problems": found} for name, found in problems.items()})
    else:
        for name, found in problems.items():
            if not found:
                console().print(f"{name}: every file is the one the manifest names", markup=False)
    broken = [name for name, found in problems.items() if found]
    if broken:
        told = " ".join(problem for name in broken for problem in problems[name])
        fail(f"{', '.join(broken)}: {told} Run: faceauth models install {broken[0]}")


@app.command()
def info(pack: PackName, as_json: Json = False) -> None:
    """Say what a pack is made of, where it comes from, what was measured with it and who is enrolled with it."""
    settings = load_settings()
    spec = any_spec(pack, settings.models_manifest)
    told: dict[str, Any] = {
        "name": spec.name,
        "title": spec.title,
        "installed": _state(spec, settings),
        "licence": spec.licence,
        "licence_url": spec.licence_url,
        **(_embedding(spec, settings) if isinstance(spec, PackSpec) else {}),
        **(_passive(spec) if isinstance(spec, PassiveSpec) else {}),
        "files": [
            {"name": one.name, "sha256": one.sha256, "size": one.size, "licence": one.licence}
            for one in spec.files
        ],
    }
    if as_json:
        print_json(told)
    else:
        _print_info(told)


def _embedding(spec: PackSpec, settings: Settings) -> dict[str, Any]:
    return {
        "detector": spec.detector.kind,
        "dimension": spec.embedder.dimension,
        "chip": f"{spec.embedder.size}×{spec.embedder.size}" + (", cut twice" if spec.embedder.recut else ""),
        "model_digest": spec.model_digest().hex(),
        "pack_digest": spec.pack_digest().hex(),
        "operating_points": [_measured(name, one) for name, one in spec.operating_points.items()],
        "enrolled": _enrolled(spec, settings),
    }


def _passive(spec: PassiveSpec) -> dict[str, Any]:
    sees = [f"box × {one.box}" if one.box else "five landmarks" for one in spec.networks]
    return {"looks_at": ", ".join(sees), "chip": f"{spec.networks[0].size}×{spec.networks[0].size}"}


def _measured(name: str, point: PointSpec) -> dict[str, Any]:
    """Describe a point; its threshold is left out, because it would help whoever tries faces (R24)."""
    missed = Rate(round(point.fnmr * point.mated), point.mated)
    return {
        "name": name,
        "fmr": point.fmr,
        "fmr_interval": (point.fmr_lower, point.fmr_upper),
        "fmr_upper": point.fmr_upper,
        "comparisons": point.comparisons,
        "fnmr": point.fnmr,
        "fnmr_interval": missed.interval,
        "mated": point.mated,
        "source": point.source,
    }


def _enrolled(spec: PackSpec, settings: Settings) -> list[dict[str, Any]] | None:
    """Count who is enrolled with the pack; nothing where there is no database to ask."""
    data, keys = databases(settings)
    try:
        if not data.exists():
            return None
        check(data, keys)
        with data.read() as conn:
            return [asdict(one) for one in count_enrolled(conn, model_digest=spec.model_digest())]
    except StorageError as error:
        note(f"warning: who is enrolled is not known: {error}")
        return None
    finally:
        data.dispose()
        keys.dispose()


def _print_info(told: dict[str, Any]) -> None:
    def line(name: str, value: object) -> None:
        out.print(f"{name:<13} {value}", markup=False)

    out = console()
    for name, value in told.items():
        if isinstance(value, str | int):
            line(name.replace("_", " "), value)
    for one in told["files"]:
        line("file", f"{one['name']}  {one['licence']}  sha256 {one['sha256']}")
    if "operating_points" not in told:
        return
    for one in told["operating_points"]:
        least, most = one["fmr_interval"]
        low, high = one["fnmr_interval"]
        line("measured", f"{one['name']}: FMR {least:.3g} to {most:.3g} (95 %, n = {one['comparisons']:,}),")
        line("", f"FNMR {one['fnmr']:.4f} [{low:.4f}, {high:.4f}] (n = {one['mated']:,}); {one['source']}")
    if not told["operating_points"]:
        line("measured", "nothing yet: this pack decides nothing (docs/models.md)")
    for one in told["enrolled"] or ():
        people = f"{one['accounts']:,} accounts, {one['references']:,} references"
        line("enrolled", f"{one['scenario']} ({one['tenant']}): {people}")
    if not told["enrolled"]:
        line("enrolled", "no database yet" if told["enrolled"] is None else "nobody")
