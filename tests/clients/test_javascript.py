"""The JavaScript client, run by Node against a service that listens."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.conftest import Service, clock, installation, made_once, service, settings
from tests.clients.test_python import BODY, SECRET, signed
from tests.web.conftest import listening

__all__ = ["clock", "installation", "made_once", "service", "settings"]

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "javascript" / "faceauth-client.js"

STORY = """
import { Faceauth, Problem } from "./faceauth-client.js";
const [url, key] = process.argv.slice(2);
const face = new Faceauth(url + "/", key);
const said = [];
await face.putAccount("anna", { locale: "en" });
const login = (await face.scenarios()).find((one) => one.scenario === "login");
const { text, sha256 } = login.notice.texts.en;
said.push(text === (await face.notice("login", login.notice.version, "en")).texts.en.text);
const given = await face.answer("anna", {
  scenario: "login", decision: "given", notice_version: login.notice.version,
  notice_sha256: sha256, locale: "en", text: "I agree",
});
said.push(given.state, (await face.consents("anna")).length);
const opened = await face.openSession({ purpose: "verify", scenario: "login", account_id: "anna" });
said.push((await face.session(opened.session_id)).state);
said.push((await face.privacyLink("anna")).privacy_url.includes("/ui/privacy#token="));
said.push((await face.restrict("anna", true)).restricted_at !== null);
said.push((await face.references("anna")).length, (await face.activity("anna")).length > 0);
said.push((await face.export("anna")).account.account_id);
said.push((await face.introspect("x.y.z")).active, (await face.jwks()).keys.length > 0);
said.push((await face.withdraw("anna", "login")).split(".").length);
said.push((await face.closeAccount("anna")).split(".").length);
const gone = await face.account("anna").catch((error) => error);
said.push(gone instanceof Problem, gone.code, gone.status);
console.log(JSON.stringify(said));
"""

WEBHOOK = """
import { checkWebhook } from "./faceauth-client.js";
const { body, headers, secret, now } = JSON.parse(process.argv[2]);
const checked = checkWebhook(body, headers, secret, { now: () => now });
const told = await checked.then((one) => one.type, () => "refused");
console.log(JSON.stringify(told));
"""

FULL = """
import { Faceauth } from "./faceauth-client.js";
const waited = [];
let asked = 0;
const headers = { "retry-after": "2" };
const answer = (status, body) => new Response(JSON.stringify(body), { status, headers });
const fetch = async () => (++asked < 3 ? answer(503, {}) : answer(200, { keys: [] }));
const wait = async (seconds) => waited.push(seconds);
const face = new Faceauth("https://face.example", "fa_1", { fetch, wait });
console.log(JSON.stringify([await face.jwks(), waited]));
"""


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """A folder with the client in it, to run scripts in."""
    if shutil.which("node") is None:
        pytest.skip("needs Node")
    shutil.copy(CLIENT, tmp_path)
    return tmp_path


def ran(folder: Path, script: str, *arguments: str) -> object:
    (folder / "script.mjs").write_text(script, encoding="utf-8")
    done = subprocess.run(
        ["node", str(folder / "script.mjs"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: object = json.loads(done.stdout)
    return told


def test_a_persons_story(node: Path, service: Service) -> None:
    with listening(service.app) as address:
        said = ran(node, STORY, address, service.secrets["application"])
    expected = [True, "given", 1, "open", True, True, 0, True, "anna", False, True, 3, 3]
    assert said == [*expected, True, "unknown_account", 404]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "consent.requested"),
        ({"body": "{}"}, "refused"),
        ({"now": 9_999}, "refused"),
        ({"headers": {}}, "refused"),
    ],
)
def test_webhooks_are_checked(node: Path, change: dict[str, object], expected: str) -> None:
    """R26's other side."""
    headers = {name.lower(): value for name, value in signed().items()}
    given = {"body": BODY.decode(), "headers": headers, "secret": SECRET, "now": 1_000} | change
    assert ran(node, WEBHOOK, json.dumps(given)) == expected


def test_a_full_service_is_asked_again_when_it_says(node: Path) -> None:
    """R59."""
    assert ran(node, FULL) == [{"keys": []}, [2, 2]]


def test_every_path_is_in_the_document(service: Service) -> None:
    """Values are left out: what stands between them must be a route, with that method."""
    document = service.app.openapi()
    routes = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", route))
        for route, methods in document["paths"].items()
        for method in methods
    }
    source = CLIENT.read_text(encoding="utf-8").replace("const where = path", "")
    asked = re.findall(r'#ask\("(\w+)", (?:path)?[`"]([^`"?]+)[`"]', source)
    asked.append(("DELETE", "/v1/accounts/${account}/references/${reference}"))
    assert len(asked) >= 19
    assert {(method, re.sub(r"\$\{\w+\}", "{}", where)) for method, where in asked} <= routes


def test_the_types_name_every_field_of_a_session(service: Service) -> None:
    types = CLIENT.with_suffix(".d.ts").read_text(encoding="utf-8")
    schemas = service.app.openapi()["components"]["schemas"]
    for interface, schema in (("SessionWanted", "SessionRequest"), ("SessionState", "SessionAnswer")):
        body = types.partition(f"export interface {interface} {{")[2].partition("\n}")[0]
        assert set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE)) == set(schemas[schema]["properties"])


def test_the_types_name_every_method() -> None:
    source = CLIENT.read_text(encoding="utf-8")
    types = CLIENT.with_suffix(".d.ts").read_text(encoding="utf-8")
    methods = set(re.findall(r"^  (\w+)\([^)]*\) \{$", source, re.MULTILINE)) - {"constructor"}
    assert methods
    assert {name for name in methods if f"  {name}(" not in types} == set()
