// The main views: what axe-core says of them, and how they look in both themes, beside pictures that were looked at.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { difference, host, launch, missing, open, violations } from './harness.mjs';
import { openFiles, search, settled } from './window.mjs';

// fonts are drawn a little differently from machine to machine, and text is most of what there is
const TOLERATED = 0.04;

// how long ago the demo's records were is told too
const NOW = new Date('2026-11-21T12:00:00Z');

const skip = missing;
let [site, browser] = [];
const folder = mkdtempSync(join(tmpdir(), 'reqlog-views-'));
after(() => rmSync(folder, { recursive: true }));

function withSecrets() {
  const path = join(folder, 'checkout.ndjson');
  const line = (second) => JSON.stringify({ time: `2026-06-23T09:00:0${second}Z`, method: 'POST', host: 'api.shop.test', path: '/v1/login', query: 'token=Q-secret-Q-secret', status: 200, duration_ms: 12 });
  writeFileSync(path, `${line(1)}\n${line(2)}\n`);
  return path;
}

before(async () => {
  if (!skip) [site, browser] = await Promise.all([host(), launch()]);
});
after(async () => {
  await browser?.close();
  await site?.close();
});

async function demo(page) {
  await page.goto(`${site.url}/open.html#demo`);
  await page.getByRole('grid').waitFor({ timeout: 30_000 });
  await settled(page);
}

const record = async (page, query, tab) => {
  await demo(page);
  await search(page, query);
  await page.getByRole('grid').press('Enter');
  const pane = page.getByRole('complementary', { name: 'Record' });
  await pane.getByRole('tab').first().waitFor();
  if (tab) await pane.getByRole('tab', { name: tab }).click();
  await page.waitForFunction(() => !document.querySelector('.app-pane [aria-busy=true]'));
};

/** Each view, and how a user comes to it. */
const VIEWS = {
  start: async (page) => page.goto(`${site.url}/open.html`).then(() => page.getByRole('main').getByRole('button').first().waitFor()),
  table: demo,
  endpoints: async (page) => {
    await demo(page);
    await page.getByRole('button', { name: 'Endpoints' }).or(page.getByRole('tab', { name: 'Endpoints' })).or(page.getByRole('radio', { name: 'Endpoints' })).first().click();
    await page.waitForFunction(() => document.querySelector('section[aria-label=Endpoints]')?.getAttribute('aria-busy') === 'false');
  },
  record: (page) => record(page, 'status:5xx'),
  body: (page) => record(page, 'method:POST', 'Response'),
  palette: async (page) => {
    await demo(page);
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').waitFor();
  },
  help: async (page) => {
    await demo(page);
    await page.locator('body').press('?');
    await page.getByRole('dialog').waitFor();
  },
  export: async (page) => {
    await demo(page);
    await page.getByRole('button', { name: /^Export/ }).click();
    await page.getByRole('dialog').getByText(/records?/).first().waitFor();
  },
  secrets: async (page) => {
    await page.goto(`${site.url}/open.html`);
    await openFiles(page, [withSecrets()]);
    await page.getByRole('button', { name: /^Export/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Export' });
    await dialog.getByRole('checkbox', { name: /^Include secrets/ }).check();
    await dialog.getByText('2 records').waitFor();
  },
  wrong: async (page) => {
    await demo(page);
    await page.getByRole('combobox', { name: /query|search/i }).fill('status:abc');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('is no number').waitFor();
  },
  nothing: async (page) => {
    await demo(page);
    await search(page, 'path:/nothing/is/here');
  },
};

for (const scheme of ['light', 'dark']) {
  for (const [name, show] of Object.entries(VIEWS)) {
    test(`${name}, ${scheme}`, { skip }, async () => {
      const { page, context, faults } = await open(browser, 'about:blank', { scheme });
      await page.clock.setFixedTime(NOW);
      await show(page);
      assert.deepEqual(await violations(page), []);
      // the pointer marks what it is over
      await page.mouse.move(0, 0);
      const share = await difference(page, `${name}-${scheme}`);
      assert.ok(share <= TOLERATED, `${(100 * share).toFixed(1)} % of the pixels differ: look at target/www-pictures/${name}-${scheme}.png`);
      assert.deepEqual(faults.filter((fault) => !/status of 400/.test(fault)), []);
      await context.close();
    });
  }
}

test('a phone shows the table, the record and the facets', { skip }, async () => {
  const { page, context, faults } = await open(browser, 'about:blank', { width: 390, height: 844, hasTouch: true, isMobile: true });
  await demo(page);
  assert.deepEqual(await violations(page), []);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} px wider than the screen`);
  assert.ok((await difference(page, 'phone-light')) <= TOLERATED);
  await page.getByRole('grid').locator('[role=row][aria-rowindex="2"]').tap();
  await page.getByRole('complementary', { name: 'Record' }).getByRole('tab').first().waitFor();
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

for (const width of [1024, 1280]) {
  test(`beside facets and a record, ${width} px show all usual columns of a narrow table`, { skip }, async () => {
    const { page, context } = await open(browser, 'about:blank', { width, height: 768 });
    await demo(page);
    await page.getByRole('grid').locator('[role=row][aria-rowindex="2"]').click();
    await page.getByRole('complementary', { name: 'Record' }).getByRole('tab').first().waitFor();
    const names = await page.getByRole('grid').getByRole('columnheader').allInnerTexts();
    assert.deepEqual(names.map((name) => name.split('\n')[0]).filter((name) => name), ['Time', 'Method', 'Status', 'Host and path', 'Duration']);
    const over = await page.getByRole('grid').evaluate((grid) => {
      const pane = document.querySelector('.app-pane').getBoundingClientRect().left;
      return Math.max(...[...grid.querySelectorAll('[role=gridcell]')].map((cell) => cell.getBoundingClientRect().right)) - pane;
    });
    assert.ok(over <= 0, `cells go on ${over} px under the record`);
    await context.close();
  });
}
