// {{title}}
//{{question}}
// Written by `live export k6`, for k6 2.x. Change it as you like.
//
//   k6 run {{script}}                               against BASE_URL's default below
//   k6 run -e BASE_URL=http://10.0.0.7:8080 -e SUMMARY=one.json {{script}}
//   validate compare --k6 {{summary}} {{file}}   hold the result against the prediction
//
{{notes}}

import http from 'k6/http';
import exec from 'k6/execution';
import { SharedArray } from 'k6/data';
import { sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const SUMMARY = __ENV.SUMMARY || {{summary_text}};

const WARMUP = {{warmup}}; // seconds at the start that are run and do not count
const DURATION = {{duration}}; // seconds that count, after the warm-up
{{timeout}}

// What is called, and how often: the weights are relative to each other.
const ENDPOINTS = [
{{endpoints}}
];
{{loads}}
export const options = {
  scenarios: {
{{scenarios}}
  },
  discardResponseBodies: true,
  noConnectionReuse: {{no_reuse}},
  summaryTrendStats: ['avg', 'min', 'med', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'max', 'count'],
  thresholds: subMetrics(),
};

// What counts: good answers and errors that come within the window, whenever they were sent.
// k6's own metrics (http_reqs, http_req_duration) are of the whole run, the warm-up included.
const good = new Counter('rung_good');
const errors = new Counter('rung_errors');
const responseTime = new Trend('rung_response_time', true);

{{requests}}

export default function () {
  const request = next();
{{chosen}}
{{send}}
  count(endpoint.name, kind, reply.timings);
{{pause}}}

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

{{failure}}

// Thresholds that always hold: k6 keeps the numbers of each endpoint only if one asks for them.
function subMetrics() {
  const all = {};
  for (const { name } of ENDPOINTS) {
    all[`rung_good{endpoint:${name}}`] = ['count>=0'];
    all[`rung_response_time{endpoint:${name}}`] = ['max>=0'];
  }
  for (const kind of [
{{kinds}}
  ]) {
    all[`rung_errors{kind:${kind}}`] = ['count>=0'];
  }
  return all;
}

export function handleSummary(data) {
  // k6's data, whichever form it has, and of what it is.
  const all = JSON.parse(JSON.stringify(data));
  all.rung = {
    scenario: {{name}},
    seed: {{seed}},
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

{{draws}}
