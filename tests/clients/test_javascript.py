"""The JavaScript client, run by Node against a service that listens."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.conftest import Service, clock, installation, made_once, service, settings
from tests.api.test_tokens import log_in
from tests.clients.test_python import BODY, METHODS, PAGE, SECRET, backends, resolved, signed
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

KEYS = """
import { Faceauth, Problem } from "./faceauth-client.js";
const [url, key, now, token] = process.argv.slice(2);
const face = new Faceauth(url, key);
const pack = (raw) => Buffer.from(raw).toString("base64url");
const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
const { challenge } = await face.deviceChallenge("anna", "raw");
const message = Buffer.concat([Buffer.from("faceauth device binding v1\\0"), Buffer.from(challenge, "base64url")]);
const signature = pack(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, message));
const wanted = { kind: "raw", label: "Phone", reauthenticated_at: now, jwk: { kty, crv, x, y }, signature };
const { device_id } = await face.bindDevice("anna", wanted);
const renamed = await face.renameDevice("anna", device_id, "Old phone");
const said = [renamed.label, (await face.devices("anna")).length];
said.push(typeof (await face.revokeDevice("anna", device_id)), (await face.devices("anna")).length);
said.push((await face.putLink("anna", "wallet", "7")).subject, (await face.link("anna", "wallet")).provider);
said.push((await face.links("anna")).length, (await face.deleteLink("anna", "wallet")).length);
said.push(await face.restoreAttempts("anna", now));
const stale = await face.restoreAttempts("anna", "2020-01-01T00:00:00Z").catch((error) => error);
said.push(stale instanceof Problem, stale.code);
const receipts = await face.receipts("anna");
said.push(receipts.receipts.length, receipts.jwks.keys.length > 0);
said.push((await face.introspect(token)).active, typeof (await face.revokeToken(token)));
said.push((await face.introspect(token)).active);
console.log(JSON.stringify(said));
"""

ASKING = """
import { Faceauth } from "./faceauth-client.js";
const asked = [];
const fetch = async (url, { method, body }) => {
  asked.push([method, url, body === undefined ? null : JSON.parse(body)]);
  return new Response("{}");
};
const face = new Faceauth("https://face.example", "fa_1", { fetch });
const given = {
  putAccount: ["x"], answer: ["x", { text: "Yes" }], bindDevice: ["x", {}], openSession: [{}], mintFlow: [{}],
};
for (const name of Object.getOwnPropertyNames(Faceauth.prototype))
  if (name !== "constructor") await face[name](...(given[name] ?? ["x", "x", "x"]));
console.log(JSON.stringify(asked));
"""

DOTS = """
import { Faceauth } from "./faceauth-client.js";
let asked = 0;
const face = new Faceauth("https://face.example", "fa_1", { fetch: async () => (asked += 1) });
const refused = await (async () => face.revokeDevice("anna", process.argv[2]))().catch((error) => error);
console.log(JSON.stringify([refused.name, asked]));
"""

WORKER = """
import { Faceauth } from "./faceauth-client.js";
async function fetch() {
  return new Response(JSON.stringify(this === undefined ? "nobody's" : "a method"));
}
console.log(JSON.stringify(await new Faceauth("https://face.example", "fa_1", { fetch }).jwks()));
"""

BROKEN = """
import { Faceauth } from "./faceauth-client.js";
const fetch = async () => new Response(process.argv[2], { status: 502 });
const told = await new Faceauth("https://face.example", "fa_1", { fetch }).jwks().catch((error) => error);
console.log(JSON.stringify([told.name, told.status, told.code]));
"""

SILENT = """
import { createServer } from "node:http";
import { Faceauth } from "./faceauth-client.js";
const server = createServer(() => {}).listen(0, "127.0.0.1");
await new Promise((done) => server.once("listening", done));
const face = new Faceauth(`http://127.0.0.1:${server.address().port}`, "fa_1", { timeoutS: 0.2 });
const told = await face.jwks().catch((error) => error);
console.log(JSON.stringify(told.name));
server.closeAllConnections();
server.close();
"""

INTERFACES = {
    "Account": "AccountAnswer",
    "Activity": "ActivityItem",
    "ConsentLine": "ConsentItem",
    "ConsentRecorded": "ConsentAnswer",
    "Device": "DeviceAnswer",
    "DeviceChallenge": "DeviceChallengeAnswer",
    "DeviceWanted": "DeviceRequest",
    "Flow": "FlowAnswer",
    "FlowWanted": "FlowRequest",
    "KeySet": "KeySetAnswer",
    "Link": "LinkAnswer",
    "MintedFlow": "FlowMintedAnswer",
    "Notice": "NoticeAnswer",
    "OpenedSession": "SessionOpenedAnswer",
    "PrivacyLink": "PrivacyLinkAnswer",
    "Receipts": "ReceiptsAnswer",
    "Reference": "ReferenceAnswer",
    "Renewal": "RenewalRequest",
    "Scenario": "ScenarioAnswer",
    "SessionState": "SessionAnswer",
    "SessionWanted": "SessionRequest",
    "Standing": "IntrospectAnswer",
}
"""What the types call a body, and what the OpenAPI document does."""

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


def test_keys_links_attempts_and_tokens(node: Path, service: Service) -> None:
    """R10 and R17, from the backend's side."""
    token = log_in(service)
    now = service.clock().isoformat()
    with listening(service.app) as address:
        said = ran(node, KEYS, address, service.secrets["application"], now, token)
    keys, links = ["Old phone", 1, "undefined", 0], ["7", "wallet", 1, 0]
    assert said == [*keys, *links, False, True, "reauthentication_required", 1, True, True, "undefined", False]


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


def test_what_is_asked_is_what_a_backend_may_ask(node: Path, service: Service) -> None:
    """Every method is called: a route or a body's field that is renamed breaks this."""
    document = service.app.openapi()
    said = ran(node, ASKING)
    assert isinstance(said, list)
    asked = {}
    for method, url, body in said:
        path, _, query = url.removeprefix("https://face.example").partition("?")
        assert query in {"", "locale=x"}
        asked[method, path] = body
    routes = {(method, re.sub(r"\{\w+\}", "x", route)): (method, route) for method, route in backends(document)}
    assert set(asked) == set(routes)
    for at, body in asked.items():
        method, route = routes[at]
        if body is not None:
            content = document["paths"][route][method.lower()]["requestBody"]["content"]["application/json"]
            assert set(body) <= set(resolved(document, content["schema"])["properties"]), route


def test_the_types_name_every_field(service: Service) -> None:
    types = CLIENT.with_suffix(".d.ts").read_text(encoding="utf-8")
    schemas = service.app.openapi()["components"]["schemas"]
    for interface, schema in INTERFACES.items():
        body = types.partition(f"export interface {interface} {{")[2].partition("\n}")[0]
        named = set(re.findall(r"^  (\w+)\??:", body, re.MULTILINE))
        assert named == set(schemas[schema]["properties"]), interface
    # What is said of a consent is put together otherwise; what is asked holds it.
    assert set(re.findall(r"^export interface (\w+)", types, re.MULTILINE)) == {*INTERFACES, "ConsentSaid"}


def test_the_types_take_what_every_method_takes() -> None:
    source, types = CLIENT.read_text(encoding="utf-8"), CLIENT.with_suffix(".d.ts").read_text(encoding="utf-8")
    methods = dict(re.findall(r"^  (\w+)\(([^)]*)\) \{$", source, re.MULTILINE))
    told = dict(re.findall(r"^  (\w+)\((.*)\): Promise<", types, re.MULTILINE))
    del methods["constructor"]
    assert set(methods) == {re.sub(r"_(\w)", lambda one: one[1].upper(), name) for name in METHODS}
    assert {name: taken(given) for name, given in methods.items()} == {
        name: taken(it) for name, it in told.items()
    }


def taken(parameters: str) -> int:
    """Return how many parameters there are: what is in brackets is one."""
    while (flat := re.sub(r"\{[^{}]*\}|<[^<>]*>", "_", parameters)) != parameters:
        parameters = flat
    return len(parameters.split(",")) if parameters else 0


@pytest.mark.parametrize("odd", [".", ".."])
def test_no_id_is_a_way_up(node: Path, odd: str) -> None:
    """An address is made plain before it is asked: nothing may be asked then."""
    assert ran(node, DOTS, odd) == ["TypeError", 0]


def test_the_oldest_node_is_said_alike() -> None:
    """Node 18 has no `crypto` in modules, so there no webhook is genuine."""
    engines = json.loads((CLIENT.parent / "package.json").read_text(encoding="utf-8"))["engines"]
    told = f"Node {engines['node'].removeprefix('>=')} and later"
    assert told == "Node 20 and later"
    assert told in CLIENT.read_text(encoding="utf-8")
    assert told in PAGE.read_text(encoding="utf-8")


def test_fetch_is_nobodys_method(node: Path) -> None:
    """Workers refuse to fetch as a method of another object."""
    assert ran(node, WORKER) == "nobody's"


def test_a_service_that_is_silent_is_not_waited_for(node: Path) -> None:
    assert ran(node, SILENT) == "TimeoutError"


@pytest.mark.parametrize("body", ["null", "[]", "<html>"])
def test_an_answer_that_is_none_is_a_problem(node: Path, body: str) -> None:
    assert ran(node, BROKEN, body) == ["Problem", 502, "unknown"]
