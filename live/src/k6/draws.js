// ---- rung's draws: a pure function of seed, purpose, user and request.

// Chooses the endpoint of a request, as rung's own load generator does.
function choose({ lane, index }, weights) {
  const u = uniform(CLASS, lane, index);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let last = 0;
  let sum = 0;
  for (let i = 0; i < weights.length; i += 1) {
    if (weights[i] > 0) last = i;
    sum += weights[i] / total;
    if (u < sum) return i;
  }
  return last;
}

// A number between 0 and 1. Eight of them are computed at once.
function uniform(stream, lane, index) {
  const block = Math.floor(index / 8);
  if (stream.lane !== lane || stream.block !== block) {
    stream.words = chacha8(stream.key, block, lane);
    stream.lane = lane;
    stream.block = block;
  }
  const at = (index % 8) * 2;
  return (stream.words[at + 1] * 2 ** 21 + (stream.words[at] >>> 11) + 0.5) / 2 ** 53;
}

// A block of the ChaCha stream cipher, with eight rounds.
function chacha8(key, counter, nonce) {
  const start = Uint32Array.from([
    0x61707865, 0x3320646e, 0x79622d32, 0x6b206574,
    ...key,
    counter, counter / 2 ** 32, nonce, nonce / 2 ** 32,
  ]);
  const x = start.slice();
  const add = (to, from, mixed, by) => {
    x[to] += x[from];
    const bits = x[mixed] ^ x[to];
    x[mixed] = (bits << by) | (bits >>> (32 - by));
  };
  const quarter = (a, b, c, d) => {
    add(a, b, d, 16);
    add(c, d, b, 12);
    add(a, b, d, 8);
    add(c, d, b, 7);
  };
  for (let round = 0; round < 8; round += 2) {
    for (let i = 0; i < 4; i += 1) quarter(i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i += 1) {
      quarter(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4));
    }
  }
  return x.map((word, i) => word + start[i]);
}
