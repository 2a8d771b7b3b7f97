// Files to ingest: real ones where they are at hand, generated ones where not.

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of real files, beside the repository or beside the folder of its worktrees; null where there is none. */
export const folder =
  ['../../../shared/data/', '../../../../shared/data/']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path)) ?? null;

/** Numbers that look random and are the same each time (mulberry32). */
export class Random {
  #state;

  constructor(seed) {
    this.#state = seed;
  }

  below(end) {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  pick(list) {
    return list[this.below(list.length)];
  }
}

/** Lines of an access log, 10 000 of them, some more than once. */
export function accessLog() {
  const text = folder ? readFileSync(`${folder}access/examples__apache_logs`, 'utf8') : generatedLog();
  return text.trimEnd().split('\n');
}

/** HAR files: name, text and how many entries it has. */
export function archives() {
  const real = ['har/harviewer__har-viewer-1.1.har', 'har/mitmproxy__firefox.har'];
  const files = folder
    ? real.map((name) => ({ name, text: readFileSync(folder + name, 'utf8') }))
    : [{ name: 'generated.har', text: generatedArchive() }];
  return files.map((file) => ({ ...file, entries: JSON.parse(file.text).log.entries }));
}

/** What a line of the log says, as far as every reader must agree: client, method, path, status. */
export function essence(line) {
  const [head, request, rest] = line.split('"');
  const [method, target] = request.split(' ');
  return [head.split(' ')[0], method, target.split(/[?#]/)[0], Number(rest.trim().split(' ')[0])];
}

// in the combined format, within four days, 17 lines of it twice
function generatedLog() {
  const random = new Random(17);
  const lines = [];
  const two = (number) => String(number).padStart(2, '0');
  for (let n = 0; n < 10_000; n += 1) {
    if (n % 588 === 587 && n < 9_996) {
      lines.push(lines[random.below(n)]);
      continue;
    }
    const time = `${17 + Math.floor(n / 2500)}/May/2015:${two(Math.floor(((n % 2500) * 24) / 2500))}:05:${two(random.below(60))}`;
    const target = `/page/${random.below(300)}?n=${n}`;
    const status = random.pick([200, 200, 200, 200, 206, 301, 304, 404, 404, 403, 500]);
    const size = random.below(12) === 0 ? '-' : random.below(90_000);
    const method = random.pick(['GET', 'GET', 'GET', 'POST', 'HEAD']);
    lines.push(`192.0.2.${random.below(250)} - - [${time} +0000] "${method} ${target} HTTP/1.1" ${status} ${size} "-" "agent/${random.below(40)}"`);
  }
  return lines.join('\n');
}

// a page with what it loads: times with fractions, bodies of some KB
function generatedArchive() {
  const random = new Random(23);
  const entry = (_, n) => ({
    startedDateTime: new Date(Date.parse('2016-02-03T04:05:06.007Z') + 31 * n).toISOString(),
    time: random.below(4_000) / 8,
    request: { method: 'GET', url: `https://shop.example.test/asset/${n}`, httpVersion: 'HTTP/1.1', headers: [] },
    response: {
      status: random.pick([200, 200, 304, 404]),
      httpVersion: 'HTTP/1.1',
      headers: [{ name: 'content-type', value: 'text/plain' }],
      content: { mimeType: 'text/plain', text: `${random.below(1e9)} `.repeat(random.below(900)) },
    },
  });
  return JSON.stringify({ log: { version: '1.2', entries: Array.from({ length: 69 }, entry) } });
}
