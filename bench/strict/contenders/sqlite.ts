/** SQLite compiled to WASM, over its pool of access handles; it lives in a worker (`sqlite-worker.ts`). */
import type { Contender } from './contender.js';
import type { Answer, Request } from './sqlite-worker.js';

export const sqlite: Contender = {
  name: 'SQLite',
  durability:
    'a power cut, once the files of its pool are half a minute old: before that Chromium may lose them, flushed or not',
  async open() {
    const worker = new Worker(new URL('./sqlite-worker.ts', import.meta.url), { type: 'module' });
    const waiting = new Map<number, (answer: Answer) => void>();
    let asked = 0;
    worker.onerror = ({ message }) => {
      for (const [id, settle] of waiting) settle({ id, error: `the worker failed: ${message}` });
    };
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      waiting.get(data.id)!(data);
      waiting.delete(data.id);
    };
    const ask = (request: Request) =>
      new Promise<unknown>((resolve, reject) => {
        asked += 1;
        waiting.set(asked, ({ value, error }) => (error ? reject(new Error(error)) : resolve(value)));
        worker.postMessage({ id: asked, ...request });
      });
    await ask({ open: 'strict' });
    return {
      set: (key, value) => ask({ set: [[key, value]] }),
      setMany: (entries) => ask({ set: entries }),
      get: (key) => ask({ get: key }),
      async close() {
        await ask({ close: true });
        worker.terminate();
      },
    };
  },
};
