import type { Store } from 'rootcellar';

/**
 * Whether `who` may do it once more: at most `limit` times in each window of `windowMs`.
 * The windows of all lie on the clock's multiples of `windowMs`. Whoever asks is counted,
 * refused or not, so two tabs that ask at once never both get the last one.
 */
export async function mayPass(cellar: Store, who: string, limit: number, windowMs: number): Promise<boolean> {
  const window = Math.floor(Date.now() / windowMs);
  const count = await cellar.merge(`rate:${who}:${window}`, 1, 'counter', { ttl: windowMs });
  return count <= limit;
}
