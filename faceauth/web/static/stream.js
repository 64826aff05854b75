// A session over its WebSocket: steps are told one at a time, and each frame goes out as it is taken.
import { Problem, pause } from "./camera.js";
import { Chain } from "./chain.js";
import { FINAL } from "./device.js";

const PROTOCOL = "faceauth.v1";
const WAITING_MS = 40; // between two looks at whether a step was told
const COME_BACK_MS = [300, 700, 1500, 3000, 3000]; // the service takes a session for over after 7 s of silence

// There is no stream: the frames can still be posted.
export class NoStream extends Error {}

// Resolves to "accepted" or "denied", or to "cancelled" once stopped() says so.
//   picture(shape)     waits for a new picture and resolves to {jpeg, at}, or to null if none came
//   pace               how large and how often frames are sent
//   show(step)         a step was told, with its colours if it has any
//   guide(code, done)  what can be done better, or "step:…"; done is 0 to 1
//   judging()          no more frames are needed
//   lost()             the connection is gone, and is tried again
//   stopped()          whether the person has left
//   confirming         the hash of the text that was shown to be confirmed, or null
//   sign(nonce, last)  resolves to the device key's signature over the last hash; null if the device does not sign
export async function streamSession(device, how) {
  const { picture, pace, show, guide, judging, lost, stopped, confirming, sign } = how;
  let socket = null;
  let step = null;
  let began = null;
  let burst = 0;
  let chain = null;
  let nonce = null;
  let signing = null;
  let outcome = null;

  const heard = {
    challenge(message) {
      burst += 1;
      began = null;
      step = null;
      pace.begin();
      chain = new Chain(message, confirming);
      [nonce, signing] = [message.nonce, null];
    },
    step(message) {
      step = message;
      show(message);
    },
    guidance(message) {
      if (began !== null) pace.heard(performance.now() - began - message.t_ms);
      guide(message.code, message.progress);
    },
    evaluating(message) {
      step = null;
      judging();
      if (message.sign) answer(message.frames);
    },
    done(message) {
      outcome = message.state;
    },
  };
  const hear = (message) => heard[message.type]?.(message);

  // Frames that came too late for the service are not in what is signed: it says how many were not.
  async function answer(frames) {
    // Told once more after a lost connection: the person is not asked twice.
    signing ??= chain.at(frames).then((last) => sign(nonce, last)).catch(() => null);
    const signature = await signing;
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "signature", signature }));
  }

  async function send() {
    if (pace.tooMany(socket.bufferedAmount)) return;
    const [asked, number] = [step, burst];
    const taken = await picture(pace.shape);
    const current = () => number === burst && step !== null && socket.readyState === WebSocket.OPEN;
    if (taken === null || !current()) return;
    began ??= taken.at;
    const header = { t_ms: Math.round(taken.at - began), step: asked.id, ...(sign === null ? {} : { sign: true }) };
    header.chain = await chain.add(header.t_ms, taken.jpeg);
    // A challenge that came while this was hashed began another chain, and after a lost connection one will.
    if (!current()) return;
    socket.send(JSON.stringify(header));
    socket.send(taken.jpeg);
    pace.sent(taken.jpeg.size, socket.bufferedAmount);
  }

  // Connects again within the session; the service then starts the burst over, or tells how it went.
  async function comeBack() {
    step = null;
    lost();
    for (const ms of COME_BACK_MS) {
      await pause(ms);
      if (stopped()) return;
      try {
        socket = await device.connect(PROTOCOL, hear);
        return;
      } catch {
        // A socket does not say why it failed; a question does, if anybody hears it.
        await device.ask("GET", "challenge").catch((error) => {
          if (FINAL.includes(error.code)) throw error;
        });
      }
    }
    throw new Problem("lost");
  }

  socket = await device.connect(PROTOCOL, hear).catch(() => {
    throw new NoStream();
  });
  try {
    while (outcome === null) {
      if (stopped()) return "cancelled";
      if (socket.readyState > WebSocket.OPEN) {
        await comeBack();
        continue;
      }
      const turn = performance.now();
      if (step !== null) await send();
      await pause(step === null ? WAITING_MS : pace.everyMs - (performance.now() - turn));
    }
  } finally {
    socket.close();
  }
  return outcome;
}
