"""Pages for people. They come whole from the package: nothing is fetched from anywhere else."""

from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

FOLDER: Final = Path(__file__).resolve().parents[2] / "web"

router = APIRouter(prefix="/ui", include_in_schema=False)


@cache
def templates() -> Environment:
    """Return the pages' templates; every value in them is escaped."""
    return Environment(loader=FileSystemLoader(FOLDER / "templates"), autoescape=True, undefined=StrictUndefined)


def static_files() -> StaticFiles:
    """Return the scripts and styles of the pages."""
    return StaticFiles(directory=FOLDER / "static")


@router.get("/capture")
def capture() -> HTMLResponse:
    """The capture page; which session it is for stands behind the # of its address, so no server sees it."""
    return HTMLResponse(templates().get_template("capture.html").render())


@router.get("/privacy")
def privacy() -> HTMLResponse:
    """The privacy page; whose it is stands behind the # of its address, so no server sees it."""
    return HTMLResponse(templates().get_template("privacy.html").render())
