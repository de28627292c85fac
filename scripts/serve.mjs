/**
 * A static server for built pages, on 127.0.0.1.
 *
 *    node scripts/serve.mjs [directory] [port]
 *
 * It answers GET and HEAD for regular files below one directory, under a content
 * security policy that allows nothing but the page's own origin. What it does not
 * serve: anything outside the directory (also not through a link), names that
 * begin with a dot, listings.
 */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

export const CONTENT_SECURITY_POLICY = "default-src 'self'; worker-src 'self'";

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/**
 * Serves `directory` until `close()`.
 *
 * `port` is tried first, as what a page stores belongs to its port; when it is
 * taken, any free one serves. Without `port` it is a free one. `headers` are added
 * to every answer and win over the server's own. `first` sees each request before the
 * files do, and says whether it takes it.
 *
 * @param {string} directory
 * @param {{
 *   port?: number,
 *   headers?: Record<string, string>,
 *   first?: (request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => boolean,
 * }} [options]
 * @returns {Promise<{ url: string, port: number, close(): Promise<void> }>}
 */
export async function serve(directory, { port = 0, headers = {}, first = () => false } = {}) {
  const root = await realpath(directory);
  const server = createServer((request, response) => {
    if (first(request, response)) return;
    answer(root, headers, request, response).catch(() => fail(response, 500, 'The file could not be read.'));
  });
  const taken = await listen(server, port).catch((error) => {
    if (port === 0 || (error.code !== 'EADDRINUSE' && error.code !== 'EACCES')) throw error;
    return listen(server, 0);
  });
  return {
    url: `http://127.0.0.1:${taken}/`,
    port: taken,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function listen(server, port) {
  return new Promise((done, refuse) => {
    server.once('error', refuse);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', refuse);
      done(server.address().port);
    });
  });
}

async function answer(root, headers, request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return fail(response, 405, 'Only GET and HEAD are answered here.');
  }
  const found = await find(root, request.url ?? '/');
  if (!found) return fail(response, 404, 'There is no such file here.');

  response.writeHead(200, {
    'content-type': TYPES[extname(found.path)] ?? 'application/octet-stream',
    'content-length': found.size,
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    // Always asked for again: a page that was built anew is seen at once.
    'cache-control': 'no-cache',
    ...headers,
  });
  if (request.method === 'HEAD') return response.end();
  const stream = createReadStream(found.path);
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

/** The regular file that `url` names below `root`, or nothing. */
async function find(root, url) {
  let name;
  try {
    name = decodeURIComponent(url.split(/[?#]/, 1)[0]);
  } catch {
    return undefined; // a broken percent sequence
  }
  if (name.includes('\0') || name.includes('\\') || /(^|\/)\./.test(name)) return undefined;
  if (name.endsWith('/')) name += 'index.html';
  try {
    const path = await realpath(resolve(join(root, name)));
    if (!path.startsWith(root + sep)) return undefined;
    const { size, isFile } = await stat(path).then((s) => ({ size: s.size, isFile: s.isFile() }));
    return isFile ? { path, size } : undefined;
  } catch {
    return undefined;
  }
}

function fail(response, status, words) {
  if (response.headersSent) return response.destroy();
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${words}\n`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { url } = await serve(process.argv[2] ?? '.demo', { port: Number(process.argv[3] ?? 0) });
  console.log(`Serving at ${url} (Ctrl+C ends it)`);
}
