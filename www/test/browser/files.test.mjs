// Real exports and a large HAR, dropped on the page: what is shown, counted and exported is what the native program reads.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { drop, host, launch, missing, open } from './harness.mjs';
import { comparable, isBuilt, query } from './native.mjs';
import { exported, found, openFiles, rows, search } from './window.mjs';

const data = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));
const real = ['har', 'access', 'json', 'json-malformed', 'har-malformed'].flatMap((folder) => {
  try {
    return readdirSync(join(data, folder)).map((name) => join(data, folder, name));
  } catch {
    return [];
  }
});
// of these nothing can be read, or not by this version; what is said then is asserted below
const UNREAD = ['harviewer__not-json.har', 'mitmproxy__brokenfile.har', 'lnav__logfile_haproxy.0', 'lnav__logfile_invalid_utf8.0'];

const skip = missing || (!isBuilt && 'target/debug/reqlog is not built');
let [site, browser] = [];
before(async () => {
  if (!skip) [site, browser] = await Promise.all([host(), launch()]);
});
after(async () => {
  await browser?.close();
  await site?.close();
});

// a download is collected in the page: the system's dialog cannot be driven
async function page(options) {
  const opened = await open(browser, 'about:blank', options);
  await opened.page.addInitScript(() => delete globalThis.showSaveFilePicker);
  await opened.page.goto(`${site.url}/open.html`);
  return opened;
}

for (const path of real.filter((path) => !UNREAD.includes(basename(path)))) {
  test(`${basename(path)}: rows, filters and exports are those of the native program`, { skip }, async () => {
    const native = comparable(query(path), path);
    assert.ok(native.length > 0, 'the native program reads it');
    const { page: shown, context, faults } = await page();
    await openFiles(shown, [path]);
    assert.equal(await found(shown), native.length);
    assert.deepEqual(comparable((await exported(shown, 'NDJSON')).toString(), path), native);
    for (const filter of ['status>=400', 'method:GET -path:*.js', 'is:error', 'req.header.accept:* duration:>5']) {
      const matching = comparable(query(path, filter), path);
      await search(shown, filter);
      assert.equal(await found(shown), matching.length, filter);
      if (matching.length > 0) assert.deepEqual(comparable((await exported(shown, 'NDJSON')).toString(), path), matching, filter);
    }
    assert.deepEqual(faults, []);
    await context.close();
  });
}

test('the real exports are there', { skip: skip || (real.length === 0 && '../shared/data is absent') }, () => {
  assert.ok(real.length >= 25, `${real.length} files`);
});

for (const name of UNREAD) {
  const path = real.find((path) => basename(path) === name);
  test(`${name}: what cannot be read says why`, { skip: skip || (!path && '../shared/data is absent') }, async () => {
    const { page: shown, context } = await page();
    await shown.getByRole('main').waitFor();
    await drop(shown, [path]);
    await shown.getByText(/not recognised|not a HAR|is not|cannot be read|ends inside|ends before/i).first().waitFor({ timeout: 20_000 });
    await context.close();
  });
}

test('a HAR of 50 000 entries: rows, counts, filters, facets, bodies, exports', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'reqlog-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'large.har');
  const [count, start] = [50_000, Date.UTC(2026, 5, 1)];
  const entry = (at) => ({
    startedDateTime: new Date(start + at * 250).toISOString(),
    time: (at % 997) + 0.5,
    request: {
      method: at % 5 ? 'GET' : 'POST', url: `https://api.example.test/v1/items/${at % 100}?n=${at}`, httpVersion: 'HTTP/1.1', cookies: [], queryString: [],
      headers: [{ name: 'Accept', value: 'application/json' }], headersSize: -1, bodySize: -1,
      ...(at % 5 ? {} : { postData: { mimeType: 'application/json', text: JSON.stringify({ at, password: `secret-of-${at}-xxxxxxxx` }) } }),
    },
    response: {
      status: at % 50 ? 200 : 503, statusText: '', httpVersion: 'HTTP/1.1', cookies: [], headers: [{ name: 'Content-Type', value: 'application/json' }],
      content: { size: 0, mimeType: 'application/json', text: JSON.stringify({ entry: at, text: at === 31_234 ? 'needle' : 'hay' }) }, redirectURL: '', headersSize: -1, bodySize: -1,
    },
    cache: {}, timings: { send: 1, wait: at % 997, receive: 0 },
  });
  const entries = Array.from({ length: count }, (_, at) => JSON.stringify(entry(at)));
  writeFileSync(path, `{"log":{"version":"1.2","creator":{"name":"test","version":"1"},"entries":[${entries.join(',\n')}]}}`);

  const { page: shown, context, faults } = await page();
  await openFiles(shown, [path]);
  assert.equal(await found(shown), count);
  const [newest] = await rows(shown);
  assert.match(JSON.stringify(newest), /v1\/items\/99/);

  await search(shown, 'status:5xx method:POST');
  assert.equal(await found(shown), 1000);
  await search(shown, 'res.body:needle');
  assert.equal(await found(shown), 1);
  await shown.getByRole('grid').press('Enter');
  await shown.getByRole('tab', { name: 'Response' }).click();
  const pane = shown.getByRole('complementary', { name: 'Record' });
  await pane.getByText('needle').first().waitFor();
  await pane.getByText('31234').first().waitFor();
  await shown.keyboard.press('Escape');

  await search(shown, '');
  const facets = shown.getByRole('navigation', { name: 'Facets' });
  await facets.getByTitle('POST · 10,000').waitFor();
  await search(shown, 'status:503');
  const lines = (await exported(shown, 'NDJSON')).toString().trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(lines.length, 1000);
  const posted = lines.find(({ method }) => method === 'POST');
  assert.match(JSON.stringify(posted.request.body), /\[redacted:[0-9a-f]{8}\]/);
  assert.doesNotMatch(JSON.stringify(lines), /secret-of-/);
  const har = JSON.parse((await exported(shown, 'HAR')).toString());
  assert.equal(har.log.entries.length, 1000);
  assert.equal((await exported(shown, 'CSV')).toString().trim().split('\n').length, 1001);
  assert.deepEqual(faults, []);
  await context.close();
});
