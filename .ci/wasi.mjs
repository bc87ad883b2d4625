// Runs a WebAssembly command in the current folder, as a system runs a program:
// node .ci/wasi.mjs PROGRAM ARGUMENTS...
import { readFile } from "node:fs/promises";
import { argv, exit } from "node:process";
import { WASI } from "node:wasi";

const [, , program, ...words] = argv;
const wasi = new WASI({ version: "preview1", args: ["sim", ...words], preopens: { ".": "." } });
const module = await WebAssembly.compile(await readFile(program));
exit(wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject())));
