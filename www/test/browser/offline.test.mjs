// An opened file stays here: nothing is asked of anyone, and the page works without a network after the first visit.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { host, launch, missing, open } from './harness.mjs';
import { exported, found, openFiles, search } from './window.mjs';

const skip = missing;
let [site, browser, folder] = [];
before(async () => {
  if (skip) return;
  [site, browser] = await Promise.all([host(), launch()]);
  folder = mkdtempSync(join(tmpdir(), 'reqlog-'));
});
after(async () => {
  await browser?.close();
  await site?.close();
  if (folder) rmSync(folder, { recursive: true });
});

function log(name, lines) {
  const path = join(folder, name);
  const line = (at) => JSON.stringify({
    time: new Date(Date.UTC(2026, 5, 1) + at * 1000).toISOString(), method: 'GET', url: `https://shop.example.test/orders/${at}?token=secret-${at}-of-a-customer`, status: at % 10 ? 200 : 500,
    duration_ms: at, request: { headers: [['authorization', `Bearer secret-${at}-of-a-customer`]] }, response: { body: { size: 9, text: `body ${at}`, content_type: 'text/plain' } },
  });
  writeFileSync(path, Array.from({ length: lines }, (_, at) => line(at)).join('\n'));
  return path;
}

const controlled = (page) => page.waitForFunction(() => navigator.serviceWorker.controller !== null, null, { timeout: 20_000 });

test('opening, filtering, looking and exporting ask nobody anything', { skip }, async () => {
  const { page, context, requests, faults } = await open(browser, `${site.url}/open.html`);
  await page.addInitScript(() => delete globalThis.showSaveFilePicker);
  await page.reload();
  await page.getByRole('main').waitFor();
  await controlled(page);
  await page.waitForLoadState('networkidle');
  const ours = requests.splice(0);
  assert.ok(ours.every((url) => url.startsWith(site.url)), ours.join('\n'));
  // what the first opening loads is the build's and was precached; a server would see none of it
  await context.setOffline(true);
  await openFiles(page, [log('a.ndjson', 500)]);
  await search(page, 'status:5xx');
  assert.equal(await found(page), 50);
  await page.getByRole('grid').press('Enter');
  await page.getByRole('complementary', { name: 'Record' }).getByText('500', { exact: false }).first().waitFor();
  const text = (await exported(page, 'NDJSON')).toString();
  assert.doesNotMatch(text, /secret-\d+-of-a-customer/);
  const strange = requests.filter((url) => !url.startsWith(`${site.url}/`) && !url.startsWith('blob:'));
  assert.deepEqual(strange, []);
  const carried = requests.filter((url) => /orders|customer|5xx|a\.ndjson/.test(url));
  assert.deepEqual(carried, []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('nothing that is in an opened file can make the page ask for anything', { skip }, async () => {
  const { page, context, requests } = await open(browser, `${site.url}/open.html`);
  await controlled(page);
  await page.waitForLoadState('networkidle');
  requests.splice(0);
  const refused = await page.evaluate(async (origin) => {
    const tries = {
      fetch: () => fetch('https://elsewhere.example.test/'),
      beacon: async () => {
        const refused = new Promise((refused) => addEventListener('securitypolicyviolation', refused, { once: true }));
        navigator.sendBeacon('https://elsewhere.example.test/', 'x');
        await Promise.race([refused, new Promise((_, late) => setTimeout(late, 3000, new Error()))]);
        throw new Error('refused');
      },
      image: () => new Promise((loaded, refused) => Object.assign(new Image(), { onload: loaded, onerror: refused, src: 'https://elsewhere.example.test/x.png' })),
      script: () => new Promise((loaded, refused) => document.head.append(Object.assign(document.createElement('script'), { onload: loaded, onerror: refused, src: 'https://elsewhere.example.test/x.js' }))),
      inline: async () => {
        document.head.append(Object.assign(document.createElement('script'), { textContent: 'globalThis.ran = true' }));
        if (!globalThis.ran) throw new Error('refused');
      },
      eval: async () => (0, eval)('1'),
      own: async () => {
        const response = await fetch(`${origin}/api/v1/ingest?leak=1`);
        if (!response.ok) throw new Error(`refused: ${response.status}`);
      },
    };
    const came = {};
    for (const [name, run] of Object.entries(tries)) came[name] = await run().then(() => 'went through', () => 'refused');
    return came;
  }, site.url);
  assert.deepEqual(new Set(Object.values(refused)), new Set(['refused']), JSON.stringify(refused));
  const left = requests.filter((url) => !url.startsWith('blob:') && !url.includes('/api/v1/ingest'));
  assert.deepEqual(left.filter((url) => !url.includes('elsewhere')), []);
  await context.close();
});

test('both documents work without a network after the first visit', { skip }, async () => {
  const { page, context, faults } = await open(browser, `${site.url}/open.html`);
  await controlled(page);
  await context.setOffline(true);
  await page.reload();
  await openFiles(page, [log('b.ndjson', 200)]);
  assert.equal(await found(page), 200);
  assert.deepEqual(faults, []);
  await page.goto(`${site.url}/`);
  await page.getByRole('main').waitFor();
  await page.getByText(/open/i).first().waitFor();
  await context.close();
});
