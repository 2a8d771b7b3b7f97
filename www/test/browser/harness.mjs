// Real Chromium over the built UI: a static host, pages that note what they ask for, files dropped as a user drops them,
// pictures compared with those that were looked at.
import { createServer } from 'node:http';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pixelmatch from 'pixelmatch';
import { chromium } from 'playwright-core';
import { PNG } from 'pngjs';

const built = fileURLToPath(new URL('../../../target/www/', import.meta.url));
const baselines = fileURLToPath(new URL('baselines/', import.meta.url));
const failures = fileURLToPath(new URL('../../../target/www-pictures/', import.meta.url));

/** Where a system Chromium is; Playwright's own downloads are not needed. */
export const executable = [process.env.PLAYWRIGHT_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => path && existsSync(path));

/** Why these tests cannot run here, or false. REQLOG_BROWSER=required makes that a failure. */
export const missing = (() => {
  const reason = !executable ? 'there is no Chromium' : !existsSync(join(built, 'assets.json')) ? 'the UI is not built: make ui' : false;
  if (reason && process.env.REQLOG_BROWSER === 'required') throw new Error(reason);
  return reason;
})();

/** A static host as any other: the files of the build with the header fields that the build names. */
export async function host() {
  const { files } = JSON.parse(readFileSync(join(built, 'assets.json'), 'utf8'));
  const server = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url, 'http://localhost');
    const known = files[pathname];
    if (!known) return answer.writeHead(404).end();
    const headers = { 'content-type': known.type, etag: known.etag, ...known.headers };
    answer.writeHead(200, headers).end(readFileSync(join(built, known.file)));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => new Promise((closed) => (server.closeAllConnections(), server.close(closed))),
  };
}

export const launch = () =>
  chromium.launch({
    executablePath: executable,
    args: ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--font-render-hinting=none'],
  });

/** A page of a context of its own. It notes every request, and everything that went wrong in it. */
export async function open(browser, url, { scheme = 'light', width = 1440, height = 900, ...more } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce', timezoneId: 'UTC', locale: 'en-GB', acceptDownloads: true, ...more,
  });
  const page = await context.newPage();
  const [requests, faults] = [[], []];
  context.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.goto(url);
  return { context, page, requests, faults };
}

/** Drags files of this machine over the page and drops them there, by the browser's own input events. */
export async function drop(page, paths, { x = 400, y = 400 } = {}) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x, y, data });
  await session.detach();
}

/** Violations of WCAG that axe-core finds, one a line. */
export async function violations(page) {
  const source = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`));
}

/**
 * What share of a picture's pixels differs from the one that was looked at. Fonts are drawn a little differently from
 * machine to machine, layouts are not: callers allow some percent. UPDATE_BASELINES=1 takes the picture as the new one.
 */
export async function difference(page, name) {
  const taken = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  const file = join(baselines, `${name}.png`);
  if (process.env.UPDATE_BASELINES) writeFileSync(file, taken);
  const [now, then] = [PNG.sync.read(taken), PNG.sync.read(readFileSync(file))];
  if (now.width !== then.width || now.height !== then.height) return 1;
  const shown = new PNG({ width: now.width, height: now.height });
  const differing = pixelmatch(now.data, then.data, shown.data, now.width, now.height, { threshold: 0.25 });
  const share = differing / (now.width * now.height);
  mkdirSync(failures, { recursive: true });
  writeFileSync(join(failures, `${name}.png`), taken);
  writeFileSync(join(failures, `${name}.difference.png`), PNG.sync.write(shown));
  return share;
}
