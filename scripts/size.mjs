/**
 * What an application pays: gzipped bytes of the page's entry, bundled and minified
 * with everything that it loads at once, and of the worker. Fails over the limits.
 */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = join(import.meta.dirname, '..');

/** Name, entry, most bytes. Raise one only with a reason in the change that does it. */
const LIMITS = [
  ["page: import { open } from 'rootcellar'", 'dist/index.js', 6.5 * 1024],
  ['worker', 'dist/host/worker.js', 76 * 1024],
];

/** What Vite puts around `import()` to load styles is Vite's, and other bundlers have none. */
const withoutPreload = {
  name: 'without-preload',
  enforce: 'pre',
  load: (id) =>
    id.endsWith('vite/preload-helper.js') ? 'export const __vitePreload = (load) => load();' : null,
};

let failed = false;
for (const [name, entry, most] of LIMITS) {
  const [result] = [
    await build({
      root,
      configFile: false,
      logLevel: 'error',
      plugins: [withoutPreload],
      build: {
        write: false,
        minify: true,
        target: 'es2022',
        modulePreload: false,
        rollupOptions: {
          input: join(root, entry),
          preserveEntrySignatures: 'strict',
          output: { format: 'es' },
        },
      },
    }),
  ].flat();
  const bytes = gzipSync(loadedAtOnce(result.output), { level: 9 }).length;
  const verdict = bytes <= most ? 'ok' : 'TOO LARGE';
  console.log(`${name}: ${bytes} bytes gzipped, at most ${most}: ${verdict}`);
  failed ||= bytes > most;
}
if (failed) process.exitCode = 1;

/** The entry's code and that of the chunks it imports, but not what it loads on demand. */
function loadedAtOnce(output) {
  const chunks = new Map(
    output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]),
  );
  const wanted = [output.find(({ isEntry }) => isEntry).fileName];
  for (const name of wanted) {
    for (const next of chunks.get(name).imports) if (!wanted.includes(next)) wanted.push(next);
  }
  return wanted.map((name) => chunks.get(name).code).join('\n');
}
