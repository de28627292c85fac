/**
 * A page that is frozen or goes into the back/forward cache must hold nothing that others
 * wait for: the worker lets go of files and locks, and takes part again when the page is
 * back. Browsers do not say so to workers, so the page does.
 */

/** The result ends it. Outside of a page there is nothing to follow. */
export function followPageLife(rest: () => void, wake: () => void): () => void {
  if (typeof document === 'undefined') return () => {};
  const over = new AbortController();
  const { signal } = over;
  const ifKept = (task: () => void) => (event: PageTransitionEvent) => {
    if (event.persisted) task();
  };
  addEventListener('pagehide', ifKept(rest), { signal });
  addEventListener('pageshow', ifKept(wake), { signal });
  document.addEventListener('freeze', rest, { signal });
  document.addEventListener('resume', wake, { signal });
  return () => over.abort();
}
