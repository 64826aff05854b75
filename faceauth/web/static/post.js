// A session whose steps are all told at once, and whose frames are posted together.
import { Problem, pause } from "./camera.js";
import { Chain } from "./chain.js";

const MOST_FRAMES = 84; // the service takes 90 a session by default
const REACTION_MS = 700; // people need a moment before they do what they read
const SHORTEST_STEP_MS = 1200;
const NEXT_FRAME_MS = 20; // about how long the next picture of a camera takes to come
const AGAIN_MS = 1500; // before a post that never arrived is sent once more

// Shows each step for as long as it lasts; resolves to the frames and their timeline.
async function capture(steps, { picture, pace, show, progress, stopped }) {
  const lasts = steps.map((step) => Math.max(SHORTEST_STEP_MS, step.min_ms + REACTION_MS));
  const total = lasts.reduce((sum, ms) => sum + ms, 0);
  const every = Math.max(pace.everyMs, total / MOST_FRAMES);
  const shape = pace.shape;
  const frames = [];
  const timeline = [];
  let began = null;
  let ends = 0;
  for (const [number, step] of steps.entries()) {
    show(step);
    ends += lasts[number];
    while (began === null || performance.now() - began < ends) {
      if (stopped()) throw new Problem("cancelled");
      const taken = await picture(shape);
      if (taken === null) continue;
      began ??= taken.at;
      frames.push(taken.jpeg);
      timeline.push({ step: step.id, t_ms: Math.round(taken.at - began) });
      progress((taken.at - began) / total);
      // By the clock and not from frame to frame: a camera of 15 pictures a second would else give every other one.
      await pause(began + frames.length * every - performance.now() - NEXT_FRAME_MS);
    }
  }
  return { frames, timeline };
}

// Adds the chain over the frames, and the device key's signature over the chain if the device signs.
async function vouch(post, challenge, { confirming, sign }, frames, timeline) {
  const chain = new Chain(challenge, confirming);
  let last = "";
  for (const [number, frame] of frames.entries()) last = await chain.add(timeline[number].t_ms, frame);
  post.append("chain", last);
  const signature = sign === null ? null : await sign(challenge.nonce, await chain.at(frames.length)).catch(() => null);
  if (signature !== null) post.append("signature", JSON.stringify(signature));
}

// Resolves to what the service answers: {state, guidance}.
export async function postSession(device, challenge, { taken, ...how }) {
  const { frames, timeline } = await capture(challenge.steps, how);
  taken();
  const post = new FormData();
  frames.forEach((frame, number) => post.append("frames", frame, `${number}.jpg`));
  post.append("timeline", JSON.stringify(timeline));
  await vouch(post, challenge, how, frames, timeline);
  return device.ask("POST", "frames", post).catch(async (error) => {
    if (error.code !== "lost") throw error;
    await pause(AGAIN_MS);
    return device.ask("POST", "frames", post);
  });
}
