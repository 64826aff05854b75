// The hosted page: the notice first if there is one to answer, then the capture, the result, and the way back.
import { keepWhileAway, taken } from "./away.js";
import { pause } from "./camera.js";
import { languageOf } from "./face-capture.js";
import { Flow } from "./flow.js";
import { drawn } from "./notice.js";
import { PAGE_TEXTS } from "./page-texts.js";
import { passkey } from "./passkey.js";

const BACK_MS = 1200; // long enough to read that it worked
const AGAIN_MS = [1000, 3000, 5000]; // after a question that nobody heard
// The one path of this service that a link may name to return to.
const CONTINUE = /^\/oauth2\/continue\/[\w-]{1,128}$/;

const at = (id) => document.getElementById(id);
const page = {
  language: languageOf(navigator.language),
  title: "verify",
  told: null,
  said: null,
  back: null,
  flow: null,
  here: null, // how far the person has come: what a reload of this tab goes on with
};

const words = () => PAGE_TEXTS[page.language];

// --- what is shown -------------------------------------------------------------------------------------------

function paint() {
  document.documentElement.lang = page.language;
  document.title = words()[page.title];
  at("title").textContent = words()[page.title];
  at("language").textContent = words().language;
  at("language").lang = page.language === "en" ? "zh" : "en";
  for (const id of ["yes", "no"]) at(id).textContent = words()[id];
  at("capture").locale = page.language;
  at("said").textContent = page.said === null ? "" : words()[page.said];
  at("back").textContent = words().back;
  if (page.told?.notice) paintNotice();
}

const titled = () => page.told.title[page.language] ?? page.told.title.en ?? page.told.scenario;
const affirmation = () => words().agree.replace("{title}", titled());

// In the page's language if the notice was published in it, else in the first it was.
function shownNotice() {
  const { version, texts } = page.told.notice;
  const locale = languageIn(texts);
  return { version, locale, text: texts[locale].text, beside: affirmation() };
}

const languageIn = (texts) =>
  Object.keys(texts).find((tag) => tag.split("-")[0] === page.language) ?? Object.keys(texts)[0];

function paintNotice() {
  const { locale, text } = shownNotice();
  at("text").lang = locale;
  at("text").replaceChildren(...drawn(text));
  at("beside").textContent = affirmation();
}

function say(key, kind = "") {
  page.said = key;
  at("said").dataset.kind = kind;
  paint();
}

function show(part) {
  for (const id of ["notice", "capture"]) at(id).hidden = id !== part;
}

// --- the way back --------------------------------------------------------------------------------------------

function end(key, kind = "") {
  over(key);
  show(null);
  say(key, kind);
  offerBack();
}

// Nothing is left to go on with but the way back.
function over(how) {
  page.here = { over: how, back: page.back };
}

function offerBack() {
  if (page.back === null) return;
  at("back").href = page.back;
  at("back").hidden = false;
  at("back").focus();
}

function ended({ type }) {
  over(type);
  offerBack();
  if (type !== "accepted" || page.back === null) return;
  say("returning");
  setTimeout(() => location.replace(page.back), BACK_MS);
}

// --- the story -----------------------------------------------------------------------------------------------

function capture(session, token) {
  page.here = { session, token, title: page.title, back: page.back };
  say(null);
  show("capture");
  at("capture").session = session;
  at("capture").token = token;
}

// Asks again a little later if nobody was reached.
async function patiently(ask) {
  for (const ms of AGAIN_MS) {
    try {
      return await ask();
    } catch (error) {
      if (error.code !== "lost") throw error;
      say("lost", "bad");
      await pause(ms);
    }
  }
  return ask();
}

async function openSession() {
  page.title = page.told.purpose;
  const { session_id, client_token } = await patiently(() => page.flow.open());
  capture(session_id, client_token);
}

async function answer(decision) {
  if (decision === "given" && !at("agree").checked) {
    say("tick", "bad");
    at("agree").focus();
    return;
  }
  const buttons = [at("yes"), at("no"), at("agree"), at("language")];
  for (const one of buttons) one.disabled = true;
  say("wait");
  try {
    await page.flow.answer(decision, shownNotice());
    page.told.notice = null;
    if (decision === "refused") end("refused");
    else {
      await openSession();
      at("title").focus(); // the button that was pressed is gone, and what there is to do now is below
    }
  } catch (error) {
    fail(error);
  } finally {
    for (const one of buttons) one.disabled = false;
  }
}

function fail(error) {
  const code = error.code === "not_authenticated" || error.code === "session_closed" ? "gone" : error.code;
  const known = words()[code] ? code : "failed";
  // Only what another try can mend leaves the person where they are.
  if (page.told?.notice && ["lost", "failed"].includes(known)) say(known, "bad");
  else end(known, "bad");
}

async function follow(id, token) {
  page.here = { flow: id, token };
  page.flow = new Flow(id, token);
  const told = await patiently(() => page.flow.begin());
  if (told.locale) page.language = languageOf(told.locale);
  await meet(id, told);
}

async function meet(id, told) {
  page.here = { flow: id, told };
  page.told = told;
  page.back = told.return_url;
  if (page.told.notice) {
    page.title = "consent";
    show("notice");
    say(null);
  } else {
    await openSession();
  }
}

// After a reload: from where the person was. The service decides what may still be done.
async function goOn(here) {
  page.language = here.language;
  page.back = here.back ?? null;
  if (here.told) {
    page.flow = new Flow(here.flow, here.told.page_token);
    await meet(here.flow, here.told);
  } else if (here.flow) {
    await follow(here.flow, here.token);
  } else if (here.session) {
    page.title = here.title;
    capture(here.session, here.token);
  } else if (here.over === "accepted" && page.back !== null) {
    ended({ type: here.over });
  } else {
    end(words()[here.over] ? here.over : "over");
  }
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  // The tokens leave the address bar and the history at once.
  history.replaceState(null, "", location.pathname);
  return Object.fromEntries(["session", "token", "flow", "return"].map((name) => [name, given.get(name)]));
}

async function main() {
  const given = readAddress();
  const here = taken();
  keepWhileAway(() => page.here && { ...page.here, language: page.language });
  // Another link opened where this page is: browsers load nothing for what only differs behind the #.
  addEventListener("hashchange", () => location.reload());
  at("language").addEventListener("click", () => {
    page.language = page.language === "en" ? "zh" : "en";
    paint();
  });
  at("yes").addEventListener("click", () => answer("given"));
  at("no").addEventListener("click", () => answer("refused"));
  at("capture").signer = passkey;
  for (const type of ["accepted", "denied", "cancelled"]) at("capture").addEventListener(type, ended);
  at("capture").addEventListener("error", ({ detail }) => {
    if (!detail?.over) return;
    over("over");
    offerBack();
  });
  paint();
  try {
    if (given.flow && given.token) {
      await follow(given.flow, given.token);
    } else if (given.session && given.token) {
      if (CONTINUE.test(given.return ?? "")) page.back = given.return;
      capture(given.session, given.token);
    } else if (here !== null) {
      await goOn(here);
    } else {
      end("gone", "bad");
    }
  } catch (error) {
    fail(error);
  }
}

await main();
