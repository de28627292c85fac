import type { Store } from 'rootcellar';

const LIVES = '30m';

export function startSession(cellar: Store, id: string, session: object): Promise<unknown> {
  return cellar.set(`session:${id}`, session, { ttl: LIVES, ifAbsent: true });
}

/** The session, which lives on from now; `undefined` when it is over. Both calls go in one message. */
export async function useSession<T>(cellar: Store, id: string): Promise<T | undefined> {
  const key = `session:${id}`;
  const [alive, session] = await Promise.all([cellar.expire(key, LIVES), cellar.get<T>(key)]);
  return alive ? session : undefined;
}

/** Changes the session without giving it more time. */
export function changeSession<T>(cellar: Store, id: string, change: (session: T) => T): Promise<T> {
  return cellar.update<T>(`session:${id}`, (session) => {
    if (session === undefined) throw new Error('the session is over');
    return change(session);
  });
}
