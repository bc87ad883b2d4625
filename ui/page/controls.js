// The keys of a scenario: a slider, a menu, a box or a text for each, in groups, with a search.
import { amount, written } from "./text.js";
import { byId, make, marked } from "./dom.js";

/** Steps of a slider. The last one stands for a word such as `none`. */
const STEPS = 1000;
/** Groups that are open at first. */
const OPEN = ["load", "service"];

/** What the groups are called. */
const NAMES = {
  load: "Load",
  cpu: "Processors",
  service: "Service",
  database: "Database",
  seed: "Random draws",
};

/** Where an amount lies on the slider of a key, and back. Scales go by the value of the file. */
export function scale({ form, low, high, amount: now, word }) {
  const least = low ?? 0;
  const most = Math.min(high ?? Infinity, form === "share" ? 100 : Infinity);
  const top = word ? STEPS - 20 : STEPS;
  const usual = { integer: 50, time: 1, rate: 10, size: 2 ** 20, number: 1 }[form] ?? 1;
  if (form === "share") {
    return {
      at: (value) => top * Math.sqrt(value / 100),
      value: (at) => 100 * (at / top) ** 2,
    };
  }
  if (form === "integer" && most <= 100) return straight(least, most, top);
  const middle = now > 0 ? now : usual;
  const spread = form === "time" ? 50 : 20;
  const from = Math.max(least, form === "integer" ? 1 : middle / spread);
  const to = Math.min(most, Math.max(middle * spread, form === "integer" ? 100 : 0));
  if (!(from > 0) || to <= from) return straight(least, most < Infinity ? most : to, top);
  // Where nothing at all is allowed, it is the first step.
  const first = least === 0 ? 1 : 0;
  const ratio = Math.log(to / from);
  return {
    at: (value) => (value <= 0 ? 0 : first + ((top - first) * Math.log(value / from)) / ratio),
    value: (at) => (at < first ? 0 : from * Math.exp((ratio * (at - first)) / (top - first))),
  };
}

function straight(from, to, top) {
  return {
    at: (value) => (top * (value - from)) / (to - from),
    value: (at) => from + ((to - from) * at) / top,
  };
}

/** Shows the keys. `change(key, text)` is called for each change, with null for the file's value. */
export class Controls {
  constructor(change) {
    this.change = change;
    this.open = new Set(OPEN);
    this.base = new Map();
    byId("search").addEventListener("input", () => this.search());
  }

  /** The keys as the file has them, from which scales and undoing go. */
  setBase(controls) {
    this.base = new Map(controls.map((control) => [control.key, control]));
  }

  /** Shows these keys, with the changes of a variant. */
  show(controls, changes) {
    const focused = document.activeElement?.id;
    const groups = new Map();
    for (const control of controls) {
      if (!groups.has(control.group)) groups.set(control.group, []);
      groups.get(control.group).push(control);
    }
    const last = (name) => (name.startsWith("costs") || name === "seed" ? 1 : 0);
    const names = [...groups.keys()].sort((one, other) => last(one) - last(other));
    byId("groups").replaceChildren(
      ...names.map((name) => this.group(name, groups.get(name), changes)),
    );
    this.search();
    if (focused) byId(focused)?.focus();
  }

  group(name, controls, changes) {
    const known = changes.map(([key]) => key);
    const count = controls.filter(({ key }) => known.includes(key)).length;
    const mark = count > 0 ? ` (${count} changed)` : "";
    const title = NAMES[name] ?? name.replace(/^costs\.?/, "costs: ").replace(/\.$/, "");
    const details = make(
      "details",
      { "data-group": name, open: this.open.has(name) || count > 0 },
      make("summary", {}, `${title}${mark}`),
      ...controls.map((control) => this.row(control, name, changes)),
    );
    details.addEventListener("toggle", () => {
      if (details.open) this.open.add(name);
      else if (byId("search").value === "") this.open.delete(name);
    });
    return details;
  }

  row(control, group, changes) {
    const { key, form, word } = control;
    const id = `key-${key}`;
    const set = changes.find(([known]) => known === key);
    const short = group !== "" && key.startsWith(`${group}.`) ? key.slice(group.length + 1) : key;
    const undo = make("button", { type: "button", class: "undo", hidden: !set }, "Undo");
    undo.setAttribute("aria-label", `Undo the change of ${key}`);
    const row = make(
      "div",
      { class: set ? "key changed" : "key", "data-key": key },
      make("label", { for: id }, short),
      undo,
    );
    const shown = set ? set[1] : control.value;
    const tell = (text) => {
      row.classList.toggle("changed", text !== null);
      undo.hidden = text === null;
      this.change(key, text);
    };
    undo.addEventListener("click", () => {
      tell(null);
      fields.reset?.();
    });
    const fields = this.fields(control, id, shown, tell);
    const about = make("p", { class: "about soft", id: `${id}-about` }, ...marked(control.about));
    row.append(...fields.elements, about);
    fields.elements[0].setAttribute("aria-describedby", about.id);
    row.dataset.words = `${key} ${control.about} ${word ?? ""} ${form}`.toLowerCase();
    return row;
  }

  fields(control, id, shown, tell) {
    if (control.form === "choice") return menu(control, id, shown, tell);
    if (control.form === "flag") return menu({ ...control, words: [["true", "yes"], ["false", "no"]] }, id, shown, tell);
    if (control.form === "text") return text(control, id, shown, tell);
    return slider(control, this.base.get(control.key) ?? control, id, shown, tell);
  }

  /** Leaves what has all words that are searched for. */
  search() {
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    let found = 0;
    for (const details of byId("groups").children) {
      let here = 0;
      for (const row of details.querySelectorAll(".key")) {
        const fits = wanted.every((word) => row.dataset.words.includes(word));
        row.hidden = !fits;
        if (fits) here += 1;
      }
      details.hidden = here === 0;
      const changed = details.querySelector(".key.changed") !== null;
      details.open = wanted.length > 0 ? here > 0 : this.open.has(details.dataset.group) || changed;
      found += here;
    }
    byId("found").textContent = wanted.length > 0 ? `${found} ${found === 1 ? "key" : "keys"} found` : "";
  }
}

function menu({ key, words, word, value }, id, shown, tell) {
  const select = make("select", { id });
  if (value === null && !word) select.append(make("option", { value: "" }, "not set"));
  for (const [name, meaning] of words) {
    const option = make("option", { value: name, title: meaning }, name);
    select.append(option);
  }
  if (word && !words.some(([name]) => name === word)) select.append(make("option", { value: word }, word));
  select.value = shown ?? "";
  select.addEventListener("change", () => tell(select.value === "" ? null : select.value));
  return { elements: [select], reset: () => (select.value = value ?? "") };
}

function text({ value }, id, shown, tell) {
  const input = make("input", { id, type: "text", autocomplete: "off", placeholder: "not set" });
  input.value = shown ?? "";
  input.addEventListener("change", () => tell(input.value === "" ? null : input.value));
  return { elements: [input], reset: () => (input.value = value ?? "") };
}

function slider(control, base, id, shown, tell) {
  const { key, form, word } = control;
  const { at, value } = scale(base);
  const range = make("input", { id, type: "range", min: 0, max: STEPS, step: 1 });
  const exact = make("input", {
    type: "text",
    class: "exact",
    autocomplete: "off",
    placeholder: word ?? "not set",
    "aria-label": `Value of ${key}`,
  });
  const place = (text) => {
    const found = text === null ? null : amount(form, text);
    range.value = found === null ? (word ? STEPS : 0) : Math.round(Math.min(Math.max(at(found), 0), STEPS));
    range.setAttribute("aria-valuetext", text ?? "not set");
    exact.value = text ?? "";
  };
  place(shown);
  range.addEventListener("input", () => {
    const step = Number(range.value);
    const text = word && step > STEPS - 10 ? word : written(form, value(step));
    range.setAttribute("aria-valuetext", text);
    exact.value = text;
    tell(text);
  });
  exact.addEventListener("change", () => {
    const text = exact.value.trim();
    tell(text === "" ? null : text);
    place(text === "" ? base.value : text);
  });
  return { elements: [range, exact], reset: () => place(base.value) };
}
