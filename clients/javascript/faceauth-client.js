// A backend's view of a faceauth service. It needs fetch, and nothing else: Node 20 and later, Deno, Bun, workers.
//
//   import { Faceauth } from "faceauth-client";
//   const face = new Faceauth("https://face.example", process.env.FACEAUTH_KEY);
//   const opened = await face.openSession({ purpose: "verify", scenario: "login", account_id: "anna" });

const SHED = [429, 503]; // the service is full and did nothing: the same call may be made again
const TRIES = 3; // own figure
const TIMEOUT_S = 30; // own figure, of each try
const TOLERANCE_S = 300; // Standard Webhooks' own suggestion

// A refusal: branch on `code`, tell `requestId` to whoever runs the service; `body` is the whole document.
export class Problem extends Error {
  constructor(status, told) {
    super(`${told.code ?? "unknown"}: ${told.detail ?? status}`);
    this.name = "Problem";
    this.status = status;
    this.code = told.code ?? "unknown";
    this.requestId = told.request_id ?? null;
    this.body = told;
  }
}

const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

export class Faceauth {
  #url;
  #key;
  #fetch;
  #pause;
  #timeout;

  constructor(url, key, { fetch = globalThis.fetch, wait = pause, timeoutS = TIMEOUT_S } = {}) {
    this.#url = url.replace(/\/+$/, "");
    this.#key = key;
    this.#fetch = (...asked) => fetch(...asked); // of nobody: workers refuse to fetch as a method of ours
    this.#pause = wait;
    this.#timeout = 1000 * timeoutS;
  }

  // Every scenario, with the notice in force.
  scenarios() {
    return this.#ask("GET", "/v1/scenarios").then((told) => told.scenarios);
  }

  // Any version ever shown.
  notice(scenario, version, locale) {
    const query = locale ? `?locale=${encodeURIComponent(locale)}` : "";
    return this.#ask("GET", path`/v1/scenarios/${scenario}/notices/${version}` + query);
  }

  // Make sure the account exists; a fact left out stays as it is.
  putAccount(account, facts = {}) {
    return this.#ask("PUT", path`/v1/accounts/${account}`, facts);
  }

  account(account) {
    return this.#ask("GET", path`/v1/accounts/${account}`);
  }

  // Close it: everything goes. Answers the signed deletion receipt.
  closeAccount(account) {
    return this.#ask("DELETE", path`/v1/accounts/${account}`).then((told) => told.receipt);
  }

  export(account) {
    return this.#ask("GET", path`/v1/accounts/${account}/export`).then((told) => told.export);
  }

  // Every consent and deletion receipt of the person, with the keys that check them, to be taken anywhere.
  receipts(account) {
    return this.#ask("GET", path`/v1/accounts/${account}/receipts`);
  }

  activity(account) {
    return this.#ask("GET", path`/v1/accounts/${account}/activity`).then((told) => told.activity);
  }

  // Suspend every use of the face without erasing it, or allow it again.
  restrict(account, restricted) {
    return this.#ask("PUT", path`/v1/accounts/${account}/restriction`, { restricted });
  }

  // Start the attempts again after another factor; answers whether face login had been switched off.
  restoreAttempts(account, reauthenticatedAt) {
    const proof = { reauthenticated_at: reauthenticatedAt };
    return this.#ask("POST", path`/v1/accounts/${account}/attempts/restore`, proof).then((told) => told.was_disabled);
  }

  // A link to the person's privacy page, opened once; `renewal` lets them set their face up anew there.
  privacyLink(account, renewal) {
    return this.#ask("POST", path`/v1/accounts/${account}/privacy-link`, renewal && { renewal });
  }

  // Record the person's own answer to the very text they saw; `text` stood beside the unticked box.
  answer(account, { text, method = "checkbox", ...said }) {
    const affirmation = { method, checked_by_default: false, text };
    return this.#ask("POST", path`/v1/accounts/${account}/consents`, { ...said, affirmation });
  }

  consents(account) {
    return this.#ask("GET", path`/v1/accounts/${account}/consents`).then((told) => told.consents);
  }

  // Withdraw: the face is erased. Answers the signed deletion receipt.
  withdraw(account, scenario) {
    return this.#ask("DELETE", path`/v1/accounts/${account}/consents/${scenario}`).then((told) => told.receipt);
  }

  references(account) {
    return this.#ask("GET", path`/v1/accounts/${account}/references`).then((told) => told.references);
  }

  deleteReference(account, reference) {
    const where = path`/v1/accounts/${account}/references/${reference}`;
    return this.#ask("DELETE", where).then((told) => told.receipt);
  }

  // The account's device keys, the oldest first.
  devices(account) {
    return this.#ask("GET", path`/v1/accounts/${account}/devices`).then((told) => told.devices);
  }

  // What the account's next key must sign; asking again forgets the one before.
  deviceChallenge(account, kind) {
    return this.#ask("POST", path`/v1/accounts/${account}/devices/challenge`, { kind });
  }

  // Bind the key that answered the challenge; it needs a fresh `reauthenticated_at` by another factor.
  bindDevice(account, wanted) {
    return this.#ask("POST", path`/v1/accounts/${account}/devices`, wanted);
  }

  renameDevice(account, device, label) {
    return this.#ask("PUT", path`/v1/accounts/${account}/devices/${device}`, { label });
  }

  // Revoke a device key: it proves nothing from now on, in sessions that are under way neither.
  revokeDevice(account, device) {
    return this.#ask("DELETE", path`/v1/accounts/${account}/devices/${device}`).then(() => undefined);
  }

  // The person's accounts elsewhere.
  links(account) {
    return this.#ask("GET", path`/v1/accounts/${account}/links`).then((told) => told.links);
  }

  link(account, provider) {
    return this.#ask("GET", path`/v1/accounts/${account}/links/${provider}`);
  }

  // Link the account elsewhere that you found to be this person's: `subject` is its name there.
  putLink(account, provider, subject) {
    return this.#ask("PUT", path`/v1/accounts/${account}/links/${provider}`, { subject });
  }

  // Take a link away; answers those that are left.
  deleteLink(account, provider) {
    return this.#ask("DELETE", path`/v1/accounts/${account}/links/${provider}`).then((told) => told.links);
  }

  // Open a session; enrolling needs a fresh `reauthenticated_at` by another factor.
  openSession(wanted) {
    return this.#ask("POST", "/v1/sessions", wanted);
  }

  // How the session stands; after an acceptance, with a token. `reason` is for the backend alone.
  session(session) {
    return this.#ask("GET", path`/v1/sessions/${session}`);
  }

  // A link to the hosted page: notice, camera, and back.
  mintFlow(wanted) {
    return this.#ask("POST", "/v1/flows", wanted);
  }

  flow(flow) {
    return this.#ask("GET", path`/v1/flows/${flow}`);
  }

  // Whether a token still holds: after a withdrawal it does not. With `once` it holds this once.
  introspect(token, { once = false } = {}) {
    return this.#ask("POST", "/v1/tokens/introspect", { token, once });
  }

  // End a token before its time; one that is none, or is over, is no error.
  revokeToken(token) {
    return this.#ask("POST", "/v1/tokens/revoke", { token }).then(() => undefined);
  }

  jwks() {
    return this.#ask("GET", "/oauth2/jwks");
  }

  async #ask(method, where, body) {
    const headers = { Authorization: `Bearer ${this.#key}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    const send = () => this.#fetch(this.#url + where, { ...request, signal: AbortSignal.timeout(this.#timeout) });
    let answer = await send();
    for (let tried = 1; tried < TRIES && SHED.includes(answer.status); tried += 1) {
      await this.#pause(Math.min(30, Number(answer.headers.get("retry-after") ?? 1) || 1));
      answer = await send();
    }
    const told = (await answer.json().catch(() => null)) ?? {};
    if (!answer.ok) throw new Problem(answer.status, told);
    return told;
  }
}

// Each value escaped whole: an id never leaves its place in the path. No escaping keeps dots there.
function path(texts, ...values) {
  if (values.some((one) => one === "." || one === "..")) throw new TypeError("An id cannot be . or ..");
  return texts.reduce((whole, text, at) => whole + text + (at < values.length ? encodeURIComponent(values[at]) : ""), "");
}

// Returns a webhook's content if it is genuine, and throws otherwise. `body` is the text as it came, before anything
// parsed it; `headers` is a Headers object or a plain one with lower-case names.
export async function checkWebhook(body, headers, secret, { now = () => Date.now() / 1000 } = {}) {
  const of = (name) => (typeof headers.get === "function" ? headers.get(name) : headers[name]);
  const [id, moment, signatures] = ["id", "timestamp", "signature"].map((name) => of(`webhook-${name}`));
  if (!id || !/^\d+$/.test(moment ?? "") || !signatures) throw new Error("A header is missing or malformed.");
  if (Math.abs(now() - Number(moment)) > TOLERANCE_S) throw new Error("The message is too old, or the clocks are apart.");
  const raw = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (one) => one.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const signed = new TextEncoder().encode(`${id}.${moment}.${body}`);
  for (const one of signatures.split(" ")) {
    const [version, text] = one.split(",");
    if (version !== "v1" || !text) continue;
    const mac = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    if (await crypto.subtle.verify("HMAC", key, mac, signed)) return JSON.parse(body);
  }
  throw new Error("No signature fits.");
}
