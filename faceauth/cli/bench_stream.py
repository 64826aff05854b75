"""`faceauth bench stream`: guidance under load, against a service of its own on this machine."""

import asyncio
import json
import os
import tempfile
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faceauth.cli.bench_serving import Backend, cpu_s, portrait_head, serving
from faceauth.cli.console import Json, console, note, print_json, progress_bar
from faceauth.settings import load_settings

if TYPE_CHECKING:
    from faceauth.bench.stream import Opened


def stream(
    sessions: Annotated[int, typer.Option("--sessions", min=1, help="Sessions at once.")] = 50,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long new ones begin.")] = 30,
    out: Annotated[Path, typer.Option("--out", help="Folder for the JSON.")] = Path("artefacts/stream"),
    as_json: Json = False,
) -> None:
    """Stream many sessions at once to a service of its own, and measure how far guidance falls behind."""
    from faceauth.bench.machine import environment_json  # noqa: PLC0415  networks are slow to import
    from faceauth.bench.stream import render_clips, stream_load  # noqa: PLC0415  as above

    settings, loaded = load_settings(), os.getloadavg()[0]
    with progress_bar() as show:
        show("rendering the clips", 0, 2)
        clips = render_clips(portrait_head(settings))
        show("streaming", 1, 2)
        with tempfile.TemporaryDirectory(prefix="faceauth-bench-") as folder:
            ours = settings.model_copy(update={"data_dir": Path(folder) / "data", "database_url": None})
            with serving(ours, stream_sessions=max(sessions, ours.stream.sessions)) as (address, key, pid):
                desk, before_s = _Desk(Backend(address, key)), cpu_s(pid)
                load = asyncio.run(stream_load(clips, desk.open, sessions=sessions, seconds=seconds))
                spent_s = cpu_s(pid) - before_s
        show("streaming", 2, 2)
    report: dict[str, Any] = {
        "schema": "faceauth/bench/stream/v1",
        **environment_json(),
        "pack": settings.model_pack,
        "sessions": sessions,
        "load_average": {"before": round(loaded, 1), "after": round(os.getloadavg()[0], 1)},
        **load.as_json(),
        "cpu_s_per_session": round(spent_s / max(1, sum(load.outcomes.values())), 2),
    }
    out.mkdir(parents=True, exist_ok=True)
    file = out / "stream.json"
    file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        _print(report)
    note(f"Written: {file}")


def _print(report: dict[str, Any]) -> None:
    shown = console()
    for name in ("lag_ms", "behind_ms", "decision_ms"):
        told = ", ".join(f"{key} {value}" for key, value in report[name].items())
        shown.print(f"{name}: {told}", markup=False)
    shown.print(f"outcomes: {report['outcomes']}; turned away {report['turned_away']} times", markup=False)
    shown.print(
        f"{report['frames']} frames in {report['lasted_s']} s; the service took {report['cpu_s_per_session']} s "
        f"of CPU a session; load average {report['load_average']}",
        markup=False,
    )


class _Desk:
    """The application's backend: people who agreed, and their sessions."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._people = count()

    def _agree(self, account: str) -> None:
        """Make an account and record its consent."""
        call = self._backend.call
        call("PUT", f"/v1/accounts/{account}", {})
        notice = call("GET", "/v1/scenarios")["scenarios"][0]["notice"]
        body = {
            "scenario": "login",
            "notice_version": notice["version"],
            "notice_sha256": notice["texts"]["en"]["sha256"],
            "locale": "en",
            "decision": "given",
            "affirmation": {"method": "checkbox", "checked_by_default": False, "text": "Yes"},
        }
        call("POST", f"/v1/accounts/{account}/consents", body)

    def open(self) -> "Opened":
        """Open a session for somebody new: a second one before the same scene would be told as a replay."""
        account = f"bench-{next(self._people)}"
        self._agree(account)
        body = {
            "purpose": "enrol",
            "scenario": "login",
            "account_id": account,
            "reauthenticated_at": datetime.now(UTC).isoformat(),
        }
        return self._backend.opened(body)
