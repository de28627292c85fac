import type { Store } from 'rootcellar';

/** What `url` answers with, from the cellar for five minutes. One fetch, however many ask at once. */
export function fetched<T>(cellar: Store, url: string): Promise<T> {
  const load = async ({ signal }: { signal: AbortSignal }): Promise<T> => {
    const response = await fetch(url, { signal });
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    const answer: T = await response.json();
    // Kept longer, for when fetching fails. An equal value is stored once, whatever its keys.
    await cellar.set(`last:${url}`, answer, { ttl: '30d' });
    return answer;
  };
  return cellar.getOrSet(`fetched:${url}`, load, { ttl: '5m' });
}

/** The same, and where fetching fails the last answer there was, with its age in milliseconds. */
export async function fetchedOrLast<T>(cellar: Store, url: string): Promise<{ answer: T; age: number }> {
  try {
    return { answer: await fetched<T>(cellar, url), age: 0 };
  } catch (error) {
    const last = await cellar.getEntry<T>(`last:${url}`);
    if (!last) throw error;
    return { answer: last.value, age: Date.now() - last.updatedAt };
  }
}

/** After a change at the source: the next who asks fetches. */
export function forget(cellar: Store, url: string): Promise<boolean> {
  return cellar.delete(`fetched:${url}`);
}
