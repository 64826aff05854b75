// What stands in the element's shadow, and its style.

const OVAL = "M200 30a85 115 0 0 1 0 230a85 115 0 0 1 0-230";

const TEMPLATE = `
  <section id="card" hidden>
    <p id="explain" data-text="explain"></p>
    <p id="transaction" hidden></p>
    <div id="colours" hidden>
      <p data-text="colours"></p>
      <label><input type="checkbox" id="noflash"><span data-text="noflash"></span></label>
    </div>
    <div id="live">
      <ol id="steps" hidden></ol>
      <div id="stage" hidden>
        <video id="camera" playsinline muted aria-hidden="true"></video>
        <svg viewBox="0 0 400 300" aria-hidden="true">
          <path class="shade" fill-rule="evenodd" d="M0 0H400V300H0Z ${OVAL}Z"></path>
          <path class="line" id="oval" d="${OVAL}"></path>
          <path class="line" id="ring" d="${OVAL}" pathLength="100"></path>
          <g id="marks">
            <path data-for="too_far" d="M170 115L145 90M145 90h16M145 90v16M230 115l25-25M255 90h-16M255 90v16M170 175l-25 25M145 200h16M145 200v-16M230 175l25 25M255 200h-16M255 200v-16"></path>
            <path data-for="too_close" d="M140 85l25 25M165 110h-16M165 110v-16M260 85l-25 25M235 110h16M235 110v-16M140 205l25-25M165 180h-16M165 180v16M260 205l-25-25M235 180h16M235 180v16"></path>
            <path data-for="off_centre" d="M200 105v80M160 145h80"></path>
            <path data-for="too_dark too_bright" d="M222 145a22 22 0 1 1-44 0a22 22 0 1 1 44 0M200 100v10M200 180v10M155 145h10M235 145h10M168 113l7 7M225 170l7 7M232 113l-7 7M175 170l-7 7"></path>
            <path data-for="hold_still blurred" d="M180 115v60M220 115v60"></path>
          </g>
        </svg>
        <div id="arrow" aria-hidden="true"></div>
      </div>
      <p id="say" tabindex="-1"></p>
    </div>
    <ul id="hints"></ul>
    <p id="polite" class="heard" role="status" aria-live="polite"></p>
    <p id="assertive" class="heard" role="alert" aria-live="assertive"></p>
    <div id="actions">
      <button type="button" id="start" disabled></button>
      <button type="button" id="cancel" class="quiet" data-text="cancel"></button>
    </div>
    <p id="other" data-text="other"></p>
  </section>`;

// Fills the shadow root; nothing is shown before it has its style.
export function fill(root) {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  // With CORS, so that a page of another origin may use it; without it our headers keep it to our own.
  style.crossOrigin = "anonymous";
  style.href = new URL("./face-capture.css", import.meta.url);
  const inside = new DOMParser().parseFromString(TEMPLATE, "text/html");
  root.append(style, ...inside.body.childNodes);
  const show = () => (root.getElementById("card").hidden = false);
  style.addEventListener("load", show);
  style.addEventListener("error", show);
}
