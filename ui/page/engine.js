// Where questions go: to the server that the page came from, or to a worker of the browser.

/** The answer to a question. A question that is given up has no answer: its promise fails. */
export function ask(question, signal) {
  return self.rungStart.without_server ? ofWorker(question, signal) : ofServer("ask", question, signal);
}

/** Keeps a state as a file; only a server can. */
export function save(question) {
  return ofServer("save", question);
}

async function ofServer(path, question, signal) {
  const body = JSON.stringify(question);
  const reply = await fetch(path, { method: "POST", body, signal });
  if (!reply.ok) return { answer: "failed", why: `the server says: ${await reply.text()}` };
  return reply.json();
}

/** The engine, compiled once for all workers. */
let engine = null;

async function compiled() {
  if (location.protocol === "file:") {
    throw new Error("a browser runs no engine from a disk: hand the page's folder out with any web server, such as `python3 -m http.server`");
  }
  const reply = await fetch("sim.wasm");
  if (!reply.ok) throw new Error(`sim.wasm: ${reply.status} ${reply.statusText}`);
  return WebAssembly.compile(await reply.arrayBuffer());
}

/** Each question has a worker of its own: the question is given up by ending it. */
async function ofWorker(question, signal) {
  engine ??= compiled();
  let module;
  try {
    module = await engine;
  } catch (error) {
    return { answer: "failed", why: `the engine cannot be loaded: ${error.message}` };
  }
  signal?.throwIfAborted();
  const worker = new Worker("worker.js");
  let giveUp;
  try {
    return await new Promise((resolve, reject) => {
      giveUp = () => reject(signal.reason);
      signal?.addEventListener("abort", giveUp);
      worker.onmessage = ({ data }) => resolve(JSON.parse(data));
      worker.onerror = ({ message }) => resolve({ answer: "failed", why: `the engine ended: ${message}` });
      worker.postMessage({ module, asked: JSON.stringify({ ...self.rungStart.without_server, question }) });
    });
  } finally {
    signal?.removeEventListener("abort", giveUp);
    worker.terminate();
  }
}
