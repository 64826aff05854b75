"""`faceauth bench service`: logins a second and how long they take, against a service of its own."""

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from pydantic import SecretStr

from faceauth.cli.bench_serving import cpu_s, portrait_head, resident_mb, serving
from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.settings import Settings, load_settings

if TYPE_CHECKING:
    from faceauth.bench.embeddings import Progress
    from faceauth.bench.stream import Clips

FASTEST: Final = 20
"""Logins a second that are prepared for: no machine with a few cores gets through more of them."""


def service(  # noqa: PLR0917  Typer calls it, by name
    at_once: Annotated[
        list[int] | None, typer.Option("--at-once", min=1, help="Logins at once; again for more levels.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long each level lasts.")] = 20,
    postgresql: Annotated[
        str | None,
        typer.Option("--postgresql", help="An empty PostgreSQL database, measured too.", show_default=False),
    ] = None,
    logins: Annotated[int, typer.Option("--logins", min=1, help="Logins that are looked into by stage.")] = 20,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON and the plot.")] = Path(
        "artefacts/service"
    ),
    as_json: Json = False,
) -> None:
    """Log in with simulated heads over HTTP: logins a second, waiting times, CPU by stage, memory."""
    from faceauth.bench.machine import environment_json  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.stream import render_clips  # noqa: PLC0415  as above
    from faceauth.embed.manifest import pack_spec  # noqa: PLC0415  as above

    settings, loaded = load_settings(), os.getloadavg()[0]
    spec = pack_spec(settings.model_pack, settings.models_manifest)
    addresses = {"SQLite": None, **({} if postgresql is None else {"PostgreSQL": SecretStr(postgresql)})}
    with progress_bar() as show:
        show("rendering the clips", 0, 1)
        clips = render_clips(portrait_head(settings))
        show("rendering the clips", 1, 1)
        databases = {}
        for name, address in addresses.items():
            with tempfile.TemporaryDirectory(prefix="faceauth-bench-") as folder:
                ours = settings.model_copy(update={"data_dir": Path(folder) / "data", "database_url": address})
                levels = at_once or [1, 2, 4, 8, 16]
                databases[name] = _measure(ours, clips, name, levels, seconds=seconds, logins=logins, show=show)
    report: dict[str, Any] = {
        "schema": "faceauth/bench/service/v1",
        **environment_json(),
        "pack": {"name": settings.model_pack, "pack_digest": spec.pack_digest().hex()},
        "load_average": {"before": round(loaded, 1), "after": round(os.getloadavg()[0], 1)},
        "databases": databases,
    }
    out.mkdir(parents=True, exist_ok=True)
    file = out / "service.json"
    file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        _print(report)
    note(f"Written: {file}")


def _measure(
    settings: Settings,
    clips: "Clips",
    name: str,
    levels: list[int],
    *,
    seconds: float,
    logins: int,
    show: "Progress",
) -> dict[str, Any]:
    """Enrol people who look like the clips' head, then log them in: stage by stage, then level by level."""
    from faceauth.bench.login_stages import login_stages  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.recognisers import Ours  # noqa: PLC0415  as above
    from faceauth.bench.service import log_in_many  # noqa: PLC0415  as above
    from faceauth.bench.synthetic_installation import enrol_alike  # noqa: PLC0415  as above
    from faceauth.embed.packs import load_pack  # noqa: PLC0415  as above
    from faceauth.installation import create_installation, open_installation  # noqa: PLC0415  as above

    create_installation(settings)
    pack = load_pack(settings.model_pack, settings.models_dir, settings.models_manifest)
    vector = Ours.of(pack).embed(clips["turn_left:s1"][0])
    assert vector is not None  # noqa: S101  it is the head that all frames show
    needed = 2 * logins + 1 + round(FASTEST * seconds * len(levels))
    enrolled: Iterator[str] = iter(
        enrol_alike(settings, vector, model_digest=pack.embedder.model_digest, count=needed)
    )
    installation = open_installation(settings)
    try:
        stages = login_stages(installation, clips, enrolled, logins=logins, progress=show)
    finally:
        installation.close()
    rows = []
    with serving(settings, fresh=False) as (address, key, pid):
        for number, level in enumerate(levels):
            show(f"logging in, {name}", number, len(levels))
            before = cpu_s(pid)
            load = asyncio.run(
                log_in_many(clips, enrolled, address=address, key=key, at_once=level, seconds=seconds)
            )
            now_mb, most_mb = resident_mb(pid)
            each = (cpu_s(pid) - before) / max(1, sum(load.outcomes.values()))
            memory = {"resident_mb": round(now_mb), "resident_mb_most": round(most_mb)}
            rows.append({"at_once": level, **load.as_json(), "cpu_ms_a_login": round(1000 * each), **memory})
        show(f"logging in, {name}", len(levels), len(levels))
    return {"stages": stages.as_json(), "levels": rows}


def _print(report: dict[str, Any]) -> None:
    shown = console()
    for name, found in report["databases"].items():
        stages = found["stages"]
        shown.print(f"{name}: {stages['whole_ms']} ms of CPU a login without HTTP, of these", markup=False)
        for stage, spent in stages["stages"].items():
            shown.print(f"  {stage}: {spent['ms']} ms, {100 * spent['share']:.1f} %", markup=False)
        for row in found["levels"]:
            told = ", ".join(f"{key} {row['post_ms'].get(key)}" for key in ("p50", "p95", "p99"))
            shown.print(
                f"{row['at_once']} at once: {row['per_s']} logins a second, post {told} ms, "
                f"{row['cpu_ms_a_login']} ms of CPU a login, {row['resident_mb']} MB; {row['outcomes']}, "
                f"turned away {row['shed']} times",
                markup=False,
            )
