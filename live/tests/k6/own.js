// The load of shop, from shop.toml.
//
// Written by `live export k6`, for k6 2.x. Change it as you like.
//
//   k6 run shop.js                               against BASE_URL's default below
//   k6 run -e BASE_URL=http://10.0.0.7:8080 -e SUMMARY=one.json shop.js
//   validate compare --k6 shop-k6.json shop.toml   hold the result against the prediction
//
// The same as under rung's own load generator, given the same seed:
// - Request i of user u calls the same endpoint with the same key, and the same pause follows:
//   what the service and its upstream draw from the key is the same too.
// - What counts: answers that come within the window, the warm-up left out.
// - Endpoints with a `request` are asked as it says, with the same drawn parts; a key is sent
//   to the others only.
// Not the same:
// - k6 needs a good deal of CPU time for each request: give it processors of its own, and as
//   many as it wants.

import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const SUMMARY = __ENV.SUMMARY || 'shop-k6.json';

const WARMUP = 1; // seconds at the start that are run and do not count
const DURATION = 4; // seconds that count, after the warm-up
const TIMEOUT = '10s';

// What is called, and how often: the weights are relative to each other.
const ENDPOINTS = [
  { name: 'status', path: '/status', weight: 1 },
  {
    name: 'item',
    weight: 3,
    request: {
      method: 'GET',
      path: ['/items/', whole(1, 5000, 0, [0xc7d2cc75, 0xdf7d8d7f]), '?full=', word(['yes', 'no'], [0xc7d2cac2, 0xdf7d8c7f]), '&text={kinds}'],
      headers: { 'accept': ['*/*'], 'user-agent': ['rung'] },
    },
  },
  {
    name: 'order',
    weight: 1.5,
    request: {
      method: 'POST',
      path: ['/orders'],
      headers: { 'accept': ['*/*'], 'user-agent': ['rung'], 'content-type': ['application/json'], 'x-key': [uuid([0x52120436, 0x2beb311d], [0x521205e9, 0x2beb321d])] },
      body: ['{"id": ', whole('18446744073709551000', '18446744073709551615', 0, [0x5690b90f, 0x0deace9f]), ', "by": "{{seed}}"}'],
    },
  },
];

export const options = {
  scenarios: {
    load: {
      executor: 'constant-vus',
      vus: 8,
      duration: `${WARMUP + DURATION}s`,
      // Requests that are in flight at the end are abandoned, and count as nothing.
      gracefulStop: '0s',
    },
  },
  discardResponseBodies: true,
  noConnectionReuse: false,
  summaryTrendStats: ['avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'max', 'count'],
  thresholds: subMetrics(),
};

// What counts: good answers and errors that come within the window, whenever they were sent.
// k6's own metrics (http_reqs, http_req_duration) are of the whole run, the warm-up included.
const good = new Counter('rung_good');
const errors = new Counter('rung_errors');
const responseTime = new Trend('rung_response_time', true);

// Each user counts its own requests.
let index = 0;
function next() {
  index += 1;
  return { lane: exec.vu.idInTest - 1, index: index - 1 };
}

export default function () {
  const request = next();
  const endpoint = ENDPOINTS[choose(request, ENDPOINTS.map(({ weight }) => weight))];
  const { method, url, headers, body } = written(endpoint, request);
  const reply = http.request(method, url, body, {
    headers: { ...headers },
    tags: { name: endpoint.name, endpoint: endpoint.name },
    timeout: TIMEOUT,
    redirects: 0,
  });
  const kind = failure(reply, endpoint.request);
  count(endpoint.name, kind, reply.timings);
  // A dead service is not asked as fast as the processor allows.
  if (kind === 'disconnected') sleep(0.01);
}

function count(endpoint, kind, timings) {
  const seconds = (Date.now() - exec.scenario.startTime) / 1000;
  if (seconds < WARMUP || seconds >= WARMUP + DURATION) return;
  if (kind) {
    errors.add(1, { endpoint, kind });
    return;
  }
  good.add(1, { endpoint });
  // k6's duration begins when the connection is there; a user waits for the connection too.
  responseTime.add(timings.blocked + timings.duration, { endpoint });
}

// Why a reply is no good answer; nothing if it is one. Of a service of your own a redirection is an
// answer, and 429 is a refusal.
function failure(reply, own) {
  if (reply.status >= 200 && reply.status < (own ? 400 : 300)) return undefined;
  if (reply.status === 0) return reply.error_code === 1050 ? 'timeout' : 'disconnected';
  const told = own ? undefined : reply.headers['Rung-Error'];
  const refused = reply.status === 503 || (own && reply.status === 429);
  return told || (refused ? 'rejected' : 'service_failed');
}

// Thresholds that always hold: k6 keeps the numbers of each endpoint only if one asks for them.
function subMetrics() {
  const all = {};
  for (const { name } of ENDPOINTS) {
    all[`rung_good{endpoint:${name}}`] = ['count>=0'];
    all[`rung_response_time{endpoint:${name}}`] = ['max>=0'];
  }
  for (const kind of [
    'timeout',
    'rejected',
    'database_busy',
    'pool_timeout',
    'upstream_timeout',
    'upstream_failed',
    'upstream_refused',
    'connection_timeout',
    'lock_timeout',
    'disconnected',
    'service_failed',
    'connection_closed',
    'worker_killed',
    'too_many_clients',
    'max_client_conn',
    'query_wait_timeout',
    'database_connection_lost',
    'database_connection_refused',
    'database_deadlock',
    'database_lock_timeout',
    'database_statement_timeout',
    'database_idle_in_transaction',
  ]) {
    all[`rung_errors{kind:${kind}}`] = ['count>=0'];
  }
  return all;
}

export function handleSummary(data) {
  // k6's data, whichever form it has, and of what it is.
  const all = JSON.parse(JSON.stringify(data));
  all.rung = {
    scenario: 'shop',
    seed: '7',
    warmup: WARMUP,
    duration: DURATION,
  };
  return { stdout: `${text(all)}\n`, [SUMMARY]: `${JSON.stringify(all, null, 2)}\n` };
}

function text(data) {
  const find = (name) => {
    const list = data.results && data.results.metrics;
    const metric = list ? list.find((one) => one.name === name) : data.metrics[name];
    return metric ? metric.values : {};
  };
  const answers = find('rung_good').count || 0;
  const failed = find('rung_errors').count || 0;
  const times = find('rung_response_time');
  const all = ['avg', 'med', 'p(95)', 'p(99)', 'max']
    .filter((name) => times[name] !== undefined)
    .map((name) => `${name} ${times[name].toFixed(1)} ms`);
  const rate = (answers / DURATION).toFixed(2);
  return (
    `${data.rung.scenario}: ${answers} good answers in ${DURATION} s: ${rate}/s; ` +
    `${failed} errors\nresponse time: ${all.join(', ') || '-'}\nkept in ${SUMMARY}`
  );
}

// ---- What is sent. A request is a list of parts: texts, and functions that draw one.

// The request of an endpoint as it is sent. Those without a request of their own are asked by
// their name and a key: the service draws by user and request. The third number of the key would be
// the time at which it was sent by a clock that k6 does not have: the largest says that nobody knows.
function written({ path, request }, { lane, index }) {
  if (!request) {
    const headers = { 'rung-key': `${lane}.${index}.18446744073709551615` };
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

// Keys of the draws: the seed, and what they are for.
const CLASS = {
  key: [
    0x676e7572, 0x61726420, 0x74732077, 0x6d616572,
    0x00000007, 0x00000000, 0x2fcbab9f, 0xd1165595,
  ],
};
