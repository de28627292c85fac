/**
 * Slots of the index maplet: an ordered table that stores no metadata.
 *
 * A *fingerprint* F is `bits` bits of a key's hash. Entries are kept sorted by
 * F under linear probing: the home of F is slot floor(F / step), and an entry
 * that finds its home taken sits further right, never left. A slot is 6 bytes
 * in two planes:
 *
 *     tag, u16     F mod 2^16
 *     word, u32    [ extension : extBits | location : 32 - extBits ]
 *
 * The *extension* is the part of the hash behind F; the *location* is what the
 * entry says. The boundary between them floats: see segment.ts.
 *
 * With bound(i) = (i + 1) * step, the *gap* of slot i, (bound(i) - tag) mod
 * 2^16, is 0 for an empty slot, and otherwise F = bound(i) - gap. So one
 * subtraction replaces the occupied, continuation and shifted bits of a
 * quotient filter, and an entry moves by plain copying.
 *
 * Invariants
 *  1. Entries are in ascending order of (F, extension). By F alone is not
 *     enough: a split turns the top bit of the extension into a bit of F.
 *  2. Every slot from the home of an entry up to the entry is taken.
 *  3. An entry's gap is 1 .. 65535: it is displaced by less than 2^16 / step
 *     slots, the *window*. What would violate this is refused with NO_ROOM.
 *  4. The last slot is empty, so every walk ends.
 *
 * The order of entries with equal (F, extension) means nothing.
 *
 * [1] Cleary: Compact Hash Tables Using Bidirectional Linear Probing. 1984.
 * [2] Bender, Conway, Farach-Colton, Johnson, Pandey: Time To Replace Your
 *     Filter: How Maplets Simplify System Design. arXiv 2510.05518, 2025.
 */

/** Outcomes of `insertSlot`. */
export const CROWDED = -2;
export const NO_ROOM = -1;
export const PRESENT = 0;
export const INSERTED = 1;

/** Longest move done by a plain loop; from about here on copyWithin is quicker (measured, Node 20). */
const LOOP_MOVE_MAX = 18;

/** Home slot of `fingerprint`. `inverse` is 1 / step; the half keeps exact multiples of step on their side. */
export function homeOf(fingerprint: number, inverse: number): number {
  return ((fingerprint + 0.5) * inverse) | 0;
}

/** Makes every slot empty. */
export function clearSlots(tags: Uint16Array, step: number): void {
  const slots = tags.length;
  for (let slot = 0, bound = step; slot < slots; slot++, bound += step) tags[slot] = bound;
}

/**
 * Writes the locations of all entries with this fingerprint and extension to
 * `into`, from index `found` on, and returns the index behind the last.
 */
export function collectSlots(
  tags: Uint16Array,
  words: Uint32Array,
  step: number,
  inverse: number,
  fingerprint: number,
  extension: number,
  extMask: number,
  into: Uint32Array | number[],
  found: number,
): number {
  const low = fingerprint & 0xffff;
  let slot = ((fingerprint + 0.5) * inverse) | 0;
  let span = (slot + 1) * step - fingerprint;
  // Four slots are judged at once, without a branch: where a walk ends is as good as random, and the
  // mispredicted branch costs 12 of 124 ns (absent, with the hash). Not so from a match on: there the
  // guesses of the processor load words before it is known which slot it is; without them a get is slower.
  const groups = tags.length - 3;
  while (slot < groups) {
    const span1 = span + step;
    const span2 = span1 + step;
    const span3 = span2 + step;
    const past0 = ((span + low - tags[slot]!) & 0xffff) - span;
    const past1 = ((span1 + low - tags[slot + 1]!) & 0xffff) - span1;
    const past2 = ((span2 + low - tags[slot + 2]!) & 0xffff) - span2;
    const past3 = ((span3 + low - tags[slot + 3]!) & 0xffff) - span3;
    const ends = (past0 >> 31) + (past1 >> 31) + (past2 >> 31) + (past3 >> 31);
    const stops = ((past0 - 1) >> 31) + ((past1 - 1) >> 31) + ((past2 - 1) >> 31) + ((past3 - 1) >> 31);
    if (ends !== stops) break;
    if (ends !== 0) return found;
    slot += 4;
    span = span3 + step;
  }
  for (;;) {
    const tag = tags[slot]!;
    // An empty slot and a larger fingerprint both have a gap below the one F would have here.
    if (((span + low - tag) & 0xffff) < span) return found;
    if (tag === low) {
      const word = words[slot]!;
      if (((word ^ extension) & extMask) === 0) into[found++] = (word & ~extMask) >>> 0;
    }
    slot++;
    span += step;
  }
}

/** The slot that holds exactly this fingerprint and word, or -1. */
export function findSlot(
  tags: Uint16Array,
  words: Uint32Array,
  step: number,
  inverse: number,
  fingerprint: number,
  word: number,
): number {
  const low = fingerprint & 0xffff;
  let slot = ((fingerprint + 0.5) * inverse) | 0;
  let span = (slot + 1) * step - fingerprint;
  for (;;) {
    const tag = tags[slot]!;
    if (((span + low - tag) & 0xffff) < span) return -1;
    if (tag === low && words[slot] === word) return slot;
    slot++;
    span += step;
  }
}

/**
 * Puts an entry where it belongs and moves what is behind it by one slot.
 *
 * Returns INSERTED, or PRESENT when exactly this entry is there already. Nothing
 * changes with CROWDED, when `most` entries have this fingerprint and extension,
 * or NO_ROOM, when an entry would leave its window or the table. Costs one pass
 * over the cluster.
 */
export function insertSlot(
  tags: Uint16Array,
  words: Uint32Array,
  step: number,
  inverse: number,
  fingerprint: number,
  word: number,
  extMask: number,
  most: number,
): number {
  const low = fingerprint & 0xffff;
  const extension = (word & extMask) >>> 0;
  let equals = 0;
  let slot = ((fingerprint + 0.5) * inverse) | 0;
  let span = (slot + 1) * step - fingerprint;
  let gap = 0;
  for (;;) {
    const tag = tags[slot]!;
    gap = (span + low - tag) & 0xffff;
    if (gap < span) break;
    if (tag === low) {
      const other = words[slot]!;
      if (other === word) return PRESENT;
      const otherExtension = (other & extMask) >>> 0;
      if (otherExtension > extension) break;
      if (otherExtension === extension) equals++;
    }
    slot++;
    span += step;
  }
  if (equals >= most) return CROWDED;
  if (span > 0xffff) return NO_ROOM;

  let end = slot;
  if (gap !== 0) {
    const farthest = 0xffff - step;
    let bound = (slot + 1) * step;
    do {
      if (gap > farthest) return NO_ROOM;
      end++;
      bound += step;
      gap = (bound - tags[end]!) & 0xffff;
    } while (gap !== 0);
  }
  if (end >= tags.length - 1) return NO_ROOM;

  if (end - slot <= LOOP_MOVE_MAX) {
    for (let to = end; to > slot; to--) {
      tags[to] = tags[to - 1]!;
      words[to] = words[to - 1]!;
    }
  } else {
    tags.copyWithin(slot + 1, slot, end);
    words.copyWithin(slot + 1, slot, end);
  }
  tags[slot] = low;
  words[slot] = word;
  return INSERTED;
}

/** Empties a taken slot and moves back what had been displaced past it. */
export function removeSlot(tags: Uint16Array, words: Uint32Array, step: number, slot: number): void {
  let end = slot + 1;
  let bound = (end + 1) * step;
  // A gap above step means: not in its home slot, so it may go one to the left.
  while (((bound - tags[end]!) & 0xffff) > step) {
    end++;
    bound += step;
  }
  if (end - slot <= LOOP_MOVE_MAX) {
    for (let from = slot + 1; from < end; from++) {
      tags[from - 1] = tags[from]!;
      words[from - 1] = words[from]!;
    }
  } else {
    tags.copyWithin(slot, slot + 1, end);
    words.copyWithin(slot, slot + 1, end);
  }
  tags[end - 1] = end * step;
}
