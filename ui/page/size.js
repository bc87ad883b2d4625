// How much load the scenario takes before a number passes a limit.
import { ask } from "./engine.js";
import { command } from "./text.js";
import { sets } from "./state.js";
import { byId, figures, make, marked, notes, problems } from "./dom.js";

/** What may be limited: the name of an objective, words, a limit to begin with. */
const MEASURES = [
  ["p99", "P99", "3s"],
  ["p95", "P95", "1s"],
  ["p50", "P50", "500ms"],
  ["mean", "the mean time", "1s"],
  ["errors", "the share of errors", "1%"],
];

/** The form. `state()` is the variant on the screen; `take(sets)` makes changes, `setKeep(list)` sets what is to be kept. */
export class Size {
  constructor(state, file, load, take, setKeep) {
    this.state = state;
    this.setKeep = setKeep;
    this.file = file;
    this.asked = null;
    /** The sentence that stands there as an answer. */
    this.answer = null;
    this.measure = make("select", { id: "size-measure", "aria-label": "What is limited" });
    for (const [name, words] of MEASURES) this.measure.append(make("option", { value: name }, words));
    this.limit = make("input", { id: "size-limit", type: "text", "aria-label": "Its limit", autocomplete: "off" });
    this.limit.value = MEASURES[0][2];
    this.measure.addEventListener("change", () => {
      this.limit.value = MEASURES.find(([name]) => name === this.measure.value)[2];
      this.outdate();
    });
    this.limit.addEventListener("input", () => this.outdate());
    this.take = take;
    byId("size").addEventListener("submit", (event) => {
      event.preventDefault();
      this.find();
    });
    this.setLoad(load);
  }

  /** The load that is looked for: users, a rate, or nothing. */
  setLoad(load) {
    const what = { users: "How many users can it take with", rate: "How many requests per second can it take with" }[load];
    byId("size").hidden = byId("size-heading").hidden = !load;
    if (what) byId("size-question").replaceChildren(`${what} `, this.measure, " under ", this.limit, "?");
    this.line();
  }

  /** What is to be kept: the limit of this form, and of all other numbers the limit that they have. */
  keep() {
    const plain = (text) => text.replaceAll(" ", "");
    const others = this.state().keep.filter((keep) => !plain(keep).startsWith(`${this.measure.value}<`));
    return [...others, `${this.measure.value} < ${this.limit.value.trim()}`];
  }

  /** The same question on a command line. */
  line() {
    byId("size-line").textContent = command("size", this.file, { set: this.state().set, keep: this.keep() });
  }

  /** The answer belongs to another state. */
  outdate() {
    this.line();
    this.asked?.abort();
    if (byId("size-sentence").textContent === "") return;
    if (this.answer) byId("size-before").textContent = `Before the change: ${this.answer}`;
    this.answer = null;
    this.clear("The answer was for another state: ask again.");
  }

  clear(sentence) {
    byId("size-sentence").textContent = sentence;
    for (const part of ["size-first", "size-notes", "size-figures"]) byId(part).replaceChildren();
    for (const button of ["size-first-try", "size-try"]) byId(button).hidden = true;
  }

  async find() {
    const keep = this.keep();
    this.asked?.abort();
    this.clear("");
    this.asked = new AbortController();
    const { signal } = this.asked;
    byId("size-sentence").textContent = "Looking for it: some seconds.";
    const question = { ask: "size", set: sets(this.state()), keep };
    let answer;
    try {
      answer = await ask(question, signal);
    } catch (error) {
      if (signal.aborted) return;
      answer = { answer: "failed", why: String(error) };
    }
    if (signal.aborted) return;
    // The limit is what the service is to keep from now on: the head says what to change first for it.
    if (answer.answer === "size" && keep.join() !== this.state().keep.join()) this.setKeep(keep);
    this.show(answer);
  }

  show(answer) {
    if (answer.answer === "refused") {
      byId("size-sentence").textContent = "";
      byId("size-notes").replaceChildren(...problems(answer.problems));
      return;
    }
    if (answer.answer !== "size") {
      byId("size-sentence").textContent = answer.why ?? "There is no answer.";
      return;
    }
    byId("size-sentence").textContent = this.answer = answer.sentence;
    byId("size-notes").replaceChildren(...notes(answer.warnings));
    byId("size-figures").replaceChildren(figures(answer.figures));
    const { first, set, gain } = answer;
    const changes = first?.set ?? [];
    const more = set ? "To take more, change first: " : "To change first: ";
    const how = first?.how ? [" How: ", ...marked(first.how), "."] : [];
    if (first) byId("size-first").replaceChildren(changes.length > 0 ? more : "", ...marked(first.sentence), ...how, gain ? ` ${gain}` : "");
    this.offer("size-first-try", `Try it, and ask again: ${changes.join(" and ")}`, changes, () => this.find());
    this.offer("size-try", `Set ${set}, the most that surely holds`, set ? [set] : []);
  }

  /** A button that makes these changes, if there are any, and does what comes after that. */
  offer(id, words, changes, after = () => {}) {
    const button = byId(id);
    button.hidden = changes.length === 0;
    button.textContent = words;
    button.onclick = () => {
      this.take(changes);
      after();
    };
  }
}
