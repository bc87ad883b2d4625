// A state of the page: the changes of the scenario, what it is to keep, and the variants that are
// pinned. It is the query of the page's address, and nothing else.

/** Most variants beside each other. */
export const MOST_PINS = 5;

/** No change. */
export const FILE = { set: [], keep: [] };

/** A variant as a query. */
export function query({ set, keep }) {
  const query = new URLSearchParams();
  for (const [key, value] of set) query.append("set", `${key}=${value}`);
  for (const text of keep) query.append("keep", text);
  return query.toString();
}

/** The variant that a query tells. */
export function variant(text) {
  const query = new URLSearchParams(text);
  const pairs = query.getAll("set").filter((set) => set.includes("="));
  const set = pairs.map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return { set, keep: query.getAll("keep") };
}

/** The state that the query of an address tells. */
export function fromAddress(text) {
  const query = new URLSearchParams(text);
  const pins = query.getAll("pin").slice(0, MOST_PINS).map(variant);
  return { ...variant(text), pins };
}

/** The query of the address of a state; a blank one has a mark, since the page may begin otherwise. */
export function address(state) {
  const parts = [query(state), ...state.pins.map((pin) => `pin=${encodeURIComponent(query(pin))}`)];
  return `?${parts.filter((part) => part !== "").join("&") || "file"}`;
}

/** The variant with a key changed, or as the file has it. */
export function changed({ set, keep }, key, value) {
  const others = set.filter(([known]) => known !== key);
  return { keep, set: value === null ? others : [...others, [key, value]] };
}

/** The changes as `--set` has them. */
export function sets({ set }) {
  return set.map(([key, value]) => `${key}=${value}`);
}

/** What tells the variant apart from others, in a few words. */
export function words({ set, keep }) {
  const parts = [...set.map(([key, value]) => `${key} = ${value}`), ...keep.map((keep) => `keep ${keep}`)];
  return parts.length === 0 ? "the file" : parts.join(", ");
}
