// Elements. Text goes in as text: only pictures, which the engine has escaped, come as HTML.

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** A new element with attributes, properties that begin with `on`, and children or texts. */
export function make(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...inside.filter((part) => part !== null && part !== undefined));
  return element;
}

/** A text in which code stands between backticks. */
export function marked(text) {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [text];
  return parts.map((part, index) => (index % 2 === 1 ? make("code", {}, part) : part));
}

/** Pictures that the engine has drawn. */
export function figures(texts) {
  const template = document.createElement("template");
  template.innerHTML = texts.join("");
  return template.content;
}

/** Remarks below each other. */
export function notes(texts) {
  return texts.map((text) => make("p", { class: "note" }, make("b", {}, "note"), ": ", ...marked(text)));
}

/** Everything that is wrong: where, what was found, what is allowed, what to do. */
export function problems(all) {
  return all.map(({ file, line, column, found, allowed, advice }) => {
    const place = line === null ? file : `${file}:${line}:${column}`;
    return make(
      "div",
      { class: "note alarm problem" },
      make("p", {}, make("b", {}, "error"), " in ", make("code", {}, place), ": ", ...marked(found)),
      allowed && make("p", {}, "Allowed: ", ...marked(allowed)),
      advice && make("p", {}, advice.endsWith("?") ? "" : "Do: ", ...marked(advice)),
    );
  });
}

/** Puts a text where another program can be given it. */
export async function copy(text, button) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it and copy";
  }
  setTimeout(() => (button.textContent = before), 1500);
}

/** Lets the browser keep a text as a file. */
export function download(name, kind, text) {
  const address = URL.createObjectURL(new Blob([text], { type: kind }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
