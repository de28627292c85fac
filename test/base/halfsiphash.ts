/**
 * HalfSipHash written straight from its definition, with any number of rounds and
 * 64-bit output: what `base/hash` is compared with. Slow, and on purpose unlike it.
 */
const rotl = (x: number, by: number) => ((x << by) | (x >>> (32 - by))) >>> 0;

class State {
  constructor(public v: [number, number, number, number]) {}

  rounds(count: number): void {
    for (let i = 0; i < count; i++) {
      let [a, b, c, d] = this.v;
      a = (a + b) >>> 0;
      b = (rotl(b, 5) ^ a) >>> 0;
      a = rotl(a, 16);
      c = (c + d) >>> 0;
      d = (rotl(d, 8) ^ c) >>> 0;
      a = (a + d) >>> 0;
      d = (rotl(d, 7) ^ a) >>> 0;
      c = (c + b) >>> 0;
      b = (rotl(b, 13) ^ c) >>> 0;
      c = rotl(c, 16);
      this.v = [a, b, c, d];
    }
  }

  get output(): number {
    return (this.v[1] ^ this.v[3]) | 0;
  }
}

/** The two halves of the hash, as signed 32-bit numbers. */
export function halfSipHash(
  key: readonly number[],
  bytes: readonly number[],
  c: number,
  d: number,
): [number, number] {
  const k0 = key[0]! >>> 0;
  const k1 = key[1]! >>> 0;
  const state = new State([k0, (k1 ^ 0xee) >>> 0, (k0 ^ 0x6c796765) >>> 0, (k1 ^ 0x74656462) >>> 0]);
  const padded = [...bytes];
  while (padded.length % 4 !== 3) padded.push(0);
  padded.push(bytes.length & 0xff);
  for (let i = 0; i < padded.length; i += 4) {
    const word = padded.slice(i, i + 4).reduce((sum, byte, at) => sum + byte * 256 ** at, 0);
    state.v[3] = (state.v[3] ^ word) >>> 0;
    state.rounds(c);
    state.v[0] = (state.v[0] ^ word) >>> 0;
  }
  state.v[2] = (state.v[2] ^ 0xee) >>> 0;
  state.rounds(d);
  const first = state.output;
  state.v[1] = (state.v[1] ^ 0xdd) >>> 0;
  state.rounds(d);
  return [first, state.output];
}
