/**
 * Key runs: the keys of sealed extents, in order, so that ordered scans need no keys
 * in memory.
 *
 * A run is a row of blocks of about 4 KiB, which lie in the log; in memory stands the
 * first key of each block, its *fence*.
 *
 * A run says what was written, not what is current: a key counts only while the index
 * still names its location. So runs are never changed, and deletes leave no mark. When
 * they have become many, some are merged into one, without what does not count any more.
 */
export { type Block, BlockWriter, decodeBlock, encodeBlocks, type RunKey } from './block.js';
export { blockOf, decodeFences, encodeFences, type Fence, type Run } from './fences.js';
export { nameOf, runsToMerge, withMerged } from './levels.js';
export { decodeMerge, encodeMerge } from './merge.js';
