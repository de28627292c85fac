/** Watching and listening, as far as a page needs it before it does either. */
import type { Change, StoreEvent, StoreEventListener, WatchOptions } from '../contract/store.js';
import type { Remote } from './remote.js';
import type { Place, StoreEvents } from './watch.js';

const EVENTS = ['change', 'expire', 'evict', 'mode', 'dataloss', 'quota', 'leader'];

export class Watching {
  #events: Promise<StoreEvents> | undefined;

  constructor(private readonly remote: Remote) {}

  /** `begun`: was asked for before anything is loaded, so that what is changed from now on is told. */
  watch<T>(begun: Promise<Place>, options: WatchOptions | undefined): AsyncIterable<Change<T>> {
    begun.catch(() => {});
    const { remote } = this;
    return {
      async *[Symbol.asyncIterator]() {
        const { watchFrom } = await import('./watch.js');
        yield* watchFrom<T>(remote, begun, options);
      },
    };
  }

  listen(how: 'add' | 'remove', type: StoreEvent['type'], listener: StoreEventListener): void {
    if (!EVENTS.includes(type)) {
      throw new TypeError(`type: expected one of ${EVENTS.join(', ')}, got ${String(type)}`);
    }
    if (typeof listener !== 'function') {
      throw new TypeError(`listener: expected a function, got ${typeof listener}`);
    }
    this.#events ??= import('./watch.js').then((loaded) => new loaded.StoreEvents(this.remote));
    void this.#events.then((events) => events[how](type, listener));
  }
}
