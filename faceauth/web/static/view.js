// What the element shows and says. It knows nothing of cameras and sessions.
import { fill } from "./shadow.js";
import { TEXTS } from "./texts.js";

const AGAIN_MS = 4000; // a screen reader is told the same guidance again after so long
const APART_MS = 1500; // and two different ones not faster than this

export class View {
  #root;
  #words = TEXTS.en;
  #said = ["ready", "", []];
  #offered = "start";
  #heard = { code: "", at: -Infinity };
  #colourTimer = null;

  constructor(root) {
    this.#root = root;
    fill(root);
  }

  at(id) {
    return this.#root.getElementById(id);
  }

  // --- words ---------------------------------------------------------------------------------------------------

  speak(language) {
    this.#words = TEXTS[language];
    this.at("card").lang = language;
    this.#paint();
  }

  say(key, kind = "", hints = []) {
    this.#said = [key, kind, hints];
    this.#paint();
  }

  // Says something at once, over whatever is being read out.
  announce(key) {
    this.at("assertive").textContent = this.#word(key);
  }

  // Guidance is read out when there is time, and not for every frame.
  mention(code, now) {
    const since = now - this.#heard.at;
    if (since < (code === this.#heard.code ? AGAIN_MS : APART_MS)) return;
    this.#heard = { code, at: now };
    // Something has to change, or the same words are not read out again.
    this.at("polite").textContent = "";
    this.at("polite").textContent = this.#words.guidance[code] ?? "";
  }

  #word(key) {
    return this.#words.steps[key] ?? this.#words[key] ?? this.#words.failed;
  }

  #paint() {
    for (const element of this.#root.querySelectorAll("[data-text]")) {
      element.textContent = this.#words[element.dataset.text];
    }
    for (const item of this.at("steps").children) item.firstChild.textContent = this.#word(item.dataset.kind);
    const [key, kind, hints] = this.#said;
    this.at("say").textContent = this.#word(key);
    this.at("say").dataset.kind = kind;
    this.at("start").textContent = this.#words[this.#offered];
    const told = hints.map((code) => this.#words.guidance[code] ?? this.#words.steps[code] ?? "").filter(Boolean);
    this.at("hints").replaceChildren(
      ...told.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
    );
  }

  // --- before and after ------------------------------------------------------------------------------------------

  transaction(text) {
    this.at("transaction").hidden = !text;
    this.at("transaction").textContent = text ?? "";
  }

  offer(key) {
    this.#offered = key;
    for (const id of ["start", "cancel"]) this.at(id).hidden = false;
    this.at("start").disabled = false;
    this.at("explain").hidden = false;
    this.#paint();
  }

  begin() {
    // Where the words are, for the button goes; not on "Not now", which a second press would be taken for.
    this.at("say").focus();
    this.at("start").hidden = true;
    this.at("colours").hidden = true;
    this.at("explain").hidden = true;
  }

  finish(accepted) {
    if (this.#root.activeElement !== null) this.at("say").focus();
    for (const id of ["actions", "colours", "explain", "transaction"]) this.at(id).hidden = true;
    this.at("other").hidden = accepted;
  }

  // --- before the camera -------------------------------------------------------------------------------------------

  stage(shown) {
    for (const id of ["stage", "steps"]) this.at(id).hidden = !shown;
    if (shown) return;
    this.flash([]);
    this.guide(null);
    this.progress(0);
    this.at("steps").replaceChildren();
    delete this.at("arrow").dataset.to;
  }

  progress(done) {
    this.at("ring").style.strokeDasharray = `${Math.min(100, 100 * done)} 100`;
  }

  // No more frames are needed.
  judging() {
    this.flash([]);
    this.guide(null);
    delete this.at("arrow").dataset.to;
    this.say("sending");
    this.announce("sending");
  }

  // A step was told. `first` says that the capture begins, or begins again.
  step({ kind, colours = [] }, first) {
    const steps = this.at("steps");
    if (first) steps.replaceChildren();
    for (const item of steps.children) item.removeAttribute("aria-current");
    const item = document.createElement("li");
    item.dataset.kind = kind;
    item.setAttribute("aria-current", "step");
    const label = Object.assign(document.createElement("span"), { className: "heard" });
    item.append(label);
    steps.append(item);
    this.at("arrow").dataset.to = kind;
    this.guide(null);
    this.say(kind);
    this.announce(kind);
    this.flash(colours);
  }

  // What can be done better, in shape; null once nothing has to be.
  guide(code) {
    this.at("stage").dataset.guide = code ?? "";
    for (const mark of this.at("marks").children) {
      mark.toggleAttribute("data-on", code !== null && mark.dataset.for.split(" ").includes(code));
    }
  }

  // The whole screen lights the face, one colour after the other, over everything else of the page.
  flash([colour, ...later]) {
    clearTimeout(this.#colourTimer);
    const live = this.at("live");
    if (!colour) {
      if (live.hasAttribute("popover")) live.hidePopover?.();
      live.removeAttribute("popover");
      live.removeAttribute("data-flash");
      live.style.backgroundColor = "";
      return;
    }
    if (!live.hasAttribute("data-flash")) {
      live.setAttribute("data-flash", "");
      live.setAttribute("popover", "manual");
      live.showPopover?.();
    }
    live.style.backgroundColor = colour.rgb;
    this.#colourTimer = setTimeout(() => this.flash(later), colour.ms);
  }
}
