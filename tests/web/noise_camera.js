// A camera that shows a textured picture of one colour, another texture in each frame: what tests/service.py posts.
(() => {
  const [WIDE, HIGH] = [64, 48];
  const BASE = [190, 80, 80];
  const coarse = Object.assign(document.createElement("canvas"), { width: WIDE, height: HIGH });
  const whole = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  const spread = () => (Math.random() + Math.random() + Math.random() - 1.5) * 80; // about 40 levels
  const draw = () => {
    const pixels = new ImageData(WIDE, HIGH);
    for (let at = 0; at < pixels.data.length; at += 4) {
      const by = spread();
      BASE.forEach((level, channel) => (pixels.data[at + channel] = level + by));
      pixels.data[at + 3] = 255;
    }
    coarse.getContext("2d").putImageData(pixels, 0, 0);
    whole.getContext("2d").drawImage(coarse, 0, 0, whole.width, whole.height);
  };
  navigator.mediaDevices.getUserMedia = async () => {
    draw();
    setInterval(draw, 60);
    return whole.captureStream();
  };
})();
