"""The docs name every command and setting that exists, and nothing that does not."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faceauth.cli.commands import COMMANDS, load_command
from faceauth.settings import setting_fields

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
SETTINGS = dict(setting_fields())
BESIDES = {"FACEAUTH_DEBUG", "FACEAUTH_TEST_POSTGRESQL_URL"}
"""Variables that are no settings: an option of the command line, and what the tests read."""


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands(top: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield a command with the words that call it, then those under it."""
    loaded = load_command(top)
    yield (top,), loaded
    for sub, command in getattr(loaded, "commands", {}).items():
        yield (top, sub), command


def options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts if option.startswith("--")}


# --- settings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", SETTINGS)
def test_every_setting_is_told_in_its_own_words(setting: str) -> None:
    rows = [line for line in read(DOCS / "settings.md").splitlines() if line.startswith(f"| `{setting}` |")]
    assert len(rows) == 1
    assert str(SETTINGS[setting].description) in rows[0]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_names_a_setting_that_is_none(page: Path) -> None:
    named = set(re.findall(r"\bFACEAUTH_[A-Z][A-Z_]*[A-Z]\b", read(page)))
    assert named - set(SETTINGS) - BESIDES == set()


# --- commands --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("top", COMMANDS)
def test_every_command_and_option_is_told(top: str) -> None:
    text = read(DOCS / "cli.md")
    missing = []
    for words, command in commands(top):
        call = " ".join(["faceauth", *words])
        section = re.search(rf"^#+ `{call}[ `].*?(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
        if section is None:
            missing.append(call)
        else:
            missing += [f"{call} {option}" for option in sorted(options(command)) if option not in section[0]]
    assert missing == []


def calls(page: Path) -> Iterator[list[str]]:
    """Yield the words of every line in a shell block that calls faceauth or make."""
    for block in re.findall(r"^```(?:sh|console)\n(.*?)^```", read(page), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"&&|\||;", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True) if part.count("'") % 2 == part.count('"') % 2 == 0 else []
                while words and "=" in words[0]:  # variables set for one command
                    words.pop(0)
                if words and words[0] in {"faceauth", "make"}:
                    yield words


def problem(words: list[str]) -> str | None:
    """Say what is wrong with a call, if anything."""
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE)
        wrong = [word for word in words[1:] if "=" not in word and word not in targets]
        return f"make {wrong[0]}" if wrong else None
    if len(words) == 1 or words[1].startswith("-"):
        return None
    if words[1] not in COMMANDS:
        return f"faceauth {words[1]}"
    known = dict(commands(words[1]))
    path = tuple(words[1:3]) if tuple(words[1:3]) in known else tuple(words[1:2])
    rest = words[1 + len(path) :]
    if len(known) > 1 and len(path) == 1 and rest and not rest[0].startswith("-"):
        return f"faceauth {path[0]} {rest[0]}"
    used = {word.split("=")[0] for word in rest if word.startswith("--")} - {"--help"}
    wrong = sorted(used - options(known[path]))
    return f"{' '.join(words)}: {wrong}" if wrong else None


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_shown_commands_exist(page: Path) -> None:
    assert [wrong for words in calls(page) if (wrong := problem(words))] == []


@pytest.mark.parametrize(
    "call", ["faceauth startup", "faceauth models fetch", "faceauth init --fast", "make everything"]
)
def test_a_command_that_does_not_exist_is_noticed(call: str) -> None:
    assert problem(call.split()) is not None


# --- links -----------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", read(page), flags=re.DOTALL)):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_are_there(page: Path) -> None:
    named = re.findall(r"`((?:faceauth|docs|benchmarks)/[\w./-]+\.\w+|tests/[\w./-]+)`", read(page))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_index_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", read(DOCS / "index.md")))
    assert linked == {page.name for page in DOCS.glob("*.md")} - {"index.md"}
