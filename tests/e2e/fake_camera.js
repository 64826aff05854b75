// A camera that shows what a test gives it: for each step of the challenge its own frames, at the camera's pace.
((bursts, everyMs) => {
  const decode = (text) => createImageBitmap(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 480];
  const pen = canvas.getContext("2d");
  let step = -1;
  let frame = 0;
  navigator.mediaDevices.getUserMedia = async () => {
    const pictures = [];
    for (const burst of bursts) pictures.push(await Promise.all(burst.map(decode)));
    new MutationObserver(() => {
      step = Math.min(step + 1, pictures.length - 1);
      frame = 0;
    }).observe(document.querySelector("face-capture").shadowRoot.getElementById("steps"), { childList: true });
    const draw = () => {
      const now = pictures[Math.max(step, 0)];
      pen.drawImage(now[Math.min(frame, now.length - 1)], 0, 0);
      frame += 1;
    };
    draw();
    setInterval(draw, everyMs);
    return canvas.captureStream(1000 / everyMs);
  };
})
