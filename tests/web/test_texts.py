"""The page's files, without a browser: its words in both languages, and nothing its policy forbids."""

import re
from pathlib import Path

import pytest

import faceauth.web
from faceauth.audit.events import CONCERNS_FACE

WEB = Path(next(iter(faceauth.web.__path__)))
STATIC = WEB / "static"
TEXTS = (STATIC / "texts.js").read_text(encoding="utf-8")
PAGE_TEXTS = (STATIC / "page-texts.js").read_text(encoding="utf-8")
PRIVACY, EVENTS = (STATIC / "privacy-texts.js").read_text(encoding="utf-8").split("export const EVENTS")
PAGE = (WEB / "templates" / "capture.html").read_text(encoding="utf-8")
SHADOW = (STATIC / "shadow.js").read_text(encoding="utf-8")

GUIDANCE = {
    "no_face",
    "many_faces",
    "too_far",
    "too_close",
    "off_centre",
    "too_dark",
    "too_bright",
    "blurred",
    "occluded",
    "hold_still",
}
STEPS = {"center", "turn_left", "turn_right", "nod_up", "nod_down", "closer", "flash"}


PROBLEMS = re.compile(r'Problem\("(\w+)"\)|_?Error: "(\w+)"|\?\? "(\w+)"')
"""What the camera and the service's calls may fail with."""


def keys(language: str, texts: str = TEXTS) -> list[str]:
    start = texts.index(f"  {language}: {{")
    end = texts.index("\n  },", start)
    return re.findall(r"^\s+(\w+):", texts[start:end], re.MULTILINE)[1:]


@pytest.mark.parametrize("texts", [TEXTS, PAGE_TEXTS, PRIVACY], ids=["capture", "page", "privacy"])
def test_both_languages_say_the_same_things(texts: str) -> None:
    assert keys("en", texts) == keys("zh", texts)
    assert len(keys("en", texts)) > 10


def test_what_was_done_has_the_same_words_in_both_languages() -> None:
    """Every event that concerns a face has words in both: nobody reads how the log calls it."""
    english, chinese = (
        set(re.findall(r'"([a-z:]+)":', EVENTS.partition(f"  {language}: {{")[2].partition("\n  },")[0]))
        for language in ("en", "zh")
    )
    assert english == chinese
    assert english == {str(event) for event in CONCERNS_FACE}


def test_every_problem_has_words() -> None:
    sources = [path.read_text(encoding="utf-8") for path in STATIC.glob("*.js")]
    named = {name for source in sources for found in PROBLEMS.findall(source) for name in found if name}
    assert {"camera_refused", "camera_busy", "camera_missing", "camera_virtual", "lost"} <= named
    assert {name for name in named if name.startswith(("camera", "lost", "flashes"))} <= set(keys("en"))


def test_every_step_and_every_guidance_code_has_words() -> None:
    assert set(keys("en")) >= GUIDANCE | STEPS


def test_every_text_the_page_names_is_there() -> None:
    named = set(re.findall(r'data-text="(\w+)"', SHADOW))
    assert len(named) >= 5
    assert named <= set(keys("en"))


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    """R19: the page's policy forbids both, so it must not need them."""
    for path in [*(WEB / "templates").rglob("*.html"), *(WEB / "static").iterdir()]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), path.name
        assert "innerHTML" not in text, path.name
    for text in (PAGE, SHADOW):
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=\"|\son\w+=\"", text)
