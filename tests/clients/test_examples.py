"""The examples: the FastAPI one runs against a service, the others are read by their languages' own tools."""

import importlib.util
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from faceauth_client import Faceauth

from faceauth.cli.commands import load_command
from tests.api.client import TestClient
from tests.api.conftest import Service, clock, installation, made_once, service, settings

__all__ = ["clock", "installation", "made_once", "service", "settings"]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def shop(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The example of a shop, whose client talks to the service under test."""
    monkeypatch.setenv("FACEAUTH_URL", "http://testserver")
    monkeypatch.setenv("FACEAUTH_KEY", service.secrets["application"])
    monkeypatch.setenv("APP_URL", "https://shop.example")
    spec = importlib.util.spec_from_file_location("shop_example", EXAMPLES / "fastapi" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    transport = service.http._transport
    face = Faceauth("http://testserver", service.secrets["application"], transport=transport)
    monkeypatch.setattr(module, "face", face)
    # A proof of now, by the clock of the test's service.
    monkeypatch.setattr(module, "datetime", type("Clock", (), {"now": staticmethod(lambda _: service.clock())}))
    yield module
    face.close()


@pytest.fixture
def browser(shop: ModuleType) -> TestClient:
    return TestClient(shop.app, base_url="https://shop.example", follow_redirects=False)


def test_a_shop_signs_in_enrols_and_shows_privacy(browser: TestClient, service: Service) -> None:
    """R14: the password first; then the links of the service."""
    assert "Sign in with a password" in browser.get("/").text
    assert browser.post("/password", data={"account": "anna", "password": "wrong"}).status_code == 401
    assert browser.post("/face/enrol").status_code == 401
    assert browser.post("/password", data={"account": "anna", "password": "correct horse"}).status_code == 303
    assert "Hello anna" in browser.get("/").text
    sent = browser.post("/face/enrol")
    assert re.search(r"/ui/capture#flow=ff_\w+&token=ft_\w+$", sent.headers["location"])
    flow = sent.headers["location"].split("flow=")[1].split("&")[0]
    assert service.call("GET", f"/v1/flows/{flow}").json()["purpose"] == "enrol"
    assert "/ui/privacy#token=fl_" in browser.post("/privacy").headers["location"]


def test_nobody_comes_back_with_anothers_flow(browser: TestClient, service: Service) -> None:
    browser.post("/password", data={"account": "anna", "password": "correct horse"})
    sent = browser.post("/face/enrol")
    flow = sent.headers["location"].split("flow=")[1].split("&")[0]
    assert browser.get("/face/done", params={"flow": "ff_other"}).status_code == 403
    sent = browser.post("/face/enrol")
    mine = sent.headers["location"].split("flow=")[1].split("&")[0]
    assert browser.get("/face/done", params={"flow": mine}).headers["location"] == "/"
    assert browser.get("/face/done", params={"flow": flow}).status_code == 403
    service.account("ben")


def test_a_face_is_asked_for_where_somebody_signed_in_before(shop: ModuleType, browser: TestClient) -> None:
    """R25: whoever types names learns of none; there is nowhere to type one."""
    assert "your face" not in browser.get("/").text
    for account in ("anna", "nobody"):
        assert browser.post("/face/login", data={"account": account}).status_code == 401
    browser.post("/password", data={"account": "anna", "password": "correct horse"})
    browser.post("/face/enrol")
    browser.cookies.delete("session")
    assert "your face" in browser.get("/").text
    sent = browser.post("/face/login", data={"account": "somebody else"})
    flow = sent.headers["location"].split("flow=")[1].split("&")[0]
    assert shop.face.flow(flow).account_id == "anna"


def test_the_privacy_page_is_there_before_any_face(browser: TestClient) -> None:
    browser.post("/password", data={"account": "carol", "password": "correct horse"})
    assert "/ui/privacy#token=fl_" in browser.post("/privacy").headers["location"]


def test_a_refusal_is_told_in_no_words_of_the_service(browser: TestClient) -> None:
    """R25: a name that the service does not take, too."""
    browser.post("/password", data={"account": "no name", "password": "correct horse"})
    for path in ("/face/enrol", "/face/login", "/privacy"):
        answer = browser.post(path)
        assert (answer.status_code, answer.text) == (403, "That did not work. Please use your password.")


def test_names_are_shown_as_text(browser: TestClient) -> None:
    odd = "<script>alert(1)</script>"
    browser.post("/password", data={"account": odd, "password": "correct horse"})
    assert odd not in browser.get("/").text


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.py")), ids=lambda file: file.parent.name)
def test_python_compiles(file: Path) -> None:
    compile(file.read_text(encoding="utf-8"), str(file), "exec")


NEEDS = {
    "from fastapi import": {"fastapi", "uvicorn"},
    "Form()": {"python-multipart"},
    "from faceauth_client import": {"../../clients/python"},
    "from authlib.integrations.starlette_client import": {"authlib", "httpx"},
    "from starlette.middleware.sessions import": {"itsdangerous"},
}
"""What is to be installed for what a source uses; some of it is said nowhere else."""


@pytest.mark.parametrize("file", sorted(EXAMPLES.rglob("*.py")), ids=lambda file: file.parent.name)
def test_the_first_lines_say_how_it_is_run(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    (line,) = re.findall(r"^ +pip install (.*)$", source, re.MULTILINE)
    assert set(line.split()) == set().union(*(names for used, names in NEEDS.items() if used in source))
    for call in re.findall(r"^ +faceauth (.*)$", source, re.MULTILINE):
        group, name, *words = shlex.split(call)
        load_command(group).commands[name].make_context(name, words)


def test_the_express_example_says_what_it_needs() -> None:
    """Not every Node takes `import` where the package does not say that it is a module."""
    told = json.loads((EXAMPLES / "express" / "package.json").read_text(encoding="utf-8"))
    source = (EXAMPLES / "express" / "app.js").read_text(encoding="utf-8")
    assert told["type"] == "module"
    assert set(told["dependencies"]) == set(re.findall(r'^import .* from "([a-z-]+)";$', source, re.MULTILINE))


def test_javascript_parses() -> None:
    if shutil.which("node") is None:
        pytest.skip("needs Node")
    for file in EXAMPLES.rglob("*.js"):
        done = subprocess.run(
            ["node", "--check", str(file)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", ["android/FaceCapture.kt", "ios/FaceCapture.swift"])
def test_the_apps_use_the_contract(file: str) -> None:
    """Nothing here compiles Kotlin or Swift; that the names of the contract are in them can be held."""
    source = (EXAMPLES / file).read_text(encoding="utf-8")
    for name in ("challenge", "frames", "timeline", "t_ms", "step", "min_ms", "colours", "Bearer", "accepted"):
        assert name in source, name
    assert source.count("{") == source.count("}")
