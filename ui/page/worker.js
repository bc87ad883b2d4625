// The engine in the browser: a worker answers one question, and its page ends it then.
//
// The engine is the command `sim ask` as WebAssembly. Of its interface to a system (WASI, preview 1) it
// needs three streams, arguments, a clock and random bytes; it sees no files and no network.
"use strict";

/** Codes of the interface. */
const [DONE, BAD_STREAM, NO_SUCH_CALL] = [0, 8, 52];
const [INPUT, OUTPUT, ERRORS] = [0, 1, 2];

/** The program has ended by itself. */
class Ended {
  constructor(code) {
    this.code = code;
  }
}

/** A process: its arguments, what it reads, and what it has written. */
class Process {
  constructor(args, input) {
    const encoder = new TextEncoder();
    this.args = args.map((arg) => encoder.encode(`${arg}\0`));
    this.input = encoder.encode(input);
    this.written = { [OUTPUT]: [], [ERRORS]: [] };
  }

  /** Runs the program to its end; its exit code. */
  async run(module) {
    const calls = this.calls();
    const system = {};
    for (const { name } of WebAssembly.Module.imports(module)) system[name] = calls[name] ?? (() => NO_SUCH_CALL);
    const { exports } = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: system });
    this.memory = exports.memory;
    try {
      exports._start();
      return 0;
    } catch (ended) {
      if (ended instanceof Ended) return ended.code;
      throw ended;
    }
  }

  /** What it wrote to a stream. */
  text(stream) {
    const decoder = new TextDecoder();
    const parts = this.written[stream].map((bytes) => decoder.decode(bytes, { stream: true }));
    return parts.join("") + decoder.decode();
  }

  /** Memory moves when it grows: a view is of one call. */
  get view() {
    return new DataView(this.memory.buffer);
  }

  bytes(from, length) {
    return new Uint8Array(this.memory.buffer, from, length);
  }

  store(...pairs) {
    for (const [at, value] of pairs) this.view.setUint32(at, value, true);
    return DONE;
  }

  /** The parts of memory that a call reads or fills. */
  parts(list, count) {
    const part = (_, index) => {
      const at = list + 8 * index;
      return this.bytes(this.view.getUint32(at, true), this.view.getUint32(at + 4, true));
    };
    return Array.from({ length: count }, part);
  }

  calls() {
    return {
      args_sizes_get: (count, size) =>
        this.store([count, this.args.length], [size, this.args.reduce((sum, arg) => sum + arg.length, 0)]),
      args_get: (places, text) => {
        for (const [index, arg] of this.args.entries()) {
          this.store([places + 4 * index, text]);
          this.bytes(text, arg.length).set(arg);
          text += arg.length;
        }
        return DONE;
      },
      environ_sizes_get: (count, size) => this.store([count, 0], [size, 0]),
      environ_get: () => DONE,
      fd_read: (stream, list, count, read) => (stream === INPUT ? this.read(list, count, read) : BAD_STREAM),
      fd_write: (stream, list, count, written) =>
        stream in this.written ? this.write(stream, list, count, written) : BAD_STREAM,
      // No folder is open, and no stream is a terminal.
      fd_prestat_get: () => BAD_STREAM,
      fd_fdstat_get: () => BAD_STREAM,
      clock_time_get: (_clock, _precision, time) => {
        this.view.setBigUint64(time, BigInt(Math.round(1e6 * performance.now())), true);
        return DONE;
      },
      random_get: (at, length) => {
        crypto.getRandomValues(this.bytes(at, length));
        return DONE;
      },
      sched_yield: () => DONE,
      proc_exit: (code) => {
        throw new Ended(code);
      },
    };
  }

  read(list, count, read) {
    let all = 0;
    for (const part of this.parts(list, count)) {
      const some = this.input.subarray(0, part.length);
      part.set(some);
      this.input = this.input.subarray(some.length);
      all += some.length;
    }
    return this.store([read, all]);
  }

  write(stream, list, count, written) {
    const parts = this.parts(list, count);
    for (const part of parts) this.written[stream].push(part.slice());
    return this.store([written, parts.reduce((sum, part) => sum + part.length, 0)]);
  }
}

/** The answer to a question, as JSON. */
async function answer({ module, asked }) {
  const process = new Process(["sim", "ask"], asked);
  let why;
  try {
    if ((await process.run(module)) === 0) return process.text(OUTPUT);
  } catch (error) {
    why = String(error);
  }
  return JSON.stringify({ answer: "failed", why: process.text(ERRORS).trim() || why });
}

self.onmessage = async ({ data }) => self.postMessage(await answer(data));
