// The whole Worker before an origin: what it passes on, what it keeps of that, and that keeping is in nobody's way.
// How bytes pass in detail is the subject of capture.test.mjs.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { ADMIN, Deployed } from './deployed.mjs';
import { Subscriber } from './sse.mjs';

const CAP = 256 * 1024;
const BASE = '/_reqlog';

/** What the origin does, by path; else it says the path. */
const routes = {};
/** Paths of what is to be kept, each as often as it was asked for. */
const kept = [];
let origin, deployed, tail;

before(async () => {
  origin = http.createServer((request, response) => {
    const route = routes[request.url.split('?')[0]] ?? (() => response.end(`origin ${request.url}`));
    route(request, response);
  });
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  const vars = {
    UPSTREAM: `http://127.0.0.1:${origin.address().port}`,
    REQLOG_BASE_PATH: BASE,
    REQLOG_SAMPLE: 'path:/dull* status:2xx=0,path:/dull*=1,path:/traced*=0.5,1',
    REQLOG_PROJECT: 'shop',
    REQLOG_SERVICE: 'front',
    REQLOG_COMMIT_WINDOW: '0ms',
  };
  deployed = await Deployed.start({ vars });
  await follow();
});

after(async () => {
  await tail?.stop();
  await deployed?.stop();
  origin?.closeAllConnections();
  origin?.close();
});

/** Follows what is kept, from the beginning. */
async function follow() {
  tail = new Subscriber(deployed, `${BASE}/api/v1/tail?q=`, { lastId: '0' });
  await tail.until(({ opened }) => opened > 0);
}

/** Sends a request as a client of the origin's does. */
function send(path, { body, headers, ...options } = {}) {
  const told = { 'accept-encoding': 'identity', 'x-test-now': `${deployed.now}000000`, ...headers };
  const request = http.request(new URL(path, deployed.url), { agent: false, headers: told, ...options });
  const answered = once(request, 'response').then(([response]) => response);
  if (body !== undefined) request.end(body);
  return { request, answered };
}

async function bytes(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

async function ask(path, options) {
  const response = await send(path, { body: '', ...options }).answered;
  return { status: response.statusCode, headers: response.headers, text: (await bytes(response)).toString() };
}

const found = (path) => tail.records.find((record) => record.path === path);

/** The whole record of an exchange, once it is committed. */
async function captured(path) {
  kept.push(path);
  await tail.until(() => found(path));
  return (await deployed.get(`${BASE}/api/v1/logs/${found(path).id}`)).expect(200).json;
}

test('what is below the base path is answered here, all else by the origin', async () => {
  assert.equal((await deployed.get(`${BASE}/healthz`)).expect(200).text, '{"status":"ok"}');
  assert.equal((await ask(`${BASE}/api/v1/logs`)).status, 401, 'a key is asked for as ever');
  assert.equal((await ask(`${BASE}/nothing/here`)).status, 404);
  for (const path of ['/healthz', '/api/v1/logs', '/', '/_reqlogs/healthz', '/a/_reqlog/healthz']) {
    const { status, text } = await ask(path);
    assert.deepEqual([status, text], [200, `origin ${path}`]);
    await captured(path);
  }
});

test('an exchange is passed on as it is, and kept without its secrets', async () => {
  const secrets = {
    bearer: 'Bearer b-0123456789abcdef',
    cookie: 'session=c-0123456789abcdef; theme=dark',
    password: 'p-0123456789abcdef',
    query: 'q-0123456789abcdef',
    set: 's-0123456789abcdef',
    token: 't-0123456789abcdef',
  };
  const login = JSON.stringify({ user: 'ann', password: secrets.password });
  const answer = JSON.stringify({ ok: true, access_token: secrets.token });
  let arrived;
  routes['/login'] = async (request, response) => {
    arrived = { url: request.url, headers: request.headers, body: (await bytes(request)).toString() };
    response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': `session=${secrets.set}; HttpOnly` });
    response.end(answer);
  };
  const headers = { 'content-type': 'application/json', authorization: secrets.bearer, cookie: secrets.cookie };
  const path = `/login?api_key=${secrets.query}&page=2`;
  const passed = await ask(path, { method: 'POST', headers, body: login });
  assert.deepEqual([passed.status, passed.text], [201, answer]);
  assert.deepEqual(passed.headers['set-cookie'], [`session=${secrets.set}; HttpOnly`]);
  assert.deepEqual([arrived.url, arrived.body], [path, login]);
  assert.deepEqual([arrived.headers.authorization, arrived.headers.cookie], [secrets.bearer, secrets.cookie]);

  const record = await captured('/login');
  const { project, service, source, kind, method, status, level } = record;
  const expected = { project: 'shop', service: 'front', source: 'edge', kind: 'exchange', method: 'POST', status: 201, level: 'info' };
  assert.deepEqual({ project, service, source, kind, method, status, level }, expected);
  const field = (side, name) => record[side].headers.find(([known]) => known === name)?.[1];
  assert.match(field('request', 'authorization'), /^Bearer \[redacted:[0-9a-f]{8}\]$/);
  assert.match(field('request', 'cookie'), /^session=\[redacted:[0-9a-f]{8}\]; theme=\[redacted\]$/);
  assert.match(field('response', 'set-cookie'), /^session=\[redacted:[0-9a-f]{8}\]; HttpOnly$/);
  assert.match(record.query, /^api_key=\[redacted:[0-9a-f]{8}\]&page=2$/);
  const body = async (side) => (await deployed.get(`${BASE}/api/v1/logs/${record.id}/body?side=${side}`)).expect(200).text;
  const sent = JSON.parse(await body('request'));
  assert.equal(sent.user, 'ann');
  assert.match(sent.password, /^\[redacted:[0-9a-f]{8}\]$/);
  const answered = JSON.parse(await body('response'));
  assert.equal(answered.ok, true);
  assert.match(answered.access_token, /^\[redacted:[0-9a-f]{8}\]$/);
  // nor anywhere else, in any form that leaves the store
  for (const as of ['curl', 'har', 'http']) {
    const { text } = (await deployed.get(`${BASE}/api/v1/logs/${record.id}/export?as=${as}`)).expect(200);
    assert.ok(text.includes('/login'));
    assert.doesNotMatch(text, /[bcpqst]-0123456789abcdef/, as);
  }
  assert.doesNotMatch(JSON.stringify(record), /[bcpqst]-0123456789abcdef/);
});

test('the first byte is with the client before the origin ends, and the exchange is kept when it has', async () => {
  let finish;
  routes['/stream'] = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('first ');
    finish = () => response.end('last');
  };
  const response = await send('/stream', { body: '' }).answered;
  const [first] = await once(response, 'data');
  assert.equal(first.toString(), 'first ');
  await ask('/meanwhile');
  await captured('/meanwhile');
  assert.equal(found('/stream'), undefined);
  finish();
  assert.equal((await bytes(response)).toString(), 'last');
  const { preview } = (await captured('/stream')).response.body;
  assert.equal(preview, 'first last');
});

test('bodies are kept up to the cap, with their size and why they are cut, and pass whole', async () => {
  const long = (length) => Buffer.from(Array.from({ length }, (_, at) => 97 + ((at * 7) % 26)));
  const [up, down] = [long(CAP + 1), long(4 * CAP)];
  let received;
  routes['/long'] = async (request, response) => {
    received = await bytes(request);
    response.writeHead(200, { 'content-type': 'text/plain' }).end(down);
  };
  routes['/fits'] = (_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(down.subarray(0, CAP));
  const response = await send('/long', { method: 'PUT', headers: { 'content-type': 'text/plain' }, body: up }).answered;
  assert.ok((await bytes(response)).equals(down));
  assert.ok(received.equals(up));
  const record = await captured('/long');
  const told = ({ size, captured, truncated, reason }) => ({ size, captured, truncated, reason });
  assert.deepEqual(told(record.request.body), { size: up.length, captured: CAP, truncated: true, reason: 'cap' });
  assert.deepEqual(told(record.response.body), { size: down.length, captured: CAP, truncated: true, reason: 'cap' });
  for (const [side, whole] of Object.entries({ request: up, response: down })) {
    const body = await deployed.get(`${BASE}/api/v1/logs/${record.id}/body?side=${side}`);
    assert.ok(body.expect(200).bytes.equals(whole.subarray(0, CAP)), side);
  }
  await ask('/fits');
  const fits = (await captured('/fits')).response.body;
  assert.deepEqual(told(fits), { size: CAP, captured: CAP, truncated: false, reason: undefined });
});

test('an exchange that breaks off is kept as far as it came, and says who broke it', async () => {
  let began;
  routes['/aborted'] = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 1000 }).write('half');
    began = () => response.destroy();
  };
  const aborted = await send('/aborted', { body: '' }).answered;
  await once(aborted, 'data');
  began();
  await assert.rejects(bytes(aborted), { code: 'ECONNRESET' });
  const byOrigin = await captured('/aborted');
  assert.deepEqual([byOrigin.status, byOrigin.error_code, byOrigin.level], [200, 'upstream_aborted', 'error']);
  assert.deepEqual([byOrigin.response.body.preview, byOrigin.response.body.reason], ['half', 'not_captured']);

  const closed = new Promise((resolve) => {
    routes['/left'] = (_, response) => {
      response.on('close', resolve);
      response.writeHead(200, { 'content-type': 'text/plain' }).write('half');
    };
  });
  const { request, answered } = send('/left', { body: '' });
  const left = await answered;
  await once(left, 'data');
  left.on('error', () => {});
  request.socket.resetAndDestroy();
  await closed;
  const byClient = await captured('/left');
  assert.deepEqual([byClient.status, byClient.error_code, byClient.level], [200, 'client_aborted', 'warn']);
});

test('rules say what is kept: the first that matches decides, and a trace is kept whole or not at all', async () => {
  routes['/dull/failing'] = (_, response) => response.writeHead(500).end();
  for (const path of ['/dull/a', '/dull/b']) assert.equal((await ask(path)).text, `origin ${path}`);
  assert.equal((await ask('/dull/failing')).status, 500);
  await captured('/dull/failing');
  const traces = Array.from({ length: 24 }, (_, at) => (at + 1).toString(16).padStart(32, '0'));
  for (const half of ['first', 'second']) {
    const traced = (trace) => ask(`/traced/${half}/${trace}`, { headers: { traceparent: `00-${trace}-00000000000000a1-01` } });
    await Promise.all(traces.map(traced));
  }
  const keeps = (half) => tail.records.filter(({ path }) => path.startsWith(`/traced/${half}/`)).length;
  await tail.until(() => keeps('first') > 0 && keeps('first') === keeps('second'));
});

/** How many ms pass until an exchange is committed; slowly, as brief pauses of the Worker are real. */
async function passed(path) {
  const began = deployed.now;
  while (!found(path)) {
    deployed.now += 50;
    await deployed.control('advance');
  }
  return deployed.now - began;
}

const commits = 'INSERT INTO batches';

test('a commit that hangs delays no response, and is made up for', async () => {
  await deployed.control('fault', { faults: { rules: [{ on: 'd1', match: commits, do: 'hang' }] } });
  let finish;
  routes['/hung'] = (_, response) => {
    response.write('first ');
    finish = () => response.end('last');
  };
  const response = await send('/hung', { body: '' }).answered;
  const [first] = await once(response, 'data');
  finish();
  assert.equal(first.toString() + (await bytes(response)).toString(), 'first last');
  assert.equal(await deployed.control('hit'), 1);
  // the committer waits, the proxy does not
  for (const path of ['/hung/1', '/hung/2']) assert.equal((await ask(path)).text, `origin ${path}`);
  assert.deepEqual(['/hung', '/hung/1', '/hung/2'].filter(found), []);
  // until it gives the commit up, looks, and tries again
  assert.ok((await passed('/hung')) >= 10_000);
  for (const path of ['/hung', '/hung/1', '/hung/2']) await captured(path);
  await deployed.control('release');
});

test('a database that fails, or was never reached, delays no response', async () => {
  await deployed.control('fault', { faults: { rules: [{ on: 'd1', do: 'fail', times: 3 }] } });
  assert.equal((await ask('/failed')).text, 'origin /failed');
  assert.ok((await deployed.control('hit')) >= 1);
  await passed('/failed');
  await captured('/failed');

  await tail.stop();
  await deployed.restart();
  const rules = [{ on: 'd1', do: 'hang' }, { on: 'd1', do: 'fail', times: 1_000_000 }];
  await deployed.control('fault', { faults: { rules } });
  assert.equal((await ask('/lost')).text, 'origin /lost');
  assert.equal((await ask('/lost', { method: 'POST', body: 'x' })).status, 200);
  assert.ok((await deployed.control('hit', { least: 2 })) >= 2);
  assert.equal((await deployed.get(`${BASE}/api/v1/logs`)).status, 503);
  await deployed.control('fault', { faults: {} });
  await follow();
  assert.equal((await ask('/found')).text, 'origin /found');
  await captured('/found');
});

test('an origin that is down is a 502, and a failure that is kept', async () => {
  origin.closeAllConnections();
  origin.close();
  await once(origin, 'close');
  const { status, text } = await ask('/down');
  assert.deepEqual([status, text], [502, 'The upstream did not answer.\n']);
  const record = await captured('/down');
  assert.deepEqual([record.status, record.error_code, record.level], [502, 'upstream_unreachable', 'error']);
  assert.ok(record.message.length > 0);
  assert.equal((await deployed.get(`${BASE}/healthz`)).status, 200);
});

test('all of that is there, each exchange once, and nothing else', async () => {
  const all = (await deployed.get(`${BASE}/api/v1/export?format=ndjson&q=`)).expect(200).lines;
  const traced = all.filter(({ path }) => path.startsWith('/traced/'));
  const of = (half) => traced.filter(({ path }) => path.startsWith(`/traced/${half}/`)).map(({ trace_id }) => trace_id).sort();
  const [first, second] = [of('first'), of('second')];
  assert.deepEqual(first, second);
  assert.ok(first.length > 2 && first.length < 22, `${first.length} of 24 traces`);
  const others = all.filter((record) => !traced.includes(record)).map(({ path }) => path);
  assert.deepEqual(others.sort(), kept.sort());
  assert.ok(all.every(({ project, service, source }) => project === 'shop' && service === 'front' && source === 'edge'));
});
