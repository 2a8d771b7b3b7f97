// The package as it is published, in the hands of those who use it: packed, installed into projects of their own, built by their tools.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch, serve } from './browser.mjs';

const BUILT = fileURLToPath(new URL('../../target/wasm/', import.meta.url));
const TOOLS = fileURLToPath(new URL('../node_modules/', import.meta.url));

// what every page does, whoever built it: what it shows is what it has read
const APP = `
import { EngineError, complete, init, open, parse } from '@reqlog/engine';

async function main() {
  await init();
  await init();
  const file = new File(['{"method":"GET","path":"/a","status":200}\\n{"method":"GET","path":"/b","status":503}\\n'], 'two.ndjson');
  const opened = await open([file]);
  const { records } = await opened.ready;
  const page = await (await opened.answer('/api/v1/logs?q=status:5xx&fields=path')).json();
  opened.close();
  const closed = await opened.answer('/').catch((error) => error instanceof EngineError && error.code);
  return { records, items: page.items, closed, canonical: parse('code:5xx').canonical, first: complete('sta', 3).items[0].text };
}
`;
const IN_PAGE = `${APP}
main().then((seen) => (document.title = JSON.stringify(seen)), (error) => (document.title = \`failed: \${error.code} \${error.message}\`));
`;
const SEEN = { records: 2, items: [{ path: '/b' }], closed: 'closed', canonical: 'status:5xx', first: 'status:' };

const work = mkdtempSync(join(tmpdir(), 'reqlog-packaging-'));
let tarball;
let browser;

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

/** A project that has installed the package, and nothing else from a registry. */
function project(name, files) {
  const directory = join(work, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], directory);
  for (const [path, content] of Object.entries(files)) writeFileSync(join(directory, path), content);
  return directory;
}

/** What the page at the root of these directories shows; every request must be to its own origin and be answered. */
async function shown(...directories) {
  const origin = await serve(...directories);
  const page = await browser.newPage();
  const failed = [];
  page.on('requestfailed', (request) => failed.push(request.url()));
  page.on('response', (response) => {
    const { pathname, origin: from } = new URL(response.url());
    if (pathname !== '/favicon.ico' && (!response.ok() || (from !== origin.url && !response.url().startsWith('blob:')))) failed.push(response.url());
  });
  try {
    await page.goto(origin.url);
    await page.waitForFunction(() => /^[{f]/.test(document.title), undefined, { timeout: 60_000 });
    const title = await page.title();
    assert.deepEqual(failed, [], title);
    assert.match(title, /^\{/);
    return JSON.parse(title);
  } finally {
    await page.close();
    await origin.close();
  }
}

before(async () => {
  const packed = join(work, 'packed');
  mkdirSync(packed);
  const [{ filename, files }] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', packed], BUILT));
  tarball = join(packed, filename);
  assert.deepEqual(files.map(({ path }) => path).sort(), readdirSync(BUILT).sort(), 'all of it is published, and nothing else');
  browser = await launch();
});

after(async () => {
  await browser.close();
  rmSync(work, { recursive: true, force: true });
});

test('Node', () => {
  const directory = project('node', { 'app.mjs': `${APP}\nconsole.log(JSON.stringify(await main()));\n` });
  assert.deepEqual(JSON.parse(run(process.execPath, ['app.mjs'], directory)), SEEN);
});

test('Node, with the bare module', () => {
  const directory = project('raw', {
    'app.mjs': `
import { readFileSync } from 'node:fs';
import initialise, { Input, Portion, Store } from '@reqlog/engine/raw';

await initialise({ module_or_path: readFileSync(new URL(import.meta.resolve('@reqlog/engine/reqlog_bg.wasm'))) });
const bytes = new TextEncoder().encode('{"path":"/a"}\\n{"path":"/b"}\\n');
const key = crypto.getRandomValues(new Uint8Array(32));
const store = new Store('{}', key, 1 << 20);
const input = Input.open(0, bytes, 'x.ndjson', undefined, Date.now(), key);
store.insert(0, input);
const portion = new Portion(input, 0, bytes.length, false);
for (let want = portion.want(); want; want = portion.want()) portion.push(bytes.subarray(want[0], want[1]));
store.adopt(0, portion.finish());
const now = BigInt(Date.now()) * 1_000_000n;
const answer = store.answer('GET', '/api/v1/stats', [], new Uint8Array(), now);
const [what, status, , body] = answer.step(store, now);
console.log(JSON.stringify([what, status, JSON.parse(new TextDecoder().decode(body)).total]));
`,
  });
  assert.deepEqual(JSON.parse(run(process.execPath, ['app.mjs'], directory)), ['whole', 200, 2]);
});

test('a plain page', async () => {
  const map = { imports: { '@reqlog/engine': '/node_modules/@reqlog/engine/index.js' } };
  const directory = project('plain', {
    'index.html': `<!doctype html><meta charset=utf-8><script type=importmap>${JSON.stringify(map)}</script><script type=module src=/app.js></script>`,
    'app.js': IN_PAGE,
  });
  assert.deepEqual(await shown(directory), SEEN);
});

test('a plain page under the strictest policy', async () => {
  const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'";
  const directory = project('strict', {
    'index.html': `<!doctype html><meta charset=utf-8><meta http-equiv=content-security-policy content="${policy}"><script type=module src=/app.js></script>`,
    'app.js': IN_PAGE.replace('@reqlog/engine', '/node_modules/@reqlog/engine/index.js'),
  });
  assert.deepEqual(await shown(directory), SEEN);
});

test('Vite', async () => {
  const directory = project('vite', {
    'index.html': '<!doctype html><meta charset=utf-8><script type=module src=/app.js></script>',
    'app.js': IN_PAGE,
  });
  run(process.execPath, [join(TOOLS, 'vite/bin/vite.js'), 'build', '--logLevel', 'warn'], directory);
  const assets = readdirSync(join(directory, 'dist/assets'));
  assert.equal(assets.filter((name) => name.endsWith('.wasm')).length, 1, assets.join());
  assert.deepEqual(await shown(join(directory, 'dist')), SEEN);
});

test('esbuild, with the files that it does not know copied beside the bundle', async () => {
  const directory = project('esbuild', { 'app.js': IN_PAGE });
  const out = join(directory, 'dist');
  run(join(TOOLS, '.bin/esbuild'), ['app.js', '--bundle', '--format=esm', `--outdir=${out}`], directory);
  const installed = join(directory, 'node_modules/@reqlog/engine');
  for (const file of ['engine.worker.js', 'indexer.worker.js', 'reqlog_bg.wasm']) cpSync(join(installed, file), join(out, file));
  writeFileSync(join(out, 'index.html'), '<!doctype html><meta charset=utf-8><script type=module src=/app.js></script>');
  assert.deepEqual(await shown(out), SEEN);
});

test('esbuild, without them, says which', async () => {
  const directory = project('forgotten', { 'app.js': IN_PAGE });
  const out = join(directory, 'dist');
  run(join(TOOLS, '.bin/esbuild'), ['app.js', '--bundle', '--format=esm', `--outdir=${out}`], directory);
  cpSync(join(directory, 'node_modules/@reqlog/engine/reqlog_bg.wasm'), join(out, 'reqlog_bg.wasm'));
  writeFileSync(join(out, 'index.html'), '<!doctype html><meta charset=utf-8><script type=module src=/app.js></script>');
  const origin = await serve(out);
  const page = await browser.newPage();
  await page.goto(origin.url);
  await page.waitForFunction(() => document.title.startsWith('failed'));
  assert.match(await page.title(), /^failed: unsupported .*engine\.worker\.js/);
  await page.close();
  await origin.close();
});

test('TypeScript', () => {
  const directory = project('typescript', {
    'app.ts': `
import { type Opened, type Progress, EngineError, complete, init, open, parse } from '@reqlog/engine';
import { Store } from '@reqlog/engine/raw';

export async function main(files: File[], signal: AbortSignal): Promise<number> {
  await init(new URL('x', 'http://localhost'));
  await using opened: Opened = await open(files, { signal, workers: 2, onprogress: ({ done }: Progress) => console.log(done) });
  opened.onprogress = null;
  const response: Response = await opened.answer({ method: 'GET', url: '/', headers: { accept: 'text/csv' } }, { signal });
  const parsed = parse('a', 1);
  if ('error' in parsed) throw new EngineError('query', parsed.error.message, parsed.error.position);
  const kind: 'key' | 'value' | 'operator' = complete('a', 1).items[0]!.kind;
  // @ts-expect-error a request has a URL
  await opened.answer({ method: 'GET' });
  return response.status + parsed.canonical.length + kind.length + new Store('{}', new Uint8Array(32), 0).weight().length;
}
`,
    'tsconfig.json': JSON.stringify({
      compilerOptions: { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', lib: ['es2022', 'esnext.disposable', 'dom'], types: [] },
      files: ['app.ts'],
    }),
  });
  run(process.execPath, [join(TOOLS, 'typescript/bin/tsc'), '--project', directory], directory);
});
