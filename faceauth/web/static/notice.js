// A notice as it was published: every word of it, its headings and bold words drawn instead of marked.

const MARKS = /\*\*(.+?)\*\*/g;

function line(tag, text) {
  const element = document.createElement(tag);
  text.split(MARKS).forEach((part, number) => {
    element.append(number % 2 ? Object.assign(document.createElement("strong"), { textContent: part }) : part);
  });
  return element;
}

// Returns the notice's blocks, in order. Nothing in it is taken for HTML.
export function drawn(text) {
  return text
    .split(/\n{2,}/)
    .filter((block) => block.trim())
    .map((block) => {
      const heading = /^#{1,6} (.*)$/.exec(block.trim());
      return heading ? line("h2", heading[1]) : line("p", block);
    });
}
