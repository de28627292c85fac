/** A store in RAM: the same log over a file that is an array. Survives nothing. */
import { type Backend, type BackendOptions, newHeader } from './backend.js';
import { FileLog, type Header, MemoryFile } from './log/index.js';

export function openMemory(options: BackendOptions): Backend {
  let header: Header = newHeader(options);
  const log = new FileLog(new MemoryFile(), {
    backend: 'memory',
    generation: header.generation,
    written: 'memory',
    flushed: () => 'memory',
  });
  return {
    created: true,
    get header() {
      return header;
    },
    log,
    writeHeader(next) {
      header = next;
    },
    close() {},
    destroy() {},
  };
}
