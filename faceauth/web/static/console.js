// The parts of a page that change by themselves: an element with data-live is fetched again every few seconds.
const EVERY_MS = 3000;

async function follow(place) {
  while (place.isConnected && place.dataset.live) {
    await new Promise((done) => setTimeout(done, EVERY_MS));
    if (document.hidden) continue;
    let answer;
    try {
      answer = await fetch(place.dataset.live, { headers: { Accept: "text/html" }, redirect: "error" });
    } catch {
      continue; // no network just now, or signed out: the page stays as it is
    }
    if (!answer.ok) return;
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = parsed.querySelector("[data-live], [data-over]");
    if (!fresh) return;
    place.replaceWith(fresh);
    place = fresh;
  }
}

// On a phone the menu is a row that scrolls: begin where the page is.
document.querySelector("nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

for (const place of document.querySelectorAll("[data-live]")) follow(place);
