// ---- What is sent. A request is a list of parts: texts, and functions that draw one.

// The request of an endpoint as it is sent. Those without a request of their own are asked by
// their name and a key: the service draws by user and request. The third number of the key would be
// the time at which it was sent by a clock that k6 does not have: the largest says that nobody knows.
function written({ path, request }, { lane, index }) {
  if (!request) {
    const headers = { 'rung-key': `${lane}.${index}.{{not_told}}` };
    return { method: 'GET', url: BASE_URL + path, headers, body: null };
  }
  const fill = (parts) =>
    parts.map((part) => (typeof part === 'string' ? part : part(lane, index))).join('');
  const headers = {};
  for (const name of Object.keys(request.headers)) headers[name] = fill(request.headers[name]);
  return {
    method: request.method,
    url: BASE_URL + fill(request.path),
    headers,
    body: request.body ? fill(request.body) : null,
  };
}

// A whole number from `low` to `high`, with at least `width` digits. The hash, here and below, is
// that of what the number is drawn for.
function whole(low, high, width, hash) {
  const draw = bits(hash);
  const count = BigInt(high) - BigInt(low) + 1n;
  return (lane, index) =>
    (BigInt(low) + ((draw(lane, index) * count) >> 64n)).toString().padStart(width, '0');
}

// One of the words.
function word(words, hash) {
  const draw = bits(hash);
  return (lane, index) => words[Number((draw(lane, index) * BigInt(words.length)) >> 64n)];
}

// A random UUID: version 4.
function uuid(first, second) {
  const [high, low] = [bits(first), bits(second)];
  return (lane, index) => {
    const one = (high(lane, index) & ~0xf000n) | 0x4000n;
    const two = (low(lane, index) & ~(3n << 62n)) | (2n << 62n);
    const hex = one.toString(16).padStart(16, '0') + two.toString(16).padStart(16, '0');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  };
}

// A draw of 64 bits by user and request.
function bits(hash) {
  const stream = {};
  return (lane, index) => {
    if (!stream.key) stream.key = [...CLASS.key.slice(0, 6), ...hash];
    uniform(stream, lane, index);
    const at = (index % 8) * 2;
    return (BigInt(stream.words[at + 1]) << 32n) | BigInt(stream.words[at]);
  };
}

