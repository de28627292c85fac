/**
 * Builds the demo into `.demo/`: the page over the built package, as an
 * application would bundle it; the data set in pieces; and the service worker with
 * the list of what the page needs offline.
 */
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';
import { buildPieces, describe } from './data.mjs';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at('.'),
  base: './',
  publicDir: false,
  resolve: { alias: [{ find: /^rootcellar$/, replacement: at('../dist/index.js') }] },
  worker: { format: 'es' },
  build: {
    outDir: at('../.demo'),
    emptyOutDir: true,
    target: 'es2022',
    // A page under `default-src 'self'` takes no data: addresses, and the polyfill serves no browser that runs it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // Flattening the data set is most of this build, and known to be.
      checks: { pluginTimings: false, bundlerTimings: false },
      input: { index: at('index.html'), 'service-worker': at('src/service-worker.ts') },
      output: {
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  plugins: [dataSet(), offlineList()],
});

/** Adds the pieces of the data set and their index. */
function dataSet(): Plugin {
  return {
    name: 'compatibility-data',
    generateBundle() {
      const { index, pieces } = buildPieces();
      console.log(describe(index));
      this.emitFile({ type: 'asset', fileName: 'data/index.json', source: JSON.stringify(index) });
      for (const { file, text } of pieces) this.emitFile({ type: 'asset', fileName: file, source: text });
    },
  };
}

/** Tells the service worker its files. Comes last, when all their names are known. */
function offlineList(): Plugin {
  return {
    name: 'offline-list',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const worker = bundle['service-worker.js'];
      if (worker?.type !== 'chunk') this.error('offline list: expected the chunk service-worker.js');
      const names = Object.keys(bundle).filter(
        (name) => name.startsWith('assets/') && !name.endsWith('.map'),
      );
      const [page, index] = ['index.html', 'data/index.json'].map((name) => bundle[name]);
      if (page?.type !== 'asset' || index?.type !== 'asset') this.error('offline list: expected the page');
      const files = ['./', ...names, 'data/index.json'].sort();
      const hash = createHash('sha256').update(files.join()).update(page.source).update(index.source);
      const build = hash.digest('hex').slice(0, 12);
      worker.code = worker.code
        .replaceAll('__FILES__', JSON.stringify(files))
        .replaceAll('__BUILD__', JSON.stringify(build));
    },
  };
}
