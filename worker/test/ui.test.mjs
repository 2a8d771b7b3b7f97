// The web UI at the edge: the platform has the files, the Worker says which of them is asked for.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { describe, table } from '../../www/assets.mjs';
import { settings, stub } from './built.mjs';
import { Deployed } from './deployed.mjs';

const NOBODY = { 'x-api-key': '' };
const file = (name) => readFileSync(join(stub, name));

async function deploy(t, what) {
  const deployed = await Deployed.start(what);
  t.after(() => deployed.stop());
  return deployed;
}

function copy(t) {
  const directory = mkdtempSync(join(tmpdir(), 'reqlog-ui-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync(stub, directory, { recursive: true });
  return directory;
}

test('every file is served with the fields of its table, and no other path is', async (t) => {
  const deployed = await deploy(t, { ui: stub });
  for (const [path, { file: name, type, headers }] of Object.entries(table(stub).files)) {
    const answer = (await deployed.send('GET', path, { headers: NOBODY })).expect(200);
    assert.deepEqual(answer.bytes, file(name), path);
    for (const [field, value] of Object.entries({ 'content-type': type, ...headers })) assert.equal(answer.headers[field], value, `${field} of ${path}`);
    const { etag } = answer.headers;
    const again = await deployed.send('GET', path, { headers: { ...NOBODY, 'if-none-match': etag } });
    assert.deepEqual([again.status, again.bytes.length], [304, 0], path);
    const head = (await deployed.send('HEAD', path, { headers: NOBODY })).expect(200);
    assert.deepEqual([head.bytes.length, head.headers.etag], [0, etag], path);
  }
  for (const path of ['/assets.json', '/_headers', '/.assetsignore', '/open', '/assets', '/assets/', '/nothing.js']) {
    const { status, headers } = await deployed.send('GET', path, { headers: NOBODY });
    assert.deepEqual([status, headers['content-type']], [404, 'application/problem+json'], path);
  }
});

test('the API is where it was', async (t) => {
  const deployed = await deploy(t, { ui: stub, vars: { REQLOG_COMMIT_WINDOW: '0ms' } });
  const record = '{"time":"2026-06-23T12:00:00Z","kind":"event","message":"here"}\n';
  (await deployed.send('POST', '/api/v1/ingest', { body: record })).expect(200);
  assert.equal((await deployed.send('GET', '/api/v1/logs')).expect(200).json.items[0].message, 'here');
  assert.equal((await deployed.send('GET', '/api/v1/logs', { headers: NOBODY })).status, 401);
  const index = await deployed.send('GET', '/', { headers: { accept: 'application/json' } });
  assert.equal(index.expect(200).json.api, '/api/v1');
});

test('below a base path it is there and nowhere else', async (t) => {
  const deployed = await deploy(t, { ui: stub, vars: { REQLOG_BASE_PATH: '/logs' } });
  const get = (path) => deployed.send('GET', path, { headers: NOBODY });
  assert.deepEqual((await get('/logs/')).expect(200).bytes, file('index.html'));
  assert.deepEqual((await get('/logs/sw.js')).expect(200).bytes, file('sw.js'));
  // what the document refers to is relative to it
  assert.equal((await get('/logs')).expect(308).headers.location, '/logs/');
  for (const path of ['/', '/sw.js', '/index.html', '/logsx/sw.js']) assert.equal((await get(path)).status, 404, path);
});

test('before an origin it takes no path from it', async (t) => {
  const origin = http.createServer((request, response) => response.end(`origin ${request.url}`));
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => (origin.closeAllConnections(), origin.close()));
  const vars = { UPSTREAM: `http://127.0.0.1:${origin.address().port}`, REQLOG_BASE_PATH: '/_reqlog', REQLOG_COMMIT_WINDOW: '0ms' };
  const deployed = await deploy(t, { ui: stub, vars });
  for (const path of ['/', '/index.html', '/sw.js', '/assets/app-5FQ2XK7C.js', '/open.html']) {
    assert.equal((await deployed.send('GET', path, { headers: NOBODY })).expect(200).text, `origin ${path}`);
  }
  assert.deepEqual((await deployed.send('GET', '/_reqlog/', { headers: NOBODY })).expect(200).bytes, file('index.html'));
  assert.deepEqual((await deployed.send('GET', '/_reqlog/sw.js', { headers: NOBODY })).expect(200).bytes, file('sw.js'));
});

test('a deployment without it says how to build it', async (t) => {
  const deployed = await deploy(t, {});
  const { headers, text } = (await deployed.send('GET', '/', { headers: NOBODY })).expect(200);
  assert.equal(headers['content-type'], 'text/html; charset=utf-8');
  assert.match(text, /make ui/);
  assert.equal((await deployed.send('GET', '/sw.js', { headers: NOBODY })).status, 404);
});

test('without a catalog it is served all the same', async (t) => {
  const deployed = await deploy(t, { ui: stub });
  await deployed.sql('DROP TABLE store');
  assert.deepEqual((await deployed.send('GET', '/', { headers: NOBODY })).expect(200).bytes, file('index.html'));
});

test('what is deployed is what the build describes', (t) => {
  assert.equal(settings.assets.directory, '../target/www');
  const directory = copy(t);
  for (const name of ['assets.json', '_headers', '.assetsignore']) rmSync(join(directory, name));
  assert.equal(describe(directory), 7);
  for (const name of ['assets.json', '_headers', '.assetsignore']) assert.equal(readFileSync(join(directory, name), 'utf8'), file(name).toString(), name);
  assert.equal(describe(directory), 7, 'what it has written is none of the files');
});

test('a build that cannot be served strictly is refused', (t) => {
  const refused = (name, text, told) => {
    const directory = copy(t);
    writeFileSync(join(directory, name), text);
    assert.throws(() => describe(directory), told, name);
    assert.equal(readFileSync(join(directory, 'assets.json'), 'utf8'), file('assets.json').toString());
  };
  const meta = (policy) => `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
  refused('index.html', '<script>1</script>', /inline/);
  refused('index.html', '<p style="color:red">', /inline/);
  refused('index.html', '<p onclick="x()">', /inline/);
  refused('index.html', '<script src="/assets/app-5FQ2XK7C.js"></script>', /base path/);
  refused('index.html', '<script src="assets/none.js"></script>', /none\.js, which is not there/);
  refused('open.html', meta("default-src 'self'; base-uri 'none'; form-action 'none'"), /default-src 'none'/);
  refused('open.html', meta("default-src 'none'; base-uri 'none'"), /form-action 'none'/);
  refused('open.html', meta("default-src 'none'; base-uri 'none'; form-action 'none'; script-src 'self' 'unsafe-inline'"), /'unsafe-inline'/);
  refused('open.html', meta("default-src 'none'; base-uri 'none'; form-action 'none'; connect-src https://elsewhere.test"), /https:/);
  refused('healthz', 'x', /no known type|path of the UI/);
  refused('a b.js', 'x', /path of the UI/);
  refused('notes.md', 'x', /no known type/);
});
