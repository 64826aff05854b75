// The capture page: explains, waits for a click, shows the steps, sends the frames, tells the outcome.
import { NoStream, streamSession } from "./stream.js";
import { TEXTS } from "./texts.js";

const FRAMES_A_SECOND = 12;
const MOST_FRAMES = 84; // the service takes 90 a session by default
const REACTION_MS = 700; // people need a moment before they do what they read
const SHORTEST_STEP_MS = 1200;
const LONGEST_FRAME_MS = 500; // a camera that gives nothing for so long has stopped
const NEXT_FRAME_MS = 20; // about how long the next picture of a camera takes to come
const WIDTH = 640;
const QUALITY = 0.9;
const ARROWS = { turn_left: "left", turn_right: "right", nod_up: "up", nod_down: "down" };

const at = (id) => document.getElementById(id);
const page = {
  language: navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en",
  said: ["ready", "", []],
  session: null,
  token: null,
  challenge: null,
  stream: null,
  over: false,
};

// --- words ---------------------------------------------------------------------------------------------------

const words = () => TEXTS[page.language];

function paint() {
  document.documentElement.lang = page.language;
  document.title = words().title;
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = words()[element.dataset.text];
  }
  at("language").textContent = words().language;
  const [key, kind, hints] = page.said;
  at("say").textContent = words().steps[key] ?? words()[key] ?? words().failed;
  at("say").dataset.kind = kind;
  at("hints").replaceChildren(
    ...hints.map((code) => {
      const item = document.createElement("li");
      const step = page.challenge?.steps.find((one) => `step:${one.id}` === code);
      item.textContent = step ? words().steps[step.kind] : (words().guidance[code] ?? "");
      return item;
    }).filter((item) => item.textContent),
  );
}

function say(key, kind = "", hints = []) {
  page.said = [key, kind, hints];
  paint();
}

// --- the service ---------------------------------------------------------------------------------------------

async function ask(method, what, body) {
  const answer = await fetch(`/v1/sessions/${encodeURIComponent(page.session)}/${what}`, {
    method,
    body,
    headers: { Authorization: `Bearer ${page.token}` },
    credentials: "omit",
    referrerPolicy: "no-referrer",
  });
  const told = await answer.json();
  if (!answer.ok) throw new Problem(told.code, told.status);
  return told;
}

class Problem extends Error {
  constructor(code, status) {
    super(code);
    this.code = code;
    this.status = status;
  }
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  page.session = given.get("session");
  page.token = given.get("token");
  // The token leaves the address bar and the history at once.
  history.replaceState(null, "", location.pathname);
}

// --- the camera ----------------------------------------------------------------------------------------------

async function openCamera() {
  if (!navigator.mediaDevices?.getUserMedia) throw new Problem("camera_insecure");
  try {
    page.stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    const kinds = { NotAllowedError: "camera_refused", NotReadableError: "camera_busy" };
    throw new Problem(kinds[error.name] ?? "camera_missing");
  }
  at("camera").srcObject = page.stream;
  at("stage").hidden = false;
  await at("camera").play();
}

function closeCamera() {
  for (const track of page.stream?.getTracks() ?? []) track.stop();
  page.stream = null;
  at("camera").srcObject = null;
  at("stage").hidden = true;
  showColours([]);
  delete at("arrow").dataset.to;
}

const pause = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));

// Waits for a picture that was not taken yet: the same one sent twice is denied as a replay.
function newPicture() {
  const video = at("camera");
  if (!video.requestVideoFrameCallback) return pause(LONGEST_FRAME_MS / 10).then(() => true);
  return Promise.race([
    new Promise((done) => video.requestVideoFrameCallback(() => done(true))),
    pause(LONGEST_FRAME_MS).then(() => false),
  ]);
}

async function takeFrame(canvas) {
  const video = at("camera");
  const scale = Math.min(1, WIDTH / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  // Only the screen shows a mirror; what is sent is as the camera sees it.
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) =>
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Problem("failed"))), "image/jpeg", QUALITY),
  );
}

function showStep(step) {
  say(step.kind);
  if (ARROWS[step.kind]) at("arrow").dataset.to = ARROWS[step.kind];
  else delete at("arrow").dataset.to;
  showColours(step.colours ?? []);
}

// The whole screen lights the face, one colour after the other; the words go on being read out.
let colourTimer = null;
function showColours(colours) {
  clearTimeout(colourTimer);
  const [colour, ...later] = colours;
  at("flash").hidden = !colour;
  if (!colour) return;
  at("flash").style.backgroundColor = colour.rgb;
  colourTimer = setTimeout(showColours, colour.ms, later);
}

async function capture(steps) {
  const lasts = steps.map((step) => Math.max(SHORTEST_STEP_MS, step.min_ms + REACTION_MS));
  const total = lasts.reduce((sum, ms) => sum + ms, 0);
  const every = Math.max(1000 / FRAMES_A_SECOND, total / MOST_FRAMES);
  const canvas = document.createElement("canvas");
  const frames = [];
  const timeline = [];
  let began = null;
  let ends = 0;
  for (const [number, step] of steps.entries()) {
    showStep(step);
    ends += lasts[number];
    while (began === null || performance.now() - began < ends) {
      if (!page.stream || page.over) throw new Problem("cancelled");
      if (!(await newPicture())) continue;
      const now = performance.now();
      began ??= now;
      frames.push(await takeFrame(canvas));
      timeline.push({ step: step.id, t_ms: Math.round(now - began) });
      at("ring").style.strokeDasharray = `${Math.min(100, ((now - began) / total) * 100)} 100`;
      // By the clock and not from frame to frame: a camera of 15 pictures a second would else give every other one.
      await pause(began + frames.length * every - performance.now() - NEXT_FRAME_MS);
    }
  }
  return { frames, timeline };
}

// --- the story -----------------------------------------------------------------------------------------------

async function streamed() {
  const canvas = document.createElement("canvas");
  let [asked, told] = [null, ""];
  const state = await streamSession({
    session: page.session,
    token: page.token,
    picture: async () => ((await newPicture()) && page.stream ? takeFrame(canvas) : null),
    show: (step) => {
      [asked, told] = [step, ""];
      showStep(step);
    },
    guide: (code, done) => {
      at("ring").style.strokeDasharray = `${100 * done} 100`;
      if (!asked || code === told) return; // said once, or a screen reader says nothing else
      told = code;
      say(asked.kind, "", code.startsWith("step:") ? [] : [code]);
    },
    judging: () => {
      asked = null;
      showColours([]);
      delete at("arrow").dataset.to;
      say("sending");
    },
    stopped: () => page.over,
  });
  return { state };
}

async function posted() {
  const { frames, timeline } = await capture(page.challenge.steps);
  closeCamera();
  say("sending");
  const post = new FormData();
  frames.forEach((frame, number) => post.append("frames", frame, `${number}.jpg`));
  post.append("timeline", JSON.stringify(timeline));
  const answer = await ask("POST", "frames", post);
  // It may be longer by a step now.
  if (answer.state === "open") page.challenge = await ask("GET", "challenge");
  return answer;
}

async function run() {
  at("start").hidden = true;
  say("asking");
  try {
    await openCamera();
    tell(await streamed().catch((error) => {
      if (error instanceof NoStream) return posted();
      throw error;
    }));
  } catch (error) {
    fail(error);
  } finally {
    closeCamera();
  }
}

function tell(answer) {
  if (page.over) return;
  if (answer.state === "open") {
    say("open", "", answer.guidance);
    offer("again");
    return;
  }
  finish(answer.state, answer.state === "accepted" ? "good" : "bad");
}

function fail(error) {
  const code = error instanceof Problem ? error.code : "failed";
  if (page.over) return;
  if (["session_closed", "not_authenticated"].includes(code)) {
    finish(code, "bad");
    return;
  }
  say(words()[code] ? code : "failed", "bad");
  offer("again");
}

function offer(text) {
  at("start").dataset.text = text;
  at("start").hidden = false;
  at("start").disabled = false;
  paint();
  at("start").focus();
}

function finish(key, kind) {
  page.over = true;
  closeCamera();
  page.token = null;
  at("actions").hidden = true;
  at("start").hidden = true;
  at("cancel").hidden = true;
  say(key, kind);
}

async function cancel() {
  const given = page.token !== null && page.session !== null;
  const told = given ? ask("POST", "cancel").catch(() => null) : null;
  finish("cancelled", "");
  await told;
}

async function main() {
  at("language").addEventListener("click", () => {
    page.language = page.language === "en" ? "zh" : "en";
    paint();
  });
  at("start").addEventListener("click", run);
  at("cancel").addEventListener("click", cancel);
  addEventListener("pagehide", closeCamera);
  readAddress();
  paint();
  try {
    if (!page.session || !page.token) throw new Problem("not_authenticated");
    page.challenge = await ask("GET", "challenge");
    offer("start");
  } catch (error) {
    fail(error);
  }
}

await main();
