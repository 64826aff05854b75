// What a device asks the service about its one session.
import { Problem } from "./camera.js";

// Answers that nobody can act on twice: the session is over, or was never there.
export const FINAL = ["session_closed", "not_authenticated"];

// Calls the service; a refusal throws its code, a connection that fails throws "lost".
export async function call(base, method, path, token, body) {
  const json = body !== undefined && !(body instanceof FormData);
  let answer;
  try {
    answer = await fetch(new URL(path, base), {
      method,
      body: json ? JSON.stringify(body) : body,
      headers: { Authorization: `Bearer ${token}`, ...(json ? { "Content-Type": "application/json" } : {}) },
      credentials: "same-origin",
      referrerPolicy: "no-referrer",
    });
  } catch {
    throw new Problem("lost");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(told.code ?? "failed");
  return told;
}

export class Device {
  constructor(base, session, token) {
    this.base = base;
    this.session = session;
    this.token = token;
  }

  ask(method, what, body) {
    return call(this.base, method, `/v1/sessions/${encodeURIComponent(this.session)}/${what}`, this.token, body);
  }

  // Resolves once the WebSocket is connected. The token goes as a subprotocol: a page cannot set headers here, and
  // addresses end up in logs.
  connect(protocol, hear) {
    const address = new URL(`/v1/sessions/${encodeURIComponent(this.session)}/stream`, this.base);
    address.protocol = address.protocol.replace("http", "ws");
    return new Promise((done, failed) => {
      const socket = new WebSocket(address, [protocol, `faceauth.token.${this.token}`]);
      socket.onopen = () => done(socket);
      socket.onerror = () => failed(new Problem("lost"));
      socket.onmessage = (event) => hear(JSON.parse(event.data));
    });
  }
}
