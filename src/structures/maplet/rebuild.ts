/**
 * Rebuilding of segments: growing, shrinking, splitting and merging.
 *
 * Each is one sequential pass over tables that are in order already, needs no
 * key, and allocates only the new tables. The distinguishing bits of an entry,
 * prefix, fingerprint and extension together, stay the same in number, except
 * where locations leave them no space.
 */
import { fingerprintBitsFor, type Owner, Segment } from './segment.js';

/** A segment of `slots` slots with the same entries. */
export function resized(source: Segment, slots: number, owner: Owner): Segment {
  const available = source.bits + source.extBits;
  const bits = Math.min(fingerprintBitsFor(slots), available);
  const extBits = extBitsFor(available - bits, source.extBits, source);
  const target = Segment.empty({ depth: source.depth, slots, bits, extBits }, owner);
  pour(source, target, 0, 2 ** source.bits, 0, source.bits);
  pourSpill(source, target, 0, source.bits, -1);
  return target;
}

/** The two halves of a segment, by the top bit of the fingerprint, each as large as `sizeFor` its entries. */
export function split(
  source: Segment,
  sizeFor: (length: number) => number,
  owner: Owner,
): [Segment, Segment] {
  const middle = 2 ** (source.bits - 1);
  let zeros = 0;
  const { tags, step } = source;
  for (let slot = 0, bound = step; slot < tags.length; slot++, bound += step) {
    const gap = (bound - tags[slot]!) & 0xffff;
    if (gap === 0) continue;
    if (bound - gap >= middle) break;
    zeros++;
  }
  const lower = half(source, sizeFor(zeros), owner);
  const upper = half(source, sizeFor(source.taken - zeros), owner);
  const start = pour(source, lower, 0, middle, 0, source.bits - 1);
  pour(source, upper, start, 2 * middle, middle, source.bits - 1);
  pourSpill(source, lower, 0, source.bits - 1, 0);
  pourSpill(source, upper, middle, source.bits - 1, 1);
  return [lower, upper];
}

function half(source: Segment, slots: number, owner: Owner): Segment {
  const available = source.bits - 1 + source.extBits;
  const bits = Math.min(fingerprintBitsFor(slots), available);
  const extBits = extBitsFor(available - bits, source.extBits, source);
  return Segment.empty({ depth: source.depth + 1, slots, bits, extBits }, owner);
}

/** One segment with the entries of two siblings. */
export function merged(lower: Segment, upper: Segment, slots: number, owner: Owner): Segment {
  const available = 1 + Math.min(lower.bits + lower.extBits, upper.bits + upper.extBits);
  const bits = Math.min(fingerprintBitsFor(slots), available);
  const room = Math.min(Math.clz32(lower.highestLocation()), Math.clz32(upper.highestLocation()));
  const extBits = Math.min(available - bits, room);
  const target = Segment.empty({ depth: lower.depth - 1, slots, bits, extBits }, owner);
  pour(lower, target, 0, 2 ** lower.bits, 0, lower.bits + 1);
  pour(upper, target, 0, 2 ** upper.bits, -(2 ** upper.bits), upper.bits + 1);
  pourSpill(lower, target, 0, lower.bits + 1, -1);
  pourSpill(upper, target, -(2 ** upper.bits), upper.bits + 1, -1);
  return target;
}

/** What of `wanted` extension bits the locations leave free. Looks at them only when it must. */
function extBitsFor(wanted: number, before: number, source: Segment): number {
  return wanted <= before ? wanted : Math.min(wanted, Math.clz32(source.highestLocation()));
}

/**
 * Appends to `target` the entries of `source` from slot `start` on, as long as
 * their fingerprint is below `until`; returns the slot of the first one left.
 *
 * A fingerprint, less `base`, has `bits` bits; the target's width is reached by
 * taking bits from the extension or giving bits to it.
 */
function pour(
  source: Segment,
  target: Segment,
  start: number,
  until: number,
  base: number,
  bits: number,
): number {
  const { tags, words, step, extMask: fromMask } = source;
  const { tags: toTags, words: toWords, step: toStep, inverse, extMask: toMask } = target;
  const last = target.slots - 1;
  const taken = Math.max(0, target.bits - bits);
  const given = Math.max(0, bits - target.bits);
  const slots = source.slots;
  let next = target.taken === 0 ? 0 : endOf(target);
  let count = 0;
  let slot = start;
  for (let bound = (start + 1) * step; slot < slots; slot++, bound += step) {
    const gap = (bound - tags[slot]!) & 0xffff;
    if (gap === 0) continue;
    const old = bound - gap;
    if (old >= until) break;
    const word = words[slot]! | 0;
    let fingerprint = old - base;
    let extension = word & fromMask;
    if (taken !== 0) {
      fingerprint = (fingerprint << taken) | (extension >>> (32 - taken));
      extension <<= taken;
    } else if (given !== 0) {
      extension = (fingerprint << (32 - given)) | (extension >>> given);
      fingerprint >>>= given;
    }
    // An int32, as the word is: numbers beyond would cost a conversion each.
    const moved = (extension & toMask) | (word & ~fromMask);
    const home = ((fingerprint + 0.5) * inverse) | 0;
    const to = home > next ? home : next;
    if (to >= last || Math.imul(to + 1, toStep) - fingerprint > 0xffff) {
      target.putSpill(fingerprint, moved >>> 0);
      continue;
    }
    toTags[to] = fingerprint;
    toWords[to] = moved;
    next = to + 1;
    count++;
  }
  target.length += count;
  return slot;
}

/** The slot behind the last entry. */
function endOf(segment: Segment): number {
  const { tags, step } = segment;
  let slot = segment.slots - 1;
  while (slot >= 0 && (((slot + 1) * step - tags[slot]!) & 0xffff) === 0) slot--;
  return slot + 1;
}

/** As `pour`, for the spilled entries; `side` says which top bit they must have, -1 any. */
function pourSpill(source: Segment, target: Segment, base: number, bits: number, side: number): void {
  if (source.spill === null) return;
  const taken = Math.max(0, target.bits - bits);
  const given = Math.max(0, bits - target.bits);
  for (const [old, list] of source.spill) {
    if (side >= 0 && old >>> (source.bits - 1) !== side) continue;
    for (const word of list) {
      let fingerprint = old - base;
      let extension = word & source.extMask;
      if (taken !== 0) {
        fingerprint = (fingerprint << taken) | (extension >>> (32 - taken));
        extension <<= taken;
      } else if (given !== 0) {
        extension = (fingerprint << (32 - given)) | (extension >>> given);
        fingerprint >>>= given;
      }
      target.putAnyhow(fingerprint, ((extension & target.extMask) | (word & ~source.extMask)) >>> 0);
    }
  }
}
