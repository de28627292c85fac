/** Bytes for tests, the same for the same seed. */
export function mixed(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed | 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[i] = (state ^ (state >>> 15)) >>> 11;
  }
  return bytes;
}

const WORDS = 'the store keeps every byte once and gives back what was set in order of keys '.split(' ');

/** Text of about `words` words. */
export function prose(seed: number, words: number): string {
  const picks = mixed(seed, words);
  return Array.from(picks, (pick) => WORDS[pick % WORDS.length]).join(' ');
}
