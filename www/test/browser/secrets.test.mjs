// Exports with the secrets of opened files: only when it is asked for, only of files, and of exactly the records that were found.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { drop, host, launch, missing, open, violations } from './harness.mjs';
import { exported, found, openFiles, search, settled } from './window.mjs';

const skip = missing;
const SECRET = 'Q-secret-Q-secret';
const folder = mkdtempSync(join(tmpdir(), 'reqlog-secrets-'));
let [site, browser] = [];
before(async () => {
  if (!skip) [site, browser] = await Promise.all([host(), launch()]);
});
after(async () => {
  await browser?.close();
  await site?.close();
  rmSync(folder, { recursive: true });
});

const record = (at) => ({
  time: new Date(Date.UTC(2026, 5, 23) + at * 1000).toISOString(), method: at % 2 ? 'GET' : 'POST', host: 'api.shop.test', path: `/v1/items/${at}`, status: at % 5 ? 200 : 503,
  duration_ms: 3, query: `page=${at}&api_key=${SECRET}-${at}`,
  request: { headers: [['cookie', `session=${SECRET}-${at}`]], body: { size: 60, content_type: 'application/json', text: JSON.stringify({ at, password: `${SECRET}-${at}` }) } },
});
const put = (name, count) => {
  const path = join(folder, name);
  writeFileSync(path, Array.from({ length: count }, (_, at) => `${JSON.stringify(record(at))}\n`).join(''));
  return path;
};

async function page(options) {
  const opened = await open(browser, 'about:blank', options);
  // a download is collected in the page: the system's dialog cannot be driven
  await opened.page.addInitScript(() => delete globalThis.showSaveFilePicker);
  await opened.page.goto(`${site.url}/open.html`);
  return opened;
}

/** A CSV file's rows by its header; cells may be quoted. */
function table(text) {
  const rows = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end !== ',') rows.push([]);
  }
  const [names, ...cells] = rows.filter((row) => row.length > 1);
  return cells.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at]])));
}

const engines = (page) => page.workers().filter((worker) => worker.url().endsWith('engine.worker.js')).length;

test('NDJSON, CSV and HAR of what is found, without secrets and with them', { skip }, async () => {
  const { page: shown, context, requests, faults } = await page();
  await openFiles(shown, [put('first.ndjson', 100)]);
  await search(shown, 'status:5xx method:POST');
  assert.equal(await found(shown), 10);
  const expected = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90];
  const asked = requests.length;

  const lines = async (secrets) => (await exported(shown, 'NDJSON', secrets)).toString().trim().split('\n').map((line) => JSON.parse(line));
  const [replaced, included] = [await lines('replaced'), await lines('included')];
  assert.doesNotMatch(JSON.stringify(replaced), new RegExp(SECRET));
  assert.deepEqual(included.map(({ path }) => path), expected.map((at) => `/v1/items/${at}`));
  assert.deepEqual(included.map(({ id }) => id), replaced.map(({ id }) => id));
  for (const [row, at] of expected.entries()) {
    const { query, request, redacted } = included[row];
    assert.equal(query, `page=${at}&api_key=${SECRET}-${at}`);
    assert.deepEqual(request.headers, [['cookie', `session=${SECRET}-${at}`]]);
    assert.match(JSON.stringify(request.body), new RegExp(`"?password\\\\?":\\\\?"${SECRET}-${at}`));
    assert.equal(redacted, undefined);
    assert.equal(replaced[row].redacted, true);
    assert.match(replaced[row].query, /^page=\d+&api_key=\[redacted:[0-9a-f]{8}\]$/);
  }

  const rows = async (secrets) => table((await exported(shown, 'CSV', secrets)).toString());
  const queries = (of) => of.map(({ query }) => query);
  assert.deepEqual(queries(await rows('included')), expected.map((at) => `page=${at}&api_key=${SECRET}-${at}`));
  assert.deepEqual(queries(await rows('replaced')), queries(replaced));

  const entries = async (secrets) => JSON.parse((await exported(shown, 'HAR', secrets)).toString()).log.entries;
  const urls = (of) => of.map(({ request }) => request.url);
  const har = await entries('included');
  assert.deepEqual(har.map(({ request }) => request.headers), expected.map((at) => [{ name: 'cookie', value: `session=${SECRET}-${at}` }]));
  assert.deepEqual(har.map(({ request }) => JSON.parse(request.postData.text)), expected.map((at) => ({ at, password: `${SECRET}-${at}` })));
  assert.ok(urls(har).every((url) => url.includes(SECRET)));
  assert.doesNotMatch(JSON.stringify(await entries('replaced')), new RegExp(SECRET));

  assert.equal(requests.slice(asked).filter((url) => !url.startsWith('blob:') && !/\/assets\/engine\//.test(url)).length, 0, 'nothing but the engine is loaded');
  assert.equal(engines(shown), 1, 'what was read again is given back');
  assert.deepEqual(faults, []);
  await context.close();
});

test('files that were added are read again in their order', { skip }, async () => {
  const { page: shown, context } = await page();
  await openFiles(shown, [put('one.ndjson', 20)]);
  await drop(shown, [put('two.ndjson', 30)]);
  await shown.getByRole('contentinfo').getByText(/50 records/).waitFor();
  await settled(shown);
  const ids = (bytes) => bytes.toString().trim().split('\n').map((line) => JSON.parse(line).id);
  const [replaced, included] = [await exported(shown, 'NDJSON'), await exported(shown, 'NDJSON', 'included')];
  assert.equal(new Set(ids(included)).size, 50);
  assert.deepEqual(ids(included), ids(replaced));
  await context.close();
});

test('a warning is shown, the choice is not kept, and a filter that names what is redacted is told of', { skip }, async () => {
  const { page: shown, context } = await page();
  await openFiles(shown, [put('warned.ndjson', 10)]);
  await search(shown, 'query:*redacted*');
  assert.equal(await found(shown), 10);
  await shown.getByRole('button', { name: /^Export/ }).click();
  const dialog = shown.getByRole('dialog', { name: 'Export' });
  const box = dialog.getByRole('checkbox', { name: /^Include secrets/ });
  assert.equal(await box.isChecked(), false);
  await box.check();
  await dialog.getByText(/can use the passwords, tokens and cookies in it/).waitFor();
  assert.deepEqual(await violations(shown), []);
  const [download] = await Promise.all([shown.waitForEvent('download'), dialog.getByRole('button', { name: 'Download' }).click()]);
  assert.equal(download.suggestedFilename(), 'warned-with-secrets.ndjson');
  await dialog.getByText(/With secrets the filter finds 0 records, with redacted ones 10/).waitFor();
  await shown.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await shown.getByRole('button', { name: /^Export/ }).click();
  assert.equal(await box.isChecked(), false);
  await context.close();
});

test('what is cancelled while the files are read again ends, and nothing is kept of it', { skip }, async () => {
  const { page: shown, context, faults } = await page();
  let downloads = 0;
  shown.on('download', () => (downloads += 1));
  await openFiles(shown, [put('long.ndjson', 100)]);
  // reading again takes until it is cancelled
  await shown.evaluate(() => {
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      if (message.op !== 'open') post.call(this, message, ...rest);
    };
  });
  await shown.getByRole('button', { name: /^Export/ }).click();
  const dialog = shown.getByRole('dialog', { name: 'Export' });
  await dialog.getByRole('checkbox', { name: /^Include secrets/ }).check();
  await dialog.getByRole('button', { name: 'Download' }).click();
  await dialog.getByText('Reading the files with their secrets').waitFor();
  assert.equal(engines(shown), 2);
  assert.deepEqual(await violations(shown), []);
  await dialog.getByRole('button', { name: 'Cancel the export' }).click();
  await dialog.getByRole('button', { name: 'Download' }).waitFor();
  // who was ended answers no more, and is gone when that is known
  for (const worker of shown.workers()) await worker.evaluate(() => 0).catch(() => {});
  assert.equal(engines(shown), 1);
  assert.equal(downloads, 0);
  await shown.keyboard.press('Escape');
  assert.equal(await found(shown), 100);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a file that is another one by now is not exported', { skip }, async () => {
  const { page: shown, context } = await page();
  const path = put('changing.ndjson', 10);
  await openFiles(shown, [path]);
  await shown.getByRole('button', { name: /^Export/ }).click();
  const dialog = shown.getByRole('dialog', { name: 'Export' });
  await dialog.getByRole('checkbox', { name: /^Include secrets/ }).check();
  put('changing.ndjson', 11);
  await dialog.getByRole('button', { name: 'Download' }).click();
  await dialog.getByRole('alert').getByText(/changing\.ndjson is not what it was/).waitFor();
  await context.close();
});

test('workers that cannot be fetched are told of instead of the file', { skip }, async () => {
  const { page: shown, context } = await page();
  await openFiles(shown, [put('steady.ndjson', 10)]);
  await shown.evaluate(() => {
    globalThis.Worker = class extends Worker {
      constructor(url, options) {
        super(String(url).replace('indexer.worker.js', 'gone.js'), options);
      }
    };
  });
  await shown.getByRole('button', { name: /^Export/ }).click();
  const dialog = shown.getByRole('dialog', { name: 'Export' });
  await dialog.getByRole('checkbox', { name: /^Include secrets/ }).check();
  await dialog.getByRole('button', { name: 'Download' }).click();
  await dialog.getByRole('alert').getByText(/the script of a worker could not be loaded/).waitFor();
  await shown.keyboard.press('Escape');
  assert.equal(await found(shown), 10);
  await context.close();
});

test('the demo has no secrets to include', { skip }, async () => {
  const { page: shown, context } = await page();
  await shown.goto('about:blank');
  await shown.goto(`${site.url}/open.html#demo`);
  await shown.getByRole('grid').waitFor({ timeout: 30_000 });
  await settled(shown);
  await shown.getByRole('button', { name: /^Export/ }).click();
  const dialog = shown.getByRole('dialog', { name: 'Export' });
  await dialog.getByRole('radio', { name: /^CSV/ }).waitFor();
  assert.equal(await dialog.getByRole('checkbox').count(), 0);
  await context.close();
});
