/** The worker that reads a published index in Chromium: says that it is ready, then what it found. */
import { IndexReader } from '../dist/structures/maplet/index.js';
import { readShared } from './shared-reader.js';

self.addEventListener('message', ({ data }) => {
  self.postMessage('ready');
  self.postMessage(readShared(data, IndexReader, () => performance.now()));
});
