"""One report of everything that was measured: reads the benchmarks' JSON, writes HTML and Markdown."""

import base64
import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from faceauth.bench.sections import ORDER, Section, section_of
from faceauth.errors import InvalidRequest


def read_sections(folder: Path) -> tuple[Section, ...]:
    """Read every benchmark's JSON below a folder, in the report's order.

    Raises:
        InvalidRequest: a file that says it is one of ours cannot be read.
    """
    found: list[tuple[int, str, Section]] = []
    for file in sorted(folder.rglob("*.json")):
        try:
            report = json.loads(file.read_text(encoding="utf-8"))
            if not isinstance(report, dict):
                continue
            section = section_of(report, sorted(file.parent.glob("*.png")))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidRequest(f"{file} is no report of a benchmark ({error!r}); measure it again.") from None
        if section is not None:
            found.append((ORDER.index(report["schema"]), str(file), section))
    return tuple(section for _, _, section in sorted(found, key=lambda one: one[:2]))


def as_html(sections: Sequence[Section], *, failed: Sequence[str] = (), made_at: datetime) -> str:
    """Return one page with everything in it, pictures too, so that it can be sent on its own."""
    pages = Environment(loader=PackageLoader("faceauth.bench"), autoescape=select_autoescape(["html"]))
    pages.filters["embedded"] = _embedded
    page = pages.get_template("report.html")
    return page.render(sections=sections, failed=failed, made_at=f"{made_at:%Y-%m-%d %H:%M} UTC")


def as_markdown(
    sections: Sequence[Section], *, failed: Sequence[str] = (), made_at: datetime, beside: Path
) -> str:
    """Return the same as Markdown; pictures are linked as seen from the folder `beside`."""
    lines = ["# What was measured", "", f"Made {made_at:%Y-%m-%d %H:%M} UTC.", ""]
    lines += [f"**Not measured:** {line}\n" for line in failed]
    for one in sections:
        lines += [f"## {one.title}", "", f"    {one.command}", "", one.made, ""]
        lines += [_row(one.head), "|" + "---|" * len(one.head), *(_row(row) for row in one.rows), ""]
        lines += [f"{line}\n" for line in one.notes]
        lines += [f"![{one.title}: {plot.stem}]({_seen_from(plot, beside)})\n" for plot in one.plots]
    return "\n".join(lines).rstrip() + "\n"


def write_whole(
    folder: Path, *, read: Path | None = None, failed: Sequence[str] = (), made_at: datetime
) -> tuple[Path, ...]:
    """Write ``report.html`` and ``report.md`` into a folder and return where they are.

    Args:
        folder: where they go.
        read: below which folder the benchmarks' JSON lies; the same if left out.
        failed: what could not be measured, a line each.
        made_at: the time now.

    Raises:
        InvalidRequest: there is nothing to report, or a file cannot be read.
    """
    sections = read_sections(read or folder)
    if not sections:
        raise InvalidRequest(f"There is no benchmark's JSON below {read or folder}. Run: faceauth bench all")
    folder.mkdir(parents=True, exist_ok=True)
    files = (folder / "report.html", folder / "report.md")
    files[0].write_text(as_html(sections, failed=failed, made_at=made_at), encoding="utf-8")
    files[1].write_text(as_markdown(sections, failed=failed, made_at=made_at, beside=folder), encoding="utf-8")
    return files


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _seen_from(file: Path, folder: Path) -> str:
    return Path(os.path.relpath(file, folder)).as_posix()


def _embedded(file: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode()
