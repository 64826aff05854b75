"""The page's files, without a browser: its words in both languages, and nothing its policy forbids."""

import re
from pathlib import Path

import faceauth.web

WEB = Path(next(iter(faceauth.web.__path__)))
TEXTS = (WEB / "static" / "texts.js").read_text(encoding="utf-8")
PAGE = (WEB / "templates" / "capture.html").read_text(encoding="utf-8")

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


def keys(language: str) -> list[str]:
    start = TEXTS.index(f"  {language}: {{")
    end = TEXTS.index("\n  },", start)
    return re.findall(r"^\s+(\w+):", TEXTS[start:end], re.MULTILINE)[1:]


def test_both_languages_say_the_same_things() -> None:
    assert keys("en") == keys("zh")


def test_every_step_and_every_guidance_code_has_words() -> None:
    assert set(keys("en")) >= GUIDANCE | STEPS


def test_every_text_the_page_names_is_there() -> None:
    assert set(re.findall(r'data-text="(\w+)"', PAGE)) <= set(keys("en"))


def test_nothing_is_inline_and_nothing_comes_from_elsewhere() -> None:
    """R19: the page's policy forbids both, so it must not need them."""
    for path in [*(WEB / "templates").iterdir(), *(WEB / "static").iterdir()]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), path.name
        assert "innerHTML" not in text, path.name
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", PAGE)
