"""The README's calls work as they are shown, against the real application."""

import re
import shlex
from pathlib import Path
from typing import Any

from tests.api.conftest import Service

README = Path(__file__).resolve().parents[2] / "README.md"


def curls() -> list[list[str]]:
    """Return the words of every curl call of the README, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    script = re.sub(r"^\s*#.*$", "", "\n".join(blocks), flags=re.MULTILINE)
    # Line ends inside quotes belong to the word, as in a shell.
    lines = re.split(r"\n(?=[a-zA-Z])", script)
    return [shlex.split(line.replace("\\\n", " "), comments=True) for line in lines if line.startswith("curl ")]


def send(service: Service, words: list[str], filled: dict[str, str]) -> Any:
    """Do what curl would do with these words."""

    def fill(word: str) -> str:
        for name, value in filled.items():
            word = word.replace(name, value)
        return word

    method, url, body = "", "", None
    headers = {}
    rest = iter([fill(word) for word in words[1:]])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(rest)
        else:
            assert not word.startswith("-"), f"this test does not know curl's {word}"
            url = word
    return service.http.request(method or ("GET" if body is None else "POST"), url, headers=headers, content=body)


def test_the_calls_work_when_pasted(service: Service) -> None:
    filled = {
        "$API": "/v1",
        "$AUTH": f"Authorization: Bearer {service.secrets['application']}",
        "$(date -u +%FT%TZ)": service.clock().isoformat(timespec="seconds"),
    }
    account, scenarios, consent, session, result = curls()
    assert send(service, account, filled).status_code == 200
    listed = send(service, scenarios, filled)
    assert listed.status_code == 200
    filled['"…"'] = '"' + listed.json()["scenarios"][0]["notice"]["texts"]["en"]["sha256"] + '"'
    agreed = send(service, consent, filled)
    assert agreed.status_code == 201, agreed.text
    assert agreed.json()["receipt"].count(".") == 2
    opened = send(service, session, filled)
    assert opened.status_code == 201, opened.text
    assert "/ui/capture" in opened.json()["capture_url"]
    filled["<session_id>"] = opened.json()["session_id"]
    assert send(service, result, filled).json()["state"] == "open"
    # And the one in the text below: to forget her face.
    assert "`DELETE /v1/accounts/anna/consents/login`" in README.read_text(encoding="utf-8")
    gone = service.call("DELETE", "/v1/accounts/anna/consents/login")
    assert gone.status_code == 200, gone.text
