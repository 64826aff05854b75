// The privacy page: what a person's face is used for, and what they decide about it.
import { sha256 } from "./chain.js";
import { call } from "./device.js";
import { languageOf } from "./face-capture.js";
import { drawn } from "./notice.js";
import { EVENTS, PRIVACY_TEXTS } from "./privacy-texts.js";

const at = (id) => document.getElementById(id);
const page = { language: languageOf(navigator.language), token: null, told: null, said: null, kind: "", over: false, flow: null };

const words = () => PRIVACY_TEXTS[page.language];
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const ask = (method, path, body) => call(location.origin, method, `/v1/privacy${path}`, page.token, body);
const day = (time) => (time ? new Date(time).toLocaleDateString(page.language, { dateStyle: "medium" }) : "");
const moment = (time) =>
  new Date(time).toLocaleString(page.language, { dateStyle: "medium", timeStyle: "short" });

function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// In the page's language if it was published in it, else in the first it was.
const languageIn = (texts) =>
  Object.keys(texts).find((tag) => tag.split("-")[0] === page.language) ?? Object.keys(texts)[0];

// --- what is shown -------------------------------------------------------------------------------------------

function paint() {
  document.documentElement.lang = page.language;
  document.title = words().title;
  at("title").textContent = words().title;
  at("language").textContent = words().language;
  at("language").lang = page.language === "en" ? "zh" : "en";
  at("said").textContent = page.said === null ? "" : words()[page.said];
  at("said").dataset.kind = page.kind;
  at("content").hidden = page.told === null || page.over;
  if (page.told === null) return;
  for (const id of ["purposes", "mend", "pause", "devices", "activity", "copy", "close"]) {
    at(`${id}-title`).textContent = words()[id];
  }
  at("scenarios").replaceChildren(...inOrder().map(purpose));
  at("mend-told").textContent = page.flow ? words().mend_now_told : words().mend_told;
  at("mend").textContent = words().mend_now;
  at("mend").hidden = page.flow === null;
  paintPause();
  paintDevices();
  paintActivity();
  at("copy-told").textContent = words().copy_told;
  for (const form of ["page", "json", "receipts"]) at(`copy-${form}`).textContent = words()[`copy_${form}`];
  at("close-told").textContent = words().close_told;
  at("close-beside").textContent = words().close_sure;
  at("close").textContent = words().close;
}

// What waits for an answer stands first.
const inOrder = () =>
  [...page.told.scenarios].sort((one, other) => (other.stance === "ask_again") - (one.stance === "ask_again"));

function purpose(one) {
  const texts = one.notice.texts;
  const locale = languageIn(texts);
  const title = one.title[page.language] ?? one.title.en ?? one.scenario;
  const facts = { since: day(one.since), until: day(one.until), version: one.version, declined: one.declined };
  const told = one.declined === null || one.stance !== "ask_again" ? one.stance : "declined";
  const stance = made("p", { className: "stance", textContent: filled(words()[told], facts) });
  stance.dataset.stance = one.stance;
  const text = made("div", { className: "text", lang: locale, tabIndex: 0 }, ...drawn(texts[locale].text));
  text.setAttribute("role", "region");
  text.setAttribute("aria-label", title);
  const read = made(
    "details",
    { open: one.stance !== "agreed" }, // whoever is asked has the text before them (R30)
    made("summary", { textContent: filled(words().read, { version: one.notice.version }) }),
    text,
  );
  const shown = { one, title, locale, text: texts[locale].text };
  const acts = [];
  if (one.stance !== "agreed") acts.push(question(shown));
  if (["agreed", "ask_again"].includes(one.stance)) acts.push(button("withdraw", () => withdraw(one)));
  const article = made("article", {}, made("h3", { textContent: title }), stance, read, ...acts);
  article.classList.toggle("waits", one.stance === "ask_again");
  article.dataset.scenario = one.scenario;
  return article;
}

function question(shown) {
  const beside = filled(words().agree, { title: shown.title });
  const box = made("input", { type: "checkbox", autocomplete: "off" });
  const acts = made("div", { className: "actions" });
  acts.append(button("yes", () => answer("given", shown, beside, box)));
  // A no to something new leaves what was agreed to before as it is; to end that is the button below.
  if (["never", "ask_again"].includes(shown.one.stance)) acts.append(button("no", () => answer("refused", shown, beside, box)));
  return made("div", {}, made("label", {}, box, made("span", { textContent: beside })), acts);
}

const button = (name, act) => made("button", { type: "button", textContent: words()[name], onclick: act });

function paintPause() {
  const since = page.told.restricted_at;
  at("pause-told").textContent = since ? filled(words().paused, { since: moment(since) }) : words().running;
  at("pause").textContent = since ? words().resume : words().suspend;
}

function paintDevices() {
  at("devices-part").hidden = page.told.devices.length === 0;
  const rows = page.told.devices.map((one) => {
    const facts = { created: day(one.created_at), used: one.last_used_at ? moment(one.last_used_at) : "" };
    const told = `${one.label}: ${filled(one.last_used_at ? words().used : words().unused, facts)}`;
    const forget = made("button", {
      type: "button",
      textContent: filled(words().forget, { label: one.label }),
      onclick: () => act("done_forget", () => ask("DELETE", `/devices/${encodeURIComponent(one.device_id)}`)),
    });
    return made("li", {}, made("span", { textContent: told }), renaming(one), forget);
  });
  at("devices").replaceChildren(...rows);
}

// A name and the button that keeps it; nothing is sent while the name is the old one.
function renaming(one) {
  const name = made("input", { type: "text", value: one.label, maxLength: 100, required: true, autocomplete: "off" });
  name.setAttribute("aria-label", filled(words().name_of, { label: one.label }));
  const form = made("form", {}, name, made("button", { textContent: words().rename }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const label = name.value.trim();
    if (label === "" || label === one.label) return;
    act("done_rename", () => ask("PUT", `/devices/${encodeURIComponent(one.device_id)}`, { label }));
  });
  return form;
}

function paintActivity() {
  const titles = Object.fromEntries(page.told.scenarios.map((one) => [one.scenario, one.title]));
  const rows = [...page.told.activity].reverse().map(({ at: time, event, scenario }) => {
    const title = titles[scenario]?.[page.language] ?? titles[scenario]?.en ?? scenario ?? "";
    const cells = [moment(time), EVENTS[page.language][event] ?? event, title];
    return made("tr", {}, ...cells.map((text) => made("td", { textContent: text })));
  });
  at("activity").replaceChildren(...(rows.length ? rows : [made("tr", {}, made("td", { textContent: words().nothing }))]));
}

function say(key, kind = "") {
  page.said = key;
  page.kind = kind;
  paint();
}

// --- what is done --------------------------------------------------------------------------------------------

// Does one thing, shows what is there afterwards, and says how it went.
async function act(done, work) {
  for (const one of document.querySelectorAll("main button")) one.disabled = true;
  at("said").textContent = words().wait;
  try {
    await work();
    if (!page.over) page.told = await ask("GET", "");
    say(done);
  } catch (error) {
    fail(error);
  } finally {
    for (const one of document.querySelectorAll("main button")) one.disabled = false;
    at("said").scrollIntoView({ block: "nearest" });
    // What was pressed was drawn anew, or is gone: the keyboard goes on from the answer.
    if (document.activeElement === document.body) at("said").focus({ preventScroll: true });
  }
}

function answer(decision, shown, beside, box) {
  if (decision === "given" && !box.checked) {
    say("tick", "bad");
    return;
  }
  act(decision === "given" ? "done_yes" : "done_no", async () =>
    ask("POST", "/answers", {
      scenario: shown.one.scenario,
      notice_version: shown.one.notice.version,
      // Of the very text that stood before the person.
      notice_sha256: await sha256(shown.text),
      locale: shown.locale,
      decision,
      affirmation: { method: "checkbox", checked_by_default: false, text: beside },
    }),
  );
}

const withdraw = (one) =>
  act("done_withdraw", () => ask("POST", "/withdraw", { scenario: one.scenario }));

const pause = () =>
  act(page.told.restricted_at ? "done_resume" : "done_pause", () =>
    ask("PUT", "/restriction", { restricted: page.told.restricted_at === null }),
  );

// The flow's own page goes on from here: it asks where that is missing, takes the pictures, and leads back.
function mend() {
  const { id, token } = page.flow;
  page.flow = null;
  location.assign(`/ui/capture#${new URLSearchParams({ flow: id, token })}`);
}

function close() {
  if (!at("close-sure").checked) {
    say("close_tick", "bad");
    at("close-sure").focus();
    return;
  }
  act("done_close", async () => {
    await ask("POST", "/close", { everything: true });
    page.over = true;
  });
}

// A file of the page's own making: the token goes in a header, so a plain link could not fetch it.
async function keep(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  made("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

async function copy(form) {
  try {
    if (form === "page") {
      const answered = await fetch("/v1/privacy/export?form=html", {
        headers: { Authorization: `Bearer ${page.token}` },
      });
      if (!answered.ok) throw Object.assign(new Error("refused"), { code: "gone" });
      await keep("my-face-data.html", "text/html", await answered.text());
    } else {
      const told = await ask("GET", form === "json" ? "/export" : "/receipts");
      const name = form === "json" ? "my-face-data.json" : "my-receipts.json";
      await keep(name, "application/json", JSON.stringify(told, null, 2));
    }
  } catch (error) {
    fail(error);
  }
}

function fail(error) {
  const code = error.code === "not_authenticated" ? "gone" : error.code;
  if (code === "gone") page.over = true;
  say(words()[code] ? code : "failed", "bad");
}

async function main() {
  const link = new URLSearchParams(location.hash.slice(1));
  const token = link.get("token");
  if (link.get("flow") && link.get("renewal")) page.flow = { id: link.get("flow"), token: link.get("renewal") };
  // The tokens leave the address bar and the history at once.
  history.replaceState(null, "", location.pathname);
  // Another link opened where this page is: browsers load nothing for what only differs behind the #.
  addEventListener("hashchange", () => location.reload());
  at("language").addEventListener("click", () => {
    page.language = page.language === "en" ? "zh" : "en";
    paint();
  });
  at("mend").addEventListener("click", mend);
  at("pause").addEventListener("click", pause);
  at("close").addEventListener("click", close);
  for (const form of ["page", "json", "receipts"]) at(`copy-${form}`).addEventListener("click", () => copy(form));
  paint();
  if (!token) {
    fail({ code: "gone" });
    return;
  }
  page.token = token;
  try {
    page.token = (await ask("POST", "/begin")).page_token;
    page.told = await ask("GET", "");
    if (page.told.locale) page.language = languageOf(page.told.locale);
    paint();
  } catch (error) {
    fail(error);
  }
}

await main();
