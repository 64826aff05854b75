"""`faceauth bench pad`: how the liveness levels answer living people and attacks, on your own recordings."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from faceauth.cli.console import Json, fail, note, print_json, progress_bar
from faceauth.cli.measured import measured_pack
from faceauth.errors import ConfigurationError
from faceauth.settings import Settings, load_settings

if TYPE_CHECKING:
    from faceauth.bench.pad import Judge, Progress, Trial
    from faceauth.embed.packs import Pack


def pad(  # noqa: PLR0917  Typer calls it, by name
    data: Annotated[
        Path | None,
        typer.Option("--data", help="A folder of sessions, films and pictures, by label.", show_default=False),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="CSV: path, label, species; other files are left out.")
    ] = None,
    level: Annotated[
        list[str] | None, typer.Option("--level", help="A liveness level; again for more. All if left out.")
    ] = None,
    pack: Annotated[str | None, typer.Option("--pack", help="The pack; the settings' one if left out.")] = None,
    fixtures: Annotated[
        int, typer.Option("--fixtures", min=0, help="Film so many simulated sessions a species instead.")
    ] = 0,
    images: Annotated[
        Path | None, typer.Option("--images", help="Whose faces the simulated heads wear: a folder of folders.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the first simulated session.")] = 0,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="Write each simulated session's outcome into this file, and go on from it."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that film and judge.")] = 1,
    out: Annotated[Path, typer.Option("--out", help="Folder for the report.")] = Path("artefacts/pad"),
    observed: Annotated[
        bool, typer.Option("--observed", help="Tell what the service observed instead of judging anything.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Report APCER per species, BPCER and non-response of each liveness level, gate by gate and all together."""
    settings = load_settings()
    if observed:
        _observed(settings, as_json=as_json)
        return
    if (data is None) == (not fixtures):
        # Never both in one report: a simulated head is no person, and their rates are not to be added up.
        fail("Name a folder with --data, or a number of simulated sessions with --fixtures.")
    if labels is not None and data is None:
        fail("--labels lists paths within a folder. Name it with --data.")
    wanted = Wanted(settings, pack or settings.model_pack, tuple(level or ()))
    judge, loaded = wanted.load()
    if judge.passive is None:
        note("No passive pack is installed: the levels with +passive and single pictures are left out.")
    with progress_bar() as progress:
        trials = _trials(judge, data, labels, progress)
        if fixtures:
            trials += _simulated(wanted, images, (fixtures, seed), (resume, jobs), progress)
    _write(trials, out, pack=loaded.name, passive=settings.pad_pack if judge.passive else "", as_json=as_json)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What judges, by name: so little goes to other processes, which load it each for itself."""

    settings: Settings
    pack: str
    levels: tuple[str, ...]

    def load(self) -> "tuple[Judge, Pack]":
        """Load the pack and, where they are installed, the passive models."""
        from faceauth.bench.accuracy import service_detector  # noqa: PLC0415  networks are slow to import
        from faceauth.bench.pad import Judge, levels_of  # noqa: PLC0415  as above
        from faceauth.capture.faces import FaceReader  # noqa: PLC0415  as above
        from faceauth.embed.passive_packs import load_if_installed  # noqa: PLC0415  as above
        from faceauth.liveness.passive_models import PassiveNetworks  # noqa: PLC0415  as above

        settings = self.settings
        loaded = measured_pack(settings, self.pack)
        models = load_if_installed(settings.pad_pack, settings.models_dir, settings.models_manifest)
        judge = Judge(
            reader=FaceReader(service_detector(loaded), loaded.embedder.template),
            embedder=loaded.embedder,
            passive=None if models is None else PassiveNetworks(models.networks),
            levels=levels_of(self.levels, passive=models is not None),
            limits=settings.capture,
        )
        return judge, loaded

    def judge(self) -> "Judge":
        """Load what judges."""
        return self.load()[0]


def _trials(judge: "Judge", data: Path | None, labels: Path | None, progress: "Progress") -> "list[Trial]":
    from faceauth.bench.pad_items import read_items  # noqa: PLC0415  as above

    return [] if data is None else list(judge.items(read_items(data, labels), progress=progress))


def _simulated(
    wanted: Wanted,
    images: Path | None,
    count: tuple[int, int],
    how: tuple[Path | None, int],
    progress: "Progress",
) -> "list[Trial]":
    """Judge films of the simulated camera; a level and the same with passive models see the same films."""
    from faceauth.bench.accuracy import detector_of  # noqa: PLC0415  as above
    from faceauth.bench.pad_campaign import Outcomes, Plan, run  # noqa: PLC0415  as above
    from faceauth.bench.pad_fixtures import Portrait  # noqa: PLC0415  as above
    from faceauth.demo.people import folder_cast, group_cast  # noqa: PLC0415  as above

    judge, loaded = wanted.load()
    detector = detector_of(loaded)
    cast = group_cast(detector, progress=progress) if images is None else folder_cast(images, detector)
    portraits = [Portrait(one.first.image, one.first.landmarks) for one in cast.everybody]
    (sessions, seed), (file, jobs) = count, how
    plan = Plan(portraits, sessions, seed)
    outcomes = Outcomes(file, plan.fingerprint(judge, f"{loaded.name} {loaded.digest.hex()}"))
    told = partial(progress, "simulated sessions")
    return list(run(plan, wanted.judge, judge.levels, outcomes, jobs=jobs, progress=told))


def _write(trials: "list[Trial]", out: Path, *, pack: str, passive: str, as_json: bool) -> None:
    from faceauth.bench import pad_report  # noqa: PLC0415  as above
    from faceauth.bench.pad_plots import write_plots  # noqa: PLC0415  as above

    out.mkdir(parents=True, exist_ok=True)
    try:
        plots = write_plots(trials, out)
    except ConfigurationError as error:
        plots = ()
        note(f"warning: {error}")
    results = pad_report.summarise(trials)
    found = pad_report.as_json(results, pack=pack, passive=passive)
    text = pad_report.as_markdown(results, [file.name for file in plots], pack=pack, passive=passive)
    files = (out / "pad.md", out / "pad.json")
    files[0].write_text(text, encoding="utf-8")
    files[1].write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_json:
        print_json(found)
    else:
        typer.echo(text)
    note("Written: " + ", ".join(str(file) for file in (*files, *plots)))


def _observed(settings: Settings, *, as_json: bool) -> None:
    """Tell what the gates measured in the service, two lines a value: of accepted bursts, and of others."""
    from faceauth.bench.pad_observed import as_lines, summary  # noqa: PLC0415  as above
    from faceauth.clock import system_clock  # noqa: PLC0415  as above
    from faceauth.db.upgrade import check  # noqa: PLC0415  as above
    from faceauth.installation import databases  # noqa: PLC0415  as above
    from faceauth.liveness.observations import Observations  # noqa: PLC0415  as above

    data, keys = databases(settings)
    try:
        check(data, keys)
        table = Observations(random=bytes, days=settings.liveness.observe_days)
        with data.begin() as conn:
            table.expire(conn, now=system_clock())
            found = summary(table.outcomes(conn), table.measured(conn))
    finally:
        data.dispose()
        keys.dispose()
    if as_json:
        print_json(found)
        return
    lines = as_lines(found)
    typer.echo("\n".join(lines) if lines else "Nothing was observed. Set FACEAUTH_LIVENESS__OBSERVE=true.")
