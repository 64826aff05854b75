// How large and how often frames are sent, by what the connection carries.

// The service wants 8 frames a second at least and 50 pixels between the eyes: neither goes lower than this.
const SIZES = [640, 480];
const QUALITIES = [0.9, 0.8, 0.7];
const RATES = [12, 11, 10];
const SLOW_ROUND_TRIP_MS = 600; // a connection that is slow from the start begins small
const LATE_MS = 1200; // guidance on a frame comes so long after it: too much is on its way
const EASY_FRAMES = 36; // so many frames in a row without any waiting: it carries more
const FRAMES_WAITING = 3; // that the network has not taken yet

export class Pace {
  #size = 0;
  #level = 0;
  #easy = 0;
  #usual = 0;

  constructor(roundTripMs = 0) {
    if (roundTripMs > SLOW_ROUND_TRIP_MS) [this.#size, this.#level] = [1, 1];
  }

  // The size stays as it is within a burst: points of the face are followed from frame to frame.
  get shape() {
    return { width: SIZES[this.#size], quality: QUALITIES[this.#level] };
  }

  get everyMs() {
    return 1000 / RATES[this.#level];
  }

  // Whether the next frame should be left out, given the bytes that wait in the socket.
  tooMany(waiting) {
    const many = waiting > FRAMES_WAITING * Math.max(this.#usual, 1);
    if (many) this.#slower();
    return many;
  }

  sent(bytes, waiting) {
    this.#usual = bytes;
    this.#easy = waiting < bytes ? this.#easy + 1 : 0;
    if (this.#easy < EASY_FRAMES) return;
    this.#easy = 0;
    this.#level = Math.max(0, this.#level - 1);
  }

  // Guidance came on a frame that was taken `ms` ago.
  heard(ms) {
    if (ms > LATE_MS) this.#slower();
  }

  // A burst begins: what was too slow for the last one begins smaller.
  begin() {
    this.#easy = 0;
    if (this.#level === QUALITIES.length - 1) this.#size = SIZES.length - 1;
  }

  #slower() {
    this.#easy = 0;
    this.#level = Math.min(QUALITIES.length - 1, this.#level + 1);
  }
}
