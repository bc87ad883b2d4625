// The numbers of the file, of pinned variants and of what is on the screen now, beside each other.
import { change } from "./text.js";
import { words } from "./state.js";
import { byId, make, marked } from "./dom.js";

/** Numbers that stand in the head of the page. */
const KEY = ["throughput", "p99", "errors"];

/** Shows the most important numbers, which stay in view. */
export function showKey(now) {
  const facts = KEY.map((id) => now.facts.find((fact) => fact.id === id)).filter(Boolean);
  byId("key-numbers").replaceChildren(
    ...facts.map((fact) =>
      make(
        "div",
        {},
        make("dt", {}, fact.name),
        make("dd", { id: `now-${fact.id}`, class: now.sharp ? null : "rough" }, `${now.sharp ? "" : "≈ "}${fact.value}`),
        make("dd", { class: "soft interval" }, fact.interval || " "),
      ),
    ),
  );
}

/** Columns of the table: each with a variant, its numbers once they are known, and buttons. */
export function showTable(columns) {
  const ids = [];
  for (const { numbers } of columns) {
    for (const { id } of numbers?.facts ?? []) if (!ids.includes(id)) ids.push(id);
  }
  const find = (numbers, id) => numbers?.facts.find((fact) => fact.id === id);
  const name = (id) => columns.map(({ numbers }) => find(numbers, id)).find(Boolean).name;
  const heads = columns.map(({ title, variant, buttons, numbers }) =>
    make(
      "th",
      { scope: "col", class: numbers && !numbers.sharp ? "rough" : null },
      title,
      make("span", { class: "soft variant" }, words(variant)),
      ...(buttons ?? []),
    ),
  );
  const rows = ids.map((id) =>
    make(
      "tr",
      { "data-fact": id },
      make("th", { scope: "row" }, name(id)),
      ...columns.map(({ numbers }, index) => cell(find(numbers, id), index > 0 && find(columns[0].numbers, id), numbers)),
    ),
  );
  byId("compared").replaceChildren(
    make(
      "table",
      {},
      make("caption", { class: "unseen" }, "Numbers of the file and of its variants"),
      make("thead", {}, make("tr", {}, make("td", {}), ...heads)),
      make("tbody", {}, ...rows),
    ),
  );
}

function cell(fact, before, numbers) {
  if (!fact) return make("td", { class: "n" }, numbers ? "-" : "…");
  return make(
    "td",
    { class: numbers.sharp ? "n" : "n rough" },
    make("span", { class: "value" }, `${numbers.sharp ? "" : "≈ "}${fact.value}`),
    make("span", { class: "soft interval" }, fact.interval),
    before ? difference(fact, before) : null,
  );
}

/** By how much a number differs from the file's, and whether that is more than chance. */
function difference(fact, before) {
  if (fact.value === before.value || before.number === 0) return null;
  const share = fact.number / before.number - 1;
  const apart = fact.low > before.high || fact.high < before.low;
  const better = fact.better === "" ? null : share > 0 === (fact.better === "more");
  const kind = !apart || better === null ? "same" : better ? "better" : "worse";
  const word = !apart ? " (may be chance)" : better === null ? "" : ` ${kind}`;
  return make("span", { class: `difference ${kind}` }, `${change(share)}${word}`);
}

/** What the scenario is to keep, and whether it does. */
export function showObjectives(objectives, remove) {
  const states = { kept: "✓ kept", broken: "✗ broken", unknown: "? not told" };
  byId("objectives").replaceChildren(
    ...objectives.map((one) =>
      make(
        "p",
        { class: one.state === "broken" ? "note alarm" : "note" },
        make("b", {}, states[one.state]),
        `: ${one.objective}. ${one.found}`,
        one.sure || one.state === "unknown" ? "" : "; not sure: the limit lies in the interval",
        " ",
        remove(one.objective),
      ),
    ),
  );
}

/** The limit, and the button that tries what to change first. */
export function showLimit(limit, take) {
  byId("sentence").replaceChildren(
    ...(limit ? marked(limit.sentence) : ["No change that was tried brings a good answer."]),
  );
  byId("how").replaceChildren(...(limit?.how ? ["How: ", ...marked(limit.how), "."] : []));
  const button = byId("try");
  button.hidden = !limit || limit.set.length === 0;
  if (!button.hidden) {
    button.textContent = `Try it: ${limit.set.join(" and ")}`;
    button.onclick = () => take(limit.set);
  }
}
