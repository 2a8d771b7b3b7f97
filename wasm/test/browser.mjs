// A real browser, and an origin whose pages run the package.

import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
  '.wasm': 'application/wasm',
};

const BLANK = '<!doctype html><meta charset=utf-8><title>test</title>';

/** Chromium of the system, or the one that PLAYWRIGHT_CHROMIUM names. */
export function launch(options = {}) {
  const executablePath = process.env.PLAYWRIGHT_CHROMIUM ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) throw new Error(`there is no ${executablePath}: set PLAYWRIGHT_CHROMIUM`);
  return chromium.launch({ executablePath, ...options });
}

/**
 * Serves `directories`, the first that has a file, on a free port; `/` is an empty page unless one of them has an index.html.
 * Answers {url, close}.
 */
export async function serve(...directories) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const path = normalize(decodeURIComponent(pathname)).replace(/\/$/, '/index.html');
    for (const directory of directories) {
      try {
        const content = await readFile(join(directory, path));
        response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(content);
        return;
      } catch {
        // the next one may have it
      }
    }
    const isPage = path === '/index.html';
    response.writeHead(isPage ? 200 : 404, { 'content-type': 'text/html' }).end(isPage ? BLANK : '');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}
