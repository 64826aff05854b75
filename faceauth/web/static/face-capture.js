// <face-capture session="…" token="…">: one session before the camera, from the person's click to its end.
//
// Events: accepted, denied, cancelled, each with {session}; error with {session, code, over}. None says why somebody
// was denied: the page does not know. Attributes: session, token, base, locale, flashes (auto, on, off).
import { Camera, Problem } from "./camera.js";
import { sha256, toSign } from "./chain.js";
import { Device, FINAL } from "./device.js";
import { Pace } from "./pace.js";
import { postSession } from "./post.js";
import { NoStream, streamSession } from "./stream.js";
import { TEXTS } from "./texts.js";
import { View } from "./view.js";

const GUIDED = "guided"; // steps told as they come; the other way is all at once
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// The language that is asked for, as far as there are words in it.
export function languageOf(...wanted) {
  const known = Object.keys(TEXTS);
  const found = wanted.map((tag) => (tag ?? "").toLowerCase().split("-")[0]).find((tag) => known.includes(tag));
  return found ?? "en";
}

export class FaceCapture extends HTMLElement {
  static observedAttributes = ["session", "token", "locale"];

  #view;
  #camera;
  #token = null;
  #device = null;
  #challenge = null;
  #confirming = null;
  #pace = new Pace();
  #ready = false;
  #begun = false;
  #running = false;
  #over = false;
  #way = GUIDED;
  #asked = null;
  #guided = "";
  #leave = () => this.#stop();

  constructor() {
    super();
    this.#view = new View(this.attachShadow({ mode: "open" }));
    this.#camera = new Camera(this.#view.at("camera"));
    this.#view.at("start").addEventListener("click", () => this.#run());
    this.#view.at("cancel").addEventListener("click", () => this.cancel());
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#running) this.cancel();
    });
  }

  connectedCallback() {
    this.#ready = true;
    this.#view.speak(this.#language);
    addEventListener("pagehide", this.#leave);
    this.#prepare();
  }

  disconnectedCallback() {
    this.#ready = false;
    removeEventListener("pagehide", this.#leave);
    this.#stop();
  }

  attributeChangedCallback(name, _, value) {
    if (name === "token") {
      if (value === null) return;
      this.#token = value;
      // It does not stay where styles, extensions and copies of the page could read it.
      this.removeAttribute("token");
    }
    if (!this.#ready) return;
    if (name === "locale") this.#view.speak(this.#language);
    else this.#prepare();
  }

  get session() {
    return this.getAttribute("session");
  }

  set session(value) {
    this.setAttribute("session", value);
  }

  // Write only: the token is given, never handed out.
  set token(value) {
    this.setAttribute("token", value);
  }

  // Signs with the device's key (docs/devices.md): a function of {message, challenge, policy}, the first two in bytes,
  // that resolves to the signature as the service takes it, or to null. Only sessions that look at keys ask it.
  signer = null;

  get locale() {
    return this.#language;
  }

  set locale(value) {
    this.setAttribute("locale", value);
  }

  // Ends the session at the person's wish.
  async cancel() {
    if (this.#over) return;
    const told = this.#device?.ask("POST", "cancel").catch(() => null);
    this.#finish("cancelled");
    await told;
    this.#tell("cancelled");
  }

  get #language() {
    return languageOf(this.getAttribute("locale"), this.closest("[lang]")?.lang, navigator.language);
  }

  get #base() {
    return new URL(this.getAttribute("base") ?? "/", import.meta.url);
  }

  #tell(name, more = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail: { session: this.session, ...more } }));
  }

  // --- before the camera -----------------------------------------------------------------------------------------

  async #prepare() {
    if (this.#running || this.#over || !this.session || this.#token === null) return;
    const device = new Device(this.#base, this.session, this.#token);
    if (this.#device?.session === device.session && this.#device.token === device.token) return;
    this.#device = device;
    const asked = performance.now();
    try {
      await this.#meet(await device.ask("GET", "challenge"));
      this.#pace = new Pace(performance.now() - asked);
      this.#view.say("ready");
      this.#view.offer("start");
      this.#tell("ready");
    } catch (error) {
      this.#fail(error);
    }
  }

  // Takes a challenge: tells what is to be confirmed, and warns of colours with a way without them.
  async #meet(challenge) {
    const text = challenge.transaction?.text ?? null;
    this.#challenge = challenge;
    this.#view.transaction(text);
    // What was shown is what the frames are chained to: another text than the application's denies.
    this.#confirming = text === null ? null : await sha256(text);
    this.#view.at("colours").hidden = !this.#flashes;
    const wanted = this.getAttribute("flashes") ?? "auto";
    this.#view.at("noflash").checked = wanted === "off" || (wanted === "auto" && calm.matches);
  }

  // A stream does not tell all of its steps ahead, but its profile does.
  get #flashes() {
    const { profile, steps } = this.#challenge ?? { profile: "", steps: [] };
    return profile.includes("flash") || steps.some((step) => step.kind === "flash");
  }

  async #withoutColours() {
    if (this.#begun || !this.#flashes || !this.#view.at("noflash").checked) return;
    // Where it cannot be, "flashes_needed" is thrown and nothing flashes at somebody who said no: they choose
    // another way, or change their mind.
    this.#challenge = await this.#device.ask("POST", "challenge", { flashes: false });
  }

  // --- the capture -----------------------------------------------------------------------------------------------

  async #run() {
    if (this.#running || this.#over) return;
    if (this.#challenge === null) {
      await this.#prepare();
      return;
    }
    this.#running = true;
    this.#view.say("asking");
    try {
      // The camera first: browsers want it asked for in answer to the click itself.
      await this.#camera.start();
      if (this.#over) return;
      await this.#withoutColours();
      this.#begun = true;
      this.#view.begin();
      this.#view.stage(true);
      this.#view.at("stage").scrollIntoView({ block: "center" });
      this.#judged(await this.#streamedOrPosted());
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#stop();
      this.#running = false;
    }
  }

  async #streamedOrPosted() {
    if (this.#way === GUIDED) {
      try {
        return { state: await this.#streamed() };
      } catch (error) {
        if (!(error instanceof NoStream)) throw error;
        this.#way = "posted";
      }
    }
    return this.#posted();
  }

  get #how() {
    return {
      pace: this.#pace,
      picture: async (shape) => {
        if (!this.#camera.open && !this.#over) throw new Problem("camera_lost");
        return this.#camera.picture(shape);
      },
      stopped: () => this.#over,
      confirming: this.#confirming,
      sign: this.#sign,
    };
  }

  get #sign() {
    const policy = this.#challenge.device_key ?? "none";
    if (this.signer === null || policy === "none") return null;
    return async (nonce, last) => this.signer({ ...(await toSign(this.session, nonce, last)), policy });
  }

  // What is shown while a session goes on: nobody who has left is told a step, or flashed at, by what was still under way.
  #untilOver(shown) {
    const guarded = (show) => (...told) => this.#over || show(...told);
    return Object.fromEntries(Object.entries(shown).map(([name, show]) => [name, guarded(show)]));
  }

  async #streamed() {
    const first = (step) => step.id === this.#challenge.steps[0].id;
    return streamSession(this.#device, {
      ...this.#how,
      ...this.#untilOver({
        show: (step) => {
          [this.#asked, this.#guided] = [step, ""];
          this.#view.step(step, first(step));
        },
        guide: (code, done) => this.#guide(code, done),
        judging: () => {
          this.#asked = null;
          this.#view.judging();
        },
        lost: () => {
          this.#asked = null;
          this.#view.flash([]);
          this.#view.say("reconnecting");
          this.#view.announce("reconnecting");
        },
      }),
    });
  }

  async #posted() {
    const steps = this.#challenge.steps;
    const answer = await postSession(this.#device, this.#challenge, {
      ...this.#how,
      ...this.#untilOver({
        show: (step) => this.#view.step(step, step === steps[0]),
        progress: (done) => this.#view.progress(done),
        taken: () => {
          this.#stop();
          this.#view.judging();
        },
      }),
    });
    // It may be longer by a step now.
    if (answer.state === "open") this.#challenge = await this.#device.ask("GET", "challenge");
    return answer;
  }

  #guide(code, done) {
    this.#view.progress(done);
    if (this.#asked === null) return;
    const better = code.startsWith("step:") ? null : code;
    if (better !== null) this.#view.mention(better, performance.now());
    if (code === this.#guided) return;
    this.#guided = code;
    this.#view.guide(better);
    this.#view.say(this.#asked.kind, "", better === null ? [] : [better]);
  }

  // --- the end ---------------------------------------------------------------------------------------------------

  #judged({ state, guidance = [] }) {
    if (this.#over) return;
    if (state === "open") {
      const kinds = Object.fromEntries(this.#challenge.steps.map((step) => [`step:${step.id}`, step.kind]));
      this.#view.say("open", "", guidance.map((code) => kinds[code] ?? code));
      this.#view.announce("open");
      this.#again();
      return;
    }
    this.#finish(state, state === "accepted" ? "good" : "bad");
    this.#tell(state);
  }

  #fail(error) {
    if (this.#over) return;
    const code = error instanceof Problem && TEXTS.en[error.code] ? error.code : "failed";
    const over = FINAL.includes(code);
    if (over) {
      this.#finish(code, "bad");
    } else {
      this.#view.say(code, "bad");
      this.#view.announce(code);
      if (this.#challenge === null) this.#device = null;
      this.#again();
    }
    this.#tell("error", { code, over });
  }

  #again() {
    this.#stop();
    this.#view.offer("again");
    this.#view.at("colours").hidden = this.#begun || !this.#flashes;
    this.#view.at("start").focus();
  }

  #finish(key, kind = "") {
    this.#over = true;
    this.#stop();
    this.#token = null;
    this.#view.finish(key === "accepted");
    this.#view.say(key, kind);
    this.#view.announce(key);
  }

  #stop() {
    this.#camera.stop();
    this.#view.stage(false);
  }
}

customElements.define("face-capture", FaceCapture);
