// A flow as the hosted page sees it: a link opened once, a notice answered, a session begun. After a reload the page
// has its own token already.
import { sha256 } from "./chain.js";
import { call } from "./device.js";

export class Flow {
  #path;
  #token;

  constructor(id, token) {
    this.#path = `/v1/flows/${encodeURIComponent(id)}`;
    this.#token = token;
  }

  // The link is used up by this; what it answers holds the token for the rest.
  async begin() {
    const told = await this.#ask("begin");
    this.#token = told.page_token;
    return told;
  }

  // Records what the person said to the text that stood before them, by the hash of that very text.
  async answer(decision, { version, locale, text, beside }) {
    return this.#ask("answer", {
      decision,
      notice_version: version,
      notice_sha256: await sha256(text),
      locale,
      affirmation: { method: "checkbox", checked_by_default: false, text: beside },
    });
  }

  open() {
    return this.#ask("session");
  }

  #ask(what, body) {
    return call(location.origin, "POST", `${this.#path}/${what}`, this.#token, body);
  }
}
