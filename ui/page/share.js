// A state as an address, as a line for a shell, as a scenario file, as documents.
import { ask, save } from "./engine.js";
import { command } from "./text.js";
import { sets } from "./state.js";
import { byId, copy, download, make, problems } from "./dom.js";

/** The form. `state()` is the variant on the screen, `numbers()` its answer. */
export class Share {
  constructor(state, keys, numbers) {
    this.state = state;
    this.keys = keys;
    this.numbers = numbers;
    this.line = make("code", { id: "set-line" });
    this.link = make("code", { id: "address" });
    this.told = make("div", { id: "saved", role: "status" });
    const line = (title, code) => {
      const button = make("button", { type: "button" }, "Copy");
      button.setAttribute("aria-label", `Copy: ${title}`);
      button.addEventListener("click", () => copy(code.textContent, button));
      return make("div", { class: "copied" }, make("p", { class: "soft" }, title), code, button);
    };
    byId("share").replaceChildren(
      line("The same answer on a command line", this.line),
      line("This state of the page", this.link),
      make("h3", {}, "As a scenario that extends the file"),
      this.saving(),
      this.told,
      make("h3", {}, "As documents"),
      make(
        "div",
        { class: "line" },
        this.button("Answer as JSON", () => this.json()),
        this.button("Page with all pictures", () => this.page()),
      ),
    );
    this.show();
  }

  /** The state has changed. */
  show() {
    this.line.textContent = command("scenario", this.keys().file, this.state());
    this.link.textContent = location.href;
    this.told.replaceChildren();
  }

  button(text, act) {
    return make("button", { type: "button", onclick: act }, text);
  }

  saving() {
    const name = make("input", { id: "file-name", type: "text", autocomplete: "off" });
    name.value = "what-if.toml";
    const line = make("div", { class: "line" }, make("label", { for: "file-name" }, "Name"), name);
    if (self.rungStart.saves) {
      const button = this.button("Save beside the file", () => this.save(name.value));
      button.id = "save";
      line.append(button);
    }
    line.append(
      this.button("Show", () => this.child((text) => this.tell(make("pre", { tabindex: 0 }, text)))),
      this.button("Download", () => this.child((text) => download(name.value, "text/plain", text))),
    );
    return line;
  }

  question(ask, more = {}) {
    return { ask, set: sets(this.state()), keep: this.state().keep, ...more };
  }

  tell(...parts) {
    this.told.replaceChildren(...parts);
  }

  refuse(answer) {
    if (answer.answer === "refused") this.tell(...problems(answer.problems));
    else this.tell(make("p", {}, answer.why ?? "There is no answer."));
  }

  async save(name) {
    const answer = await save(this.question("child", { name }));
    if (answer.answer === "saved") this.tell(make("p", {}, "Saved as ", make("code", {}, answer.file)));
    else this.refuse(answer);
  }

  async child(then) {
    const answer = await ask(this.question("child"));
    if (answer.answer === "child") then(answer.text);
    else this.refuse(answer);
  }

  json() {
    const document = this.numbers()?.document;
    if (document) download(`${this.keys().name}.json`, "application/json", document);
    else this.tell(make("p", {}, "The answer is not there yet."));
  }

  async page() {
    const answer = await ask(this.question("page"));
    if (answer.answer === "page") download(`${this.keys().name}.html`, "text/html", answer.html);
    else this.refuse(answer);
  }
}
