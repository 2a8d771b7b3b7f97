// The service worker: keeps exactly the files of one build, serves both documents from them, and lets nothing else through
// for the document of files. Answers of the API are never kept.

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Asking extends Lasting {
  readonly request: Request;
  readonly clientId: string;
  respondWith(response: Promise<Response> | Response): void;
}
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { get(id: string): Promise<{ readonly url: string } | undefined>; claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Lasting) => void): void;
  addEventListener(type: "fetch", listener: (event: Asking) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** By the build: the files, relative to the scope, and a digest of them all. */
declare const FILES: readonly string[];
declare const VERSION: string;

const worker = self as unknown as Scope;
const scope = new URL(worker.registration.scope);
const INDEX = new URL("index.html", scope).href;
const family = `reqlog ${scope.href} `;
const current = family + VERSION;
const kept = new Set(FILES.map((file) => new URL(file, scope).href));

worker.addEventListener("install", (event) => event.waitUntil(keep()));

async function keep(): Promise<void> {
  const cache = await caches.open(current);
  const one = async (url: string) => {
    // hosts may redirect the document's name to the directory
    const response = await fetch(url === INDEX ? scope.href : url, { cache: "no-cache", headers: { accept: "*/*" } });
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    const { status, headers } = response;
    // a redirected response may not answer a navigation
    await cache.put(url, response.redirected ? new Response(await response.blob(), { status, headers }) : response);
  };
  await Promise.all([...kept].map(one));
}

worker.addEventListener("activate", (event) => event.waitUntil(begin()));

async function begin(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(family) && name !== current);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

worker.addEventListener("message", ({ data }) => {
  if (data === "take over") void worker.skipWaiting();
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  url.hash = "";
  const isDocument = request.mode === "navigate";
  if (isDocument) url.search = "";
  const file = isDocument && url.href === scope.href ? INDEX : url.href;
  const reads = request.method === "GET" || request.method === "HEAD";
  if (reads && kept.has(file)) event.respondWith(fromCache(file, request));
  else if (!isDocument) event.respondWith(passed(request, event.clientId));
});

async function fromCache(file: string, request: Request): Promise<Response> {
  const cache = await caches.open(current);
  return (await cache.match(file)) ?? fetch(request);
}

/** Only the server's document talks to the network; workers and the document of files have all they need. */
async function passed(request: Request, clientId: string): Promise<Response> {
  const client = clientId ? await worker.clients.get(clientId) : undefined;
  const asking = client && new URL(client.url);
  if (asking && asking.origin === scope.origin && (asking.pathname === scope.pathname || asking.href.split(/[?#]/)[0] === INDEX)) return fetch(request);
  return Response.error();
}
