// The camera: opened when a person asks for it, each picture taken once, closed for good.

const LONGEST_FRAME_MS = 500; // a camera that gives nothing for so long has stopped
const POLL_MS = 50; // for browsers that do not tell when a picture comes
// What cameras that play a file call themselves. A hurdle for the careless and no more: a name is easily changed.
const VIRTUAL = /virtual|\bobs\b|manycam|snap camera|xsplit|v4l2loopback|dummy video/i;

// What went wrong, by a code that the words and the page know; never why somebody was denied.
export class Problem extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

export const pause = (ms) => new Promise((done) => setTimeout(done, Math.max(0, ms)));

export class Camera {
  #video;
  #stream = null;
  #canvas = document.createElement("canvas");

  constructor(video) {
    this.#video = video;
  }

  get open() {
    return this.#stream?.getVideoTracks().some((track) => track.readyState === "live") ?? false;
  }

  // Call it only in answer to something the person did.
  async start() {
    if (!navigator.mediaDevices?.getUserMedia) throw new Problem("camera_insecure");
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch (error) {
      const kinds = {
        NotAllowedError: "camera_refused",
        SecurityError: "camera_refused",
        NotReadableError: "camera_busy",
        AbortError: "camera_busy",
      };
      throw new Problem(kinds[error.name] ?? "camera_missing");
    }
    if (this.#stream.getVideoTracks().some((track) => VIRTUAL.test(track.label))) {
      this.stop();
      throw new Problem("camera_virtual");
    }
    this.#video.srcObject = this.#stream;
    await this.#video.play();
  }

  stop() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }

  // Waits for a picture that was not taken yet and resolves to its JPEG and when it was taken, or to null if none
  // came: the same one sent twice is denied as a replay.
  async picture({ width, quality }) {
    if (!(await this.#fresh()) || !this.#stream) return null;
    const at = performance.now();
    const [video, canvas] = [this.#video, this.#canvas];
    const scale = Math.min(1, width / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    // Only the screen shows a mirror; what is sent is as the camera sees it.
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((done, failed) =>
      canvas.toBlob(
        (jpeg) => (jpeg ? done({ jpeg, at }) : failed(new Problem("failed"))),
        "image/jpeg",
        quality,
      ),
    );
  }

  #fresh() {
    const video = this.#video;
    if (!video.requestVideoFrameCallback) return pause(POLL_MS).then(() => true);
    return Promise.race([
      new Promise((done) => video.requestVideoFrameCallback(() => done(true))),
      pause(LONGEST_FRAME_MS).then(() => false),
    ]);
  }
}
