/** Hit ratios of a cache of a given size over a trace: of a policy, of lru-cache, and the best there can be. */
import { LRUCache } from 'lru-cache';

/** Odd words: keys are numbers, policies want hashes. */
const HIGH = 0x9e3779b1;
const LOW = 0x85ebca6b;

/** The cache as the engine drives a policy: victims go before the new key comes in. */
export function simulatePolicy(make, { ids, sizes }, capacity, onVictim) {
  const policy = make(
    sizes ? { maxBytes: capacity, maxEntries: Infinity } : { maxBytes: Infinity, maxEntries: capacity },
  );
  const held = new Map();
  const keyOf = new Map();
  let weight = 0;
  const hits = counter();
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    const size = sizes ? sizes[i] : 1;
    const high = Math.imul(id + 1, HIGH) | 0;
    const low = Math.imul(id + 1, LOW) | 0;
    const there = held.has(id);
    hits.count(there, size);
    if (there) {
      policy.access(high, low);
      continue;
    }
    if (size > capacity) continue;
    while (weight + size > capacity) {
      const [[victimHigh, victimLow]] = policy.victims(1);
      const victim = keyOf.get(victimHigh);
      policy.remove(victimHigh, victimLow);
      weight -= held.get(victim);
      held.delete(victim);
      keyOf.delete(victimHigh);
      onVictim?.(victim);
    }
    policy.add(high, low, size, 1);
    held.set(id, size);
    keyOf.set(high, id);
    weight += size;
  }
  return { ...hits.ratios(), policy };
}

export function simulateLruCache({ ids, sizes }, capacity) {
  const cache = new LRUCache(sizes ? { maxSize: capacity } : { max: capacity });
  const hits = counter();
  for (let i = 0; i < ids.length; i++) {
    const size = sizes ? sizes[i] : 1;
    const there = cache.get(ids[i]) !== undefined;
    hits.count(there, size);
    if (!there) cache.set(ids[i], true, sizes ? { size } : undefined);
  }
  return hits.ratios();
}

/**
 * Who is asked for last goes first, the new one among them: the best there can be where all
 * sizes are equal (Belady). Else near it; `bySize` weighs the distance with the size, which
 * is better for hits.
 */
export function simulateBest({ ids, sizes, keys }, capacity, bySize) {
  const after = new Float64Array(ids.length);
  const seen = new Map();
  for (let i = ids.length - 1; i >= 0; i--) {
    after[i] = seen.get(ids[i]) ?? Infinity;
    seen.set(ids[i], i);
  }
  const next = new Float64Array(keys);
  const held = new Float64Array(keys);
  const heap = new Heap();
  const hits = counter();
  let weight = 0;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    const size = sizes ? sizes[i] : 1;
    hits.count(held[id] > 0, size);
    if (held[id] === 0) {
      held[id] = size;
      weight += size;
    }
    next[id] = after[i];
    heap.push(after[i] === Infinity ? Infinity : bySize ? (after[i] - i) * size : after[i], id, after[i]);
    while (weight > capacity) {
      const { id: victim, mark } = heap.pop();
      if (held[victim] === 0 || next[victim] !== mark) continue;
      weight -= held[victim];
      held[victim] = 0;
    }
  }
  return hits.ratios();
}

function counter() {
  let hits = 0;
  let requests = 0;
  let hitBytes = 0;
  let bytes = 0;
  return {
    count(hit, size) {
      requests += 1;
      bytes += size;
      if (!hit) return;
      hits += 1;
      hitBytes += size;
    },
    ratios: () => ({ hits: (100 * hits) / requests, byteHits: (100 * hitBytes) / bytes }),
  };
}

/** The largest first. */
class Heap {
  #items = [];

  push(rank, id, mark) {
    const items = this.#items;
    let at = items.push({ rank, id, mark }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent].rank >= items[at].rank) break;
      [items[parent], items[at]] = [items[at], items[parent]];
      at = parent;
    }
  }

  pop() {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length > 0) {
      items[0] = last;
      for (let at = 0; ; ) {
        let child = 2 * at + 1;
        if (child >= items.length) break;
        if (child + 1 < items.length && items[child + 1].rank > items[child].rank) child += 1;
        if (items[at].rank >= items[child].rank) break;
        [items[child], items[at]] = [items[at], items[child]];
        at = child;
      }
    }
    return top;
  }
}
