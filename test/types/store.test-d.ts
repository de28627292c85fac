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
  // @ts-expect-error a store's mode is its own
  store.mode = 'memory';
  void value;
}
