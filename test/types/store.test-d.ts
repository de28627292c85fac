/** What the types allow and what they refuse; checked by `npm run types`, never run. */
import { ConflictError, open, type Store, type StoreError } from '../../src/index.js';

declare const store: Store;

export async function allowed(): Promise<void> {
  await using cellar = await open('name', {
    persistence: 'auto',
    durability: { syncInterval: '5s' },
    ttl: { default: '7d' },
  });
  const user: { name: string } | undefined = await cellar.get<{ name: string }>('user');
  const keys: string[] = await cellar.keys({ prefix: 'a', limit: 5, reverse: true });
  for await (const [key, value] of cellar.entries<number>())
    (key satisfies string) && (value satisfies number);
  const left: number | null | undefined = await cellar.ttl('a');
  const version: number = (await cellar.set('a', user, { ttl: 5, durability: 'strict' })).version;
  const computed: number = await cellar.getOrSet('n', async ({ signal }) => (signal.aborted ? 0 : 1));
  await cellar.setMany(new Map<string, unknown>([['a', 1]]), { onProgress: ({ done }) => void done });
  const visits: number = await cellar.merge('visits', 1, 'counter', { ttl: '1d' });
  const tags: Set<string> | string[] = await cellar.merge<Set<string> | string[]>('tags', ['a'], 'set');
  const longest: string = await cellar.merge('longest', 'a', 'an operator of my own');
  const next: number = await cellar.update<number>('n', async (old = 0) => old + 1, { retries: 3 });
  await cellar.batch([
    { type: 'set', key: 'a', value: 1, ttl: '1d', ifVersion: version },
    { type: 'merge', key: 'b', operand: [1], operator: 'list' },
    { type: 'expire', key: 'c', ttl: 5 },
  ]);
  void [visits, tags, longest, next];
  const code: string = (new ConflictError('') satisfies StoreError).code;
  void [keys, left, version, computed, code];
}

export async function refused(): Promise<void> {
  // @ts-expect-error a key is a string
  await store.get(7);
  // @ts-expect-error the option is misspelt
  await store.set('a', 1, { tll: 5 });
  // @ts-expect-error there is no such mode
  await open('name', { persistence: 'floppy' });
  // @ts-expect-error entries are pairs
  await store.setMany(['ab']);
  // @ts-expect-error an answer may be missing
  const value: number = await store.get<number>('a');
  // @ts-expect-error there is no such operation
  await store.batch([{ type: 'put', key: 'a', value: 1 }]);
  // @ts-expect-error an expire needs a ttl
  await store.batch([{ type: 'expire', key: 'a' }]);
  // @ts-expect-error durability is of the whole batch
  await store.batch([{ type: 'delete', key: 'a', durability: 'strict' }]);
  // @ts-expect-error the value may be missing
  await store.update<number>('a', (old) => old + 1);
  // @ts-expect-error conditions are of set
  await store.merge('a', 1, 'counter', { ifAbsent: true });
  // @ts-expect-error a store's mode is its own
  store.mode = 'memory';
  void value;
}
