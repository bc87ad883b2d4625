// The page: a change is answered roughly at once, and sharply soon after; the newest change wins.
import { amount } from "./text.js";
import { FILE, MOST_PINS, address, changed, fromAddress, query, sets } from "./state.js";
import { ask } from "./engine.js";
import { byId, figures, make, notes, problems } from "./dom.js";
import { Controls } from "./controls.js";
import { showKey, showLimit, showObjectives, showTable } from "./numbers.js";
import { Size } from "./size.js";
import { Share } from "./share.js";

/** Sharp answers that were given, by the query of their variant. */
const answers = new Map();
/** Most of them. */
const MOST_ANSWERS = 60;

let state = { ...FILE, pins: [] };
let keys = { name: "", file: "", controls: [] };
/** What is shown of the variant on the screen: an answer, rough or sharp. */
let shown = null;
let controls, size, share;
/** The sharp question that is open. */
let sharp = new AbortController();
let isRunning = false;
let isNewer = false;

const now = () => ({ set: state.set, keep: state.keep });
const before = () => answers.get(query(FILE));

/** The state is another one: it is in the address, and is asked about. */
function become(next, { isNewStep = true, isFromKeys = false } = {}) {
  state = next;
  history[isNewStep ? "pushState" : "replaceState"](null, "", address(state));
  sharp.abort();
  byId("reset").hidden = state.set.length === 0 && state.keep.length === 0;
  size.outdate();
  share.show();
  if (!isFromKeys) showKeys();
  run();
}

/** Changes of a slider follow each other too quickly for a step each in the browser's history. */
function changeKey(key, value) {
  const isSame = state.set.at(-1)?.[0] === key;
  const control = keys.controls.find((control) => control.key === key);
  const isSlide = control && value !== null && amount(control.form, value) !== null;
  become({ ...state, ...changed(state, key, value) }, { isNewStep: !isSame, isFromKeys: isSlide });
}

function take(list) {
  let next = now();
  for (const text of list) {
    const at = text.indexOf("=");
    next = changed(next, text.slice(0, at), text.slice(at + 1));
  }
  become({ ...state, ...next });
}

/** The keys with the changes: some keys come or go with others. */
async function showKeys() {
  const answer = await ask({ ask: "keys", set: sets(now()), keep: state.keep });
  if (answer.answer !== "keys") return;
  keys = { ...keys, controls: answer.controls, load: answer.load };
  controls.show(answer.controls, state.set);
  size.setLoad(answer.load);
}

/** Asks about the newest state. While a question is open, newer ones wait, and only the last is asked. */
async function run() {
  isNewer = true;
  if (isRunning) return;
  isRunning = true;
  while (isNewer) {
    isNewer = false;
    const known = answers.get(query(now()));
    if (known) {
      show(known);
      continue;
    }
    const began = performance.now();
    const isFirst = shown === null;
    byId("answers").classList.add("waiting");
    const answer = await asked("rough", now());
    if (answer && !isNewer) show(answer, performance.now() - began, isFirst);
  }
  isRunning = false;
  if (!answers.has(query(now()))) await sharpen();
  await pinned();
}

/** The sharp answer, unless the state changes before. */
async function sharpen() {
  sharp.abort();
  sharp = new AbortController();
  const { signal } = sharp;
  const [variant, began] = [now(), performance.now()];
  const answer = await asked("sharp", variant, signal);
  if (!answer || signal.aborted) return;
  if (answer.answer === "numbers") keepAnswer(variant, answer);
  show(answer, performance.now() - began);
}

function keepAnswer(variant, answer) {
  if (answers.size >= MOST_ANSWERS) {
    const old = [...answers.keys()].find((known) => known !== query(FILE));
    answers.delete(old);
  }
  answers.set(query(variant), answer);
}

/** An answer to a question about a variant; none if it was given up. */
async function asked(what, variant, signal) {
  const against = query(variant) === query(FILE) ? null : (before()?.runs ?? null);
  try {
    const answer = await ask({ ask: what, set: sets(variant), keep: variant.keep, against }, signal);
    return answer.answer === "stopped" ? null : answer;
  } catch (error) {
    if (signal?.aborted) return null;
    const why = `nothing answers any more: is \`sim ui\` still running? (${error.message})`;
    return { answer: "failed", why };
  }
}

/** Answers of what else is on the screen: the file, and the variants that are pinned. */
async function pinned() {
  for (const variant of [FILE, ...state.pins]) {
    if (answers.has(query(variant)) || isRunning) continue;
    sharp = new AbortController();
    const answer = await asked("sharp", variant, sharp.signal);
    if (answer?.answer === "numbers") keepAnswer(variant, answer);
    else if (answer) keepAnswer(variant, { facts: [], figures: [], sharp: true });
    else return;
    table();
    pictures();
  }
}

function show(answer, milliseconds = null) {
  const root = byId("answers");
  root.classList.remove("waiting");
  if (answer.answer === "numbers") {
    const limit = answer.sharp ? answer.limit : shown?.limit;
    shown = { ...answer, limit };
    byId("problems").replaceChildren();
    showKey(answer);
    byId("limit").classList.toggle("old", !answer.sharp);
    if (answer.sharp) showLimit(answer.limit, take);
    showObjectives(answer.objectives, forget);
    byId("notes").replaceChildren(...notes(answer.warnings));
    const words = answer.change?.words;
    byId("change").textContent = words ? `Compared with the file on the same random numbers: ${words}.` : "";
    const took = milliseconds === null ? "" : `, answered in ${Math.round(milliseconds)} ms`;
    byId("status").textContent = `${answer.basis}${took}.`;
    if (milliseconds !== null) root.dataset[answer.sharp ? "sharp" : "rough"] = milliseconds.toFixed(1);
  } else {
    const wrong = answer.answer === "refused" ? problems(answer.problems) : notes([answer.why]);
    byId("problems").replaceChildren(...wrong);
    byId("status").textContent = "There is no answer for this state; what stands below is of an earlier one.";
  }
  root.dataset.state = answer.answer === "numbers" ? (answer.sharp ? "sharp" : "rough") : answer.answer;
  root.dataset.query = query(now());
  table();
  pictures();
}

function forget(objective) {
  if (!state.keep.some((keep) => keep.replaceAll(" ", "") === objective.replaceAll(" ", ""))) return null;
  const others = state.keep.filter((keep) => keep.replaceAll(" ", "") !== objective.replaceAll(" ", ""));
  return make("button", { type: "button", onclick: () => become({ ...state, keep: others }) }, "Remove");
}

function table() {
  const isFile = query(now()) === query(FILE);
  const pins = state.pins.map((variant, index) => ({
    title: `Pinned ${index + 1}`,
    variant,
    numbers: answers.get(query(variant)),
    buttons: [
      make("button", { type: "button", onclick: () => become({ ...state, ...variant }) }, "Go to it"),
      make("button", { type: "button", onclick: () => unpin(index) }, "Unpin"),
    ],
  }));
  const file = { title: "Before", variant: FILE, numbers: before() ?? (isFile ? shown : undefined) };
  const current = { title: "Now", variant: now(), numbers: shown ?? undefined };
  showTable([file, ...pins, ...(isFile ? [] : [current])]);
  byId("pin").disabled = isFile || state.pins.length >= MOST_PINS || state.pins.some((pin) => query(pin) === query(now()));
}

function pictures() {
  const sides = [["Before", before()]];
  if (query(now()) !== query(FILE)) sides.push(["Now", answers.get(query(now()))]);
  byId("pictures").replaceChildren(
    ...sides.map(([title, numbers]) =>
      make(
        "section",
        { "aria-label": `Pictures: ${title}` },
        make("p", { class: "strong" }, title),
        numbers ? figures(numbers.figures) : make("p", { class: "soft" }, "They come with the sharp answer."),
      ),
    ),
  );
}

function unpin(index) {
  become({ ...state, pins: state.pins.filter((_, other) => other !== index) });
}

async function begin() {
  const start = self.rungStart;
  const asIs = location.search === "" ? { set: start.set.map((set) => set.split(/=(.*)/s).slice(0, 2)), keep: start.keep } : {};
  state = { ...fromAddress(location.search), ...asIs };
  controls = new Controls(changeKey);
  const where = start.without_server ? "in this browser; what you change is sent nowhere" : "on this machine; nothing is loaded from a network";
  byId("foot").textContent = `rung ${start.version}. Predictions by simulation, made ${where}.`;
  const file = await ask({ ask: "keys" });
  if (file.answer !== "keys") return broken(file);
  keys = file;
  document.title = `What if? ${file.name}`;
  byId("name").textContent = `What if? ${file.name}`;
  byId("question").textContent = file.question ?? "";
  controls.setBase(file.controls);
  controls.show(file.controls, state.set);
  size = new Size(now, file.file, file.load, take, (keep) => become({ ...state, keep }));
  share = new Share(now, () => keys, () => answers.get(query(now())));
  byId("keep").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId("keep-text").value.trim();
    byId("keep-text").value = "";
    if (text !== "" && !state.keep.includes(text)) become({ ...state, keep: [...state.keep, text] });
  });
  byId("pin").addEventListener("click", () => become({ ...state, pins: [...state.pins, now()] }));
  byId("reset").addEventListener("click", () => become({ ...state, ...FILE }));
  addEventListener("popstate", () => become(fromAddress(location.search), { isNewStep: false }));
  become(state, { isNewStep: false, isFromKeys: state.set.length === 0 });
}

/** The file itself is wrong: that is all that can be shown. */
function broken(answer) {
  byId("sentence").textContent = "The scenario cannot be read.";
  const again = make("button", { type: "button", onclick: () => location.reload() }, "Read the file again");
  const wrong = answer.answer === "refused" ? problems(answer.problems) : notes([answer.why]);
  byId("problems").replaceChildren(...wrong, again);
  byId("answers").dataset.state = answer.answer;
  for (const part of document.querySelectorAll("#answers > :not(#problems, #answer-heading), #keys, #load")) part.hidden = true;
}

begin();
