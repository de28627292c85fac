/** A store in RAM: the same log over a file that is an array. Survives nothing. */
import { type Backend, type BackendOptions, headerFor, newGeneration, newHeader } from './backend.js';
import { FileLog, type Header, MemoryFile } from './log/index.js';

export function openMemory(options: BackendOptions): Backend {
  let header: Header = newHeader(options);
  let log = logOf(header);
  return {
    created: true,
    losses: [],
    get header() {
      return header;
    },
    get log() {
      return log;
    },
    successor() {
      const next = headerFor(header, newGeneration(options.surroundings));
      const fresh = logOf(next);
      return {
        log: fresh,
        adopt() {
          header = next;
          log = fresh;
          return () => {};
        },
        discard() {},
      };
    },
    writeHeader(next) {
      header = next;
    },
    close() {},
    destroy() {},
  };
}

function logOf({ generation }: Header): FileLog {
  return new FileLog(new MemoryFile(), {
    backend: 'memory',
    generation,
    written: 'memory',
    flushed: () => 'memory',
  });
}
