/** Keeps the page's own files for the time without a network, and says how that stands. */
import { byId, setText } from './dom.js';

export function keepOffline(): void {
  const network = byId('network', HTMLElement);
  const showNetwork = (): void => {
    setText(network, navigator.onLine ? 'Online' : 'Offline');
    network.dataset['on'] = String(navigator.onLine);
  };
  addEventListener('online', showNetwork);
  addEventListener('offline', showNetwork);
  showNetwork();

  const ready = byId('offline-ready', HTMLElement);
  const { serviceWorker } = navigator;
  const kept = serviceWorker
    ? serviceWorker.register('./service-worker.js').then(() => serviceWorker.ready)
    : Promise.reject(new Error('this browser or window has no service workers'));
  kept.then(
    () => setText(ready, 'Works offline'),
    () => setText(ready, 'Needs the network'),
  );
}
