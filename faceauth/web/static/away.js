// What a page needs to go on after a reload: in its tab's sessionStorage while the page is away, else in memory alone.
const NAME = "faceauth.away";

// A tab that was closed and opened again, or copied, has the storage too, and somebody else may sit before it.
const returned = () => document.wasDiscarded || performance.getEntriesByType("navigation")[0]?.type === "reload";

// Returns what this very tab kept when it was reloaded, or null. It is taken out: one page goes on with it.
export function taken() {
  try {
    const found = sessionStorage.getItem(NAME);
    sessionStorage.removeItem(NAME);
    return returned() ? JSON.parse(found) : null;
  } catch {
    return null;
  }
}

// Keeps what ask() returns whenever the page goes out of sight, and drops it once the page is back.
export function keepWhileAway(ask) {
  const keep = () => {
    try {
      const what = ask();
      if (what !== null) sessionStorage.setItem(NAME, JSON.stringify(what));
    } catch {
      // A browser that keeps nothing: a reload ends the flow, as the person chose.
    }
  };
  addEventListener("pagehide", keep);
  addEventListener("pageshow", taken);
  document.addEventListener("visibilitychange", () => (document.hidden ? keep() : taken()));
}
