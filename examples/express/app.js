// A small application that lets people log in with their face: Express, and the JavaScript client.
//
//   npm install
//   FACEAUTH_URL=http://127.0.0.1:8000 FACEAUTH_KEY=fa_… FACEAUTH_WEBHOOK=whsec_… node app.js
//
// The service must name this application in FACEAUTH_CORS_ORIGINS (["http://127.0.0.1:9000"]).
import { randomBytes, timingSafeEqual } from "node:crypto";
import express from "express";
import { Faceauth, Problem, checkWebhook } from "../../clients/javascript/faceauth-client.js";

const HERE = process.env.APP_URL ?? "http://127.0.0.1:9000";
const PASSWORD = Buffer.from(process.env.APP_PASSWORD ?? "correct horse");
const face = new Faceauth(process.env.FACEAUTH_URL, process.env.FACEAUTH_KEY);

const signedIn = new Map(); // by the cookie's value; a real application keeps sessions where they outlive it
const known = new Map(); // whose browser it is: a form for names would tell anybody who has a face here
const waiting = new Map(); // which flow a browser was sent to, so that nobody comes back with another's
const seen = new Set(); // webhooks come at least once

const BY_FACE = "<form method=post action=/face/login><button>Sign in with your face</button></form>";
const app = express();
const cookie = (request, name) => new RegExp(`(?:^|; )${name}=([\\w-]+)`).exec(request.headers.cookie ?? "")?.[1];
const keep = (response, name, value, more = {}) =>
  response.cookie(name, value, { httpOnly: true, sameSite: "lax", secure: HERE.startsWith("https:"), ...more });
const random = () => randomBytes(32).toString("base64url");

function signIn(response, account) {
  const session = random();
  signedIn.set(session, account);
  keep(response, "session", session);
  const browser = random();
  known.set(browser, account);
  keep(response, "browser", browser, { maxAge: 90 * 86_400_000 });
  response.redirect(303, "/");
}

async function hosted(response, account, purpose, proof) {
  const flow = await face.mintFlow({
    account_id: account,
    scenario: "login",
    purpose,
    return_url: `${HERE}/face/done`,
    ...(proof ? { reauthenticated_at: proof } : {}),
  });
  const browser = random();
  waiting.set(browser, flow.flow_id);
  keep(response, "flow", browser);
  response.redirect(303, flow.flow_url);
}

// The body is checked as it came, so this stands before anything that parses bodies.
app.post("/webhooks/face", express.text({ type: () => true }), async (request, response) => {
  let told;
  try {
    told = await checkWebhook(request.body, request.headers, process.env.FACEAUTH_WEBHOOK ?? "");
  } catch {
    response.sendStatus(400);
    return;
  }
  response.sendStatus(204);
  const id = request.headers["webhook-id"];
  if (seen.has(id)) return;
  seen.add(id);
  if (told.type === "consent.requested") console.log("ask", told.data.account_id, "about", told.data.scenario);
});

app.use(express.urlencoded({ extended: false }));

app.get("/", (request, response) => {
  const account = signedIn.get(cookie(request, "session"));
  response.send(
    account
      ? `<!doctype html><h1>Hello</h1><form method=post action=/face/enrol><button>Set up my face</button></form>
         <form method=post action=/privacy><button>What my face is used for</button></form>`
      : `<!doctype html><form method=post action=/password><input name=account><input name=password type=password>
         <button>Sign in</button></form>${known.has(cookie(request, "browser")) ? BY_FACE : ""}`,
  );
});

app.post("/password", (request, response) => {
  const given = Buffer.from(request.body?.password ?? "");
  if (given.length !== PASSWORD.length || !timingSafeEqual(given, PASSWORD)) return response.sendStatus(401);
  signIn(response, String(request.body.account));
});

app.post("/face/enrol", async (request, response) => {
  const account = signedIn.get(cookie(request, "session"));
  if (!account) return response.sendStatus(401);
  await face.putAccount(account);
  // They signed in by password a moment ago; a real application keeps that time with the session.
  await hosted(response, account, "enrol", new Date().toISOString());
});

// For whoever signed in here before. The link proves nobody, so its page shows no notice and takes no answer.
app.post("/face/login", async (request, response) => {
  const account = known.get(cookie(request, "browser"));
  if (!account) return response.sendStatus(401);
  await hosted(response, account, "verify");
});

app.get("/face/done", async (request, response) => {
  const browser = cookie(request, "flow");
  const expected = waiting.get(browser);
  waiting.delete(browser);
  if (!expected || expected !== request.query.flow) return response.sendStatus(403);
  const found = await face.flow(expected);
  if (found.state !== "accepted") return response.redirect(303, "/");
  signIn(response, found.account_id);
});

app.post("/privacy", async (request, response) => {
  const account = signedIn.get(cookie(request, "session"));
  if (!account) return response.sendStatus(401);
  await face.putAccount(account);
  response.redirect(303, (await face.privacyLink(account)).privacy_url);
});

// It may be of many kinds, and none of them is for whoever sits here.
app.use((error, request, response, next) => {
  if (!(error instanceof Problem)) return next(error);
  console.warn(error.message, error.requestId);
  response.status(403).send("That did not work. Please use your password.");
});

app.listen(new URL(HERE).port || 9000, "127.0.0.1", () => console.log(`Open ${HERE}`));
