// Where questions go: to the server that the page came from, or to a worker of the browser.

/** The answer to a question. A question that is given up has no answer: its promise fails. */
export function ask(question, signal) {
  return self.rungStart?.engine ? ofWorker(question, signal) : ofServer("ask", question, signal);
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

let worker = null;

/** One question at a time. A worker that is busy with a question that was given up is ended. */
function ofWorker(question, signal) {
  return new Promise((resolve, reject) => {
    worker ??= self.rungStart.engine();
    const asked = worker;
    const end = () => {
      asked.terminate();
      if (worker === asked) worker = null;
      reject(new DOMException("given up", "AbortError"));
    };
    if (signal?.aborted) return reject(new DOMException("given up", "AbortError"));
    signal?.addEventListener("abort", end);
    asked.onmessage = ({ data }) => {
      signal?.removeEventListener("abort", end);
      resolve(JSON.parse(data));
    };
    asked.onerror = (event) => {
      signal?.removeEventListener("abort", end);
      resolve({ answer: "failed", why: `the engine ended: ${event.message}` });
    };
    asked.postMessage(JSON.stringify(question));
  });
}
