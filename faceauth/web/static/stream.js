// A session over its WebSocket: steps are told one at a time, and each frame goes out as it is taken.

const PROTOCOL = "faceauth.v1";
const FRAMES_A_SECOND = 12;
const MOST_WAITING = 1_000_000; // bytes that the network has not taken yet: the next frame is not sent then
const COME_BACK_MS = 500;
const COME_BACK_TIMES = 4;

// There is no stream: the frames can still be posted.
export class NoStream extends Error {}

const pause = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));

function connect(session, token, hear) {
  return new Promise((done, failed) => {
    const address = new URL(`/v1/sessions/${encodeURIComponent(session)}/stream`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    // The token goes as a subprotocol: a page cannot set headers here, and addresses end up in logs.
    const socket = new WebSocket(address, [PROTOCOL, `faceauth.token.${token}`]);
    socket.onopen = () => done(socket);
    socket.onerror = () => failed(new NoStream());
    socket.onmessage = (event) => hear(JSON.parse(event.data));
  });
}

// Resolves to "accepted" or "denied".
//   picture()          waits for a new picture and resolves to a JPEG, or to null if none came
//   show(step)         a step was told, with its colours if it has any
//   guide(code, done)  what can be done better, or "step:…"; done is 0 to 1
//   judging()          no more frames are needed
//   stopped()          whether the person has left
export async function streamSession({ session, token, picture, show, guide, judging, stopped }) {
  let socket = null;
  let step = null;
  let began = null;
  let burst = 0;
  let outcome = null;

  const heard = {
    challenge() {
      burst += 1;
      began = null;
      step = null;
    },
    step(message) {
      step = message;
      show(message);
    },
    guidance(message) {
      guide(message.code, message.progress);
    },
    evaluating() {
      step = null;
      judging();
    },
    done(message) {
      outcome = message.state;
    },
  };
  const hear = (message) => heard[message.type]?.(message);

  async function send() {
    const [asked, number] = [step, burst];
    const at = performance.now();
    const jpeg = await picture();
    if (jpeg === null || number !== burst || socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > MOST_WAITING) return;
    began ??= at;
    socket.send(JSON.stringify({ t_ms: Math.round(at - began), step: asked.id }));
    socket.send(jpeg);
  }

  socket = await connect(session, token, hear);
  for (let lost = 0; outcome === null; ) {
    if (stopped()) {
      socket.close();
      return "cancelled";
    }
    if (socket.readyState > WebSocket.OPEN) {
      lost += 1;
      if (lost > COME_BACK_TIMES) throw new Error("lost");
      await pause(COME_BACK_MS);
      step = null;
      socket = await connect(session, token, hear).catch(() => socket);
      continue;
    }
    const turn = performance.now();
    if (step !== null) await send();
    await pause(1000 / FRAMES_A_SECOND - (performance.now() - turn));
  }
  socket.close();
  return outcome;
}
