"""The export as one page to read and to keep: no script, nothing from elsewhere, every text escaped."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from faceauth.api.export_words import HEADINGS, WORDS

_TEMPLATES: Final = Path(__file__).resolve().parents[1] / "web" / "templates"

PARTS: Final = ("references", "devices", "links", "logins")
"""The export's lists that are shown as they are, beside the account, the answers and the activity."""


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)


def export_page(export: Mapping[str, Any]) -> str:
    """Return the page, in the account's language where there is one, and else in English."""
    language = str(export["account"]["locale"] or "en").split("-", maxsplit=1)[0]
    language = language if language in HEADINGS else "en"
    words = WORDS[language]
    return (
        _templates()
        .get_template("export.html")
        .render(
            language=language,
            words=HEADINGS[language],
            word=lambda name: words.get(name, name),
            export=export,
            consents=[one["record"] for one in export["consents"]],
            parts=PARTS,
        )
    )
