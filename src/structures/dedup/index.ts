/** Keeping every byte once: chunks cut by content, deltas, sketches that find what is similar, normal forms of text. */
export { Chunker, type ChunkSizes, chunkEnd, chunkSizes, chunksOf, gearSeed, gearTable } from './chunker.js';
export { applyDelta, encodeDelta } from './delta.js';
export { foldCase, type NormalForm, normalize } from './normalize.js';
export { BANDS, BINS, bandsOf, similarity, sketchOf } from './sketch.js';
