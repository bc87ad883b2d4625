// Numbers and words: as a file has them, as a shell takes them.

/** Units of a form, the largest first: what a value is multiplied by, and its name. */
const UNITS = {
  time: [[3600, "h"], [60, "m"], [1, "s"], [1e-3, "ms"], [1e-6, "us"], [1e-9, "ns"]],
  size: [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]],
};

/** A number with at most so many significant digits, without an exponent. */
export function digits(number, most) {
  if (number === 0) return "0";
  const rounded = Number(number.toPrecision(most));
  if (Math.abs(rounded) >= 1e-6 && Math.abs(rounded) < 1e15) return String(rounded);
  return rounded.toFixed(12).replace(/\.?0+$/, "");
}

/** An amount as `--set` takes it, three digits of it: `250ms`, `12/s`, `64KiB`, `5%`. */
export function written(form, amount) {
  if (form === "integer") return String(Math.round(amount));
  if (form === "rate") return `${digits(amount, 3)}/s`;
  if (form === "share") return `${digits(amount, 3)}%`;
  const units = UNITS[form];
  if (!units) return digits(amount, 3);
  if (amount === 0) return form === "time" ? "0s" : "0B";
  if (form === "size") {
    const [unit, name] = units.find(([unit]) => amount >= unit) ?? units.at(-1);
    return `${Math.max(1, Math.round(amount / unit))}${name}`;
  }
  // Minutes and hours are for long times only: 90s is read more easily than 1.5m.
  const [unit, name] = units.find(([unit]) => amount >= (unit > 1 ? 10 * unit : unit)) ?? units.at(-1);
  return `${digits(amount / unit, 3)}${name}`;
}

/** What a text says as a number in the unit of its form; none if it is no number. */
export function amount(form, text) {
  const found = /^\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-zA-Zµ%/]*)\s*$/i.exec(text);
  if (!found) return null;
  const number = Number(found[1]);
  const unit = found[2];
  if (Number.isNaN(number)) return null;
  if (form === "time") {
    const known = { ns: 1e-9, us: 1e-6, "µs": 1e-6, ms: 1e-3, s: 1, m: 60, min: 60, h: 3600 };
    return unit in known ? number * known[unit] : null;
  }
  if (form === "rate") {
    const known = { "/s": 1, "/m": 1 / 60, "/min": 1 / 60, "/h": 1 / 3600 };
    return unit in known ? number * known[unit] : null;
  }
  if (form === "size") {
    const known = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
    return unit in known ? number * known[unit] : null;
  }
  if (form === "share") return unit === "%" ? number : null;
  return unit === "" ? number : null;
}

/** A share as a change: `+12 %`. */
export function change(share) {
  const percent = 100 * share;
  const sign = percent > 0 ? "+" : "";
  const size = Math.abs(percent);
  if (size < 0.05) return "±0 %";
  return `${sign}${size < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** A word of a command line, quoted where a shell would read it otherwise. */
export function shell(word) {
  if (/^[A-Za-z0-9_.,:=@%+/-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command of `sim`. */
export function command(name, file, state) {
  const sets = state.set.flatMap(([key, value]) => ["--set", shell(`${key}=${value}`)]);
  const keeps = state.keep.flatMap((keep) => ["--keep", shell(keep)]);
  return ["sim", name, shell(file), ...sets, ...keeps].join(" ");
}
