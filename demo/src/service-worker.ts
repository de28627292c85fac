/**
 * The service worker of the demo: the page works without a network.
 *
 * The page's own files are fetched when it is installed; the build writes their
 * names, and a name for this build, in place of the two constants. Files that
 * carry a hash in their name never change and are answered from the cache; pages
 * and `index.json` come from the network while there is one, so that a new build
 * is seen at once. Pieces of the data set are kept once they were fetched.
 */
declare const __FILES__: readonly string[];
declare const __BUILD__: string;

const APP = `app-${__BUILD__}`;
const DATA = 'data';
const PATIENCE_MS = 3000;

/** The little that is used here of a worker's global scope, which the page's types do not know. */
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: Extendable) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetch) => void): void;
}
interface Extendable {
  waitUntil(promise: Promise<unknown>): void;
}
interface Fetch {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
const scope = globalThis as unknown as Scope;

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(scope.registration.scope)) return;
  const path = request.url.slice(scope.registration.scope.length);
  if (path.startsWith('assets/')) event.respondWith(fromCache(request, APP));
  else if (/^data\/\d/.test(path)) event.respondWith(fromCache(request, DATA));
  else event.respondWith(fromNetwork(request));
});

async function install(): Promise<void> {
  const cache = await caches.open(APP);
  await cache.addAll(__FILES__.map((file) => new Request(file, { cache: 'reload' })));
  await scope.skipWaiting();
}

async function activate(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith('app-') && name !== APP) await caches.delete(name);
  }
  await scope.clients.claim();
}

async function fromCache(request: Request, name: string): Promise<Response> {
  const cache = await caches.open(name);
  const kept = await cache.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  // Only what came whole; a cache that is full must not cost the answer.
  if (response.status === 200 && name === DATA) await cache.put(request, response.clone()).catch(() => {});
  return response;
}

async function fromNetwork(request: Request): Promise<Response> {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    // A page is the same whatever its query says.
    const cache = await caches.open(APP);
    const kept = await cache.match(request.mode === 'navigate' ? './' : request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
