// A camera that shows what a test renders for the challenge of the session: for each step its own frames, at the
// camera's pace. `window.render` is the test's.
((everyMs) => {
  const decode = (text) => createImageBitmap(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 480];
  const pen = canvas.getContext("2d");
  const ask = window.fetch;
  let challenge = null;
  let step = -1;
  let frame = 0;
  let drawing = null;
  const told = new MutationObserver((changes) => {
    if (!changes.some((change) => change.addedNodes.length)) return;
    step += 1;
    frame = 0;
  });
  window.fetch = async (...how) => {
    const answer = await ask(...how);
    if (answer.url.endsWith("/challenge")) challenge = await answer.clone().json();
    return answer;
  };
  navigator.mediaDevices.getUserMedia = async () => {
    const pictures = [];
    for (const burst of await window.render(challenge)) pictures.push(await Promise.all(burst.map(decode)));
    step = -1;
    clearInterval(drawing);
    told.observe(document.querySelector("face-capture").shadowRoot.getElementById("steps"), { childList: true });
    const draw = () => {
      const now = pictures[Math.min(Math.max(step, 0), pictures.length - 1)];
      pen.drawImage(now[Math.min(frame, now.length - 1)], 0, 0);
      frame += 1;
    };
    draw();
    drawing = setInterval(draw, everyMs);
    return canvas.captureStream(1000 / everyMs);
  };
})
