/** The server of the demo and of the pages under test. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTENT_SECURITY_POLICY, serve } from '../../scripts/serve.mjs';

/** A request whose path goes out as it is written; `fetch` would tidy it. */
function get(
  port: number,
  path: string,
  method = 'GET',
): Promise<{ status: number; type: string; policy: string; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method }, (response) => {
      let body = '';
      response.on('data', (piece) => {
        body += piece;
      });
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          type: response.headers['content-type'] ?? '',
          policy: String(response.headers['content-security-policy'] ?? ''),
          body,
        }),
      );
    });
    asked.on('error', reject).end();
  });
}

describe('the static server', () => {
  const outside = mkdtempSync(join(tmpdir(), 'rootcellar-serve-'));
  const root = join(outside, 'root');
  let server: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    mkdirSync(root);
    writeFileSync(join(outside, 'secret.txt'), 'secret');
    writeFileSync(join(root, 'index.html'), '<!doctype html>');
    writeFileSync(join(root, 'a b.js'), 'export {}');
    writeFileSync(join(root, '.hidden'), 'hidden');
    symlinkSync(join(outside, 'secret.txt'), join(root, 'link.txt'));
    server = await serve(root);
  });
  afterAll(async () => {
    await server.close();
    rmSync(outside, { recursive: true });
  });

  test('gives files with their type, under the policy', async () => {
    expect(await get(server.port, '/')).toMatchObject({
      status: 200,
      type: 'text/html; charset=utf-8',
      policy: CONTENT_SECURITY_POLICY,
      body: '<!doctype html>',
    });
    expect(await get(server.port, '/a%20b.js?v=1')).toMatchObject({
      status: 200,
      type: 'text/javascript; charset=utf-8',
    });
    expect(await get(server.port, '/', 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  test.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/link.txt',
    '/.hidden',
    '/none',
    '/%zz',
    '/a\0b'.replace('\0', '%00'),
  ])('gives nothing for %s', async (path) => {
    const { status, body } = await get(server.port, path);
    expect([400, 404]).toContain(status);
    expect(body).not.toContain('secret');
  });

  test('takes no other method', async () => {
    expect((await get(server.port, '/', 'POST')).status).toBe(405);
  });

  test('lets a handler see each request before the files', async () => {
    const other = await serve(root, {
      first: ({ url }, response) => {
        if (url !== '/mine') return false;
        response.end('mine');
        return true;
      },
    });
    expect(await get(other.port, '/mine', 'POST')).toMatchObject({ status: 200, body: 'mine' });
    expect(await get(other.port, '/')).toMatchObject({ status: 200, body: '<!doctype html>' });
    expect((await get(other.port, '/other', 'POST')).status).toBe(405);
    await other.close();
  });
});
