// The hash chain over a burst: h0 = SHA-256(nonce, challenge), then each frame's hash takes in the one before it.

const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));

const join = (...parts) => new Blob(parts).arrayBuffer();

const digest = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", await join(...parts)));

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// Four bytes, the highest first.
function word(number) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

// Keys in order and no spaces: the service hashes the same bytes.
function told({ profile, steps }, transaction) {
  const inOrder = steps.map(({ colours = [], id, kind, min_ms }) => ({
    colours: colours.map(({ ms, rgb }) => ({ ms, rgb })),
    id,
    kind,
    min_ms,
  }));
  const whole = { profile, steps: inOrder, ...(transaction ? { transaction } : {}) };
  return new TextEncoder().encode(JSON.stringify(whole));
}

// The SHA-256 of a text, in hex.
export const sha256 = async (text) => hex(await digest(new TextEncoder().encode(text)));

// What a device's key signs of a session, and the challenge that WebAuthn takes for it: bytes both.
export async function toSign(session, nonce, last) {
  const message = new Uint8Array(
    await join(new TextEncoder().encode("faceauth session v1\0"), decode(nonce), new TextEncoder().encode(session), last),
  );
  return { message, challenge: await digest(message) };
}

export class Chain {
  #last;
  #count = 0;
  #all = [];

  // Takes a challenge with the steps that were told, all of them for a post, the first for a stream; and the hash of
  // the text that the person was shown to confirm, if there was one.
  constructor(challenge, transaction = null) {
    this.#last = digest(decode(challenge.nonce), told(challenge, transaction));
  }

  // Takes the next frame and resolves to the hash with it, in hex. Frames are hashed in the order of the calls.
  async add(ms, jpeg) {
    this.#count += 1;
    const [before, count] = [this.#last, this.#count];
    this.#last = before.then((last) => digest(last, word(count), word(ms), jpeg));
    this.#all.push(this.#last);
    return hex(await this.#last);
  }

  // Resolves to the hash with the first so many frames, in bytes.
  at(count) {
    return this.#all[count - 1];
  }
}
