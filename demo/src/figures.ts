/**
 * The figures of the page, from `stats()` and `memoryUsage()` alone. Each goes to
 * the element that names it by `data-figure`; what is not known yet is a dash.
 */
import type { Capabilities, Stats } from 'rootcellar';
import { byId, setText } from './dom.js';
import { bytes, count, digits, duration, percent, plural } from './format.js';
import type { Recent } from './recent.js';

export interface Sources {
  readonly stats: Stats;
  readonly memoryBytes: number;
  readonly capabilities: Capabilities;
  /** Milliseconds that `open` took, as the page saw it. */
  readonly openedMs: number;
  /** Look-ups that are stored with a time to live. */
  readonly recent: readonly Recent[];
}

export function showFigures(sources: Sources): void {
  for (const [name, text] of Object.entries(figures(sources))) {
    for (const target of document.querySelectorAll(`[data-figure="${name}"]`)) setText(target, text);
  }
  const { bytesBefore, bytesAfter } = sources.stats.dedup;
  const bar = byId('bar-after', SVGRectElement);
  bar.setAttribute('width', bytesBefore > 0 ? `${Math.max((100 * bytesAfter) / bytesBefore, 0.5)}%` : '0');
}

/** Puts a dash where a figure was: there is no store. */
export function clearFigures(): void {
  for (const target of document.querySelectorAll('[data-figure]')) setText(target, '–');
}

function figures({ stats, memoryBytes, capabilities, openedMs, recent }: Sources): Record<string, string> {
  const { maplet, dedup, ttl, storage, rpc, leader } = stats;
  const next = recent.at(-1); // the last in the list is the next to go
  const asked = stats.hits + stats.misses;
  return {
    ratio: stats.totalKeys === 0 ? '–' : digits(stats.dedupRatio),
    keys: count(stats.totalKeys),
    recent:
      recent.length === 0
        ? 'no recent look-ups among them'
        : `${plural(recent.length, 'recent look-up')} among them`,
    values: count(stats.totalObjects),
    before: bytes(dedup.bytesBefore),
    after: bytes(dedup.bytesAfter),
    saved:
      dedup.bytesBefore === 0 ? '–' : `${bytes(dedup.saved)} (${percent(dedup.saved / dedup.bytesBefore)})`,
    disk: stats.mode === 'memory' ? 'nothing' : bytes(stats.storedBytes),

    'maplet-bytes': bytes(maplet.bytes),
    'maplet-bits': maplet.length === 0 ? '–' : `${digits(maplet.bitsPerKey)} bits`,
    'maplet-load': `${percent(maplet.load, 0)} of ${count(maplet.capacity)} slots`,
    'maplet-length': count(maplet.length),
    'maplet-rate': maplet.absentLookups === 0 ? '–' : percent(maplet.measuredFalsePositiveRate, 3),
    'maplet-absent': count(maplet.absentLookups),
    'maplet-target': `${percent(maplet.targetFalsePositiveRate)} at most`,

    'ttl-keys': count(ttl.keys),
    'ttl-expired': count(ttl.expired),
    'ttl-next': next === undefined ? 'none' : `in ${Math.ceil(next.leftMs / 1000)} s`,

    operations: count(stats.totalOperations),
    hits: count(stats.hits),
    misses: count(stats.misses),
    'hit-rate': asked === 0 ? '–' : percent(stats.hits / asked),
    messages: rpc.messages === 0 ? '–' : `${count(rpc.calls)} in ${count(rpc.messages)}`,
    version: count(stats.version),

    mode: stats.mode,
    'mode-words': MODE_WORDS[stats.mode],
    reason: sentence(capabilities.reason),
    host: HOST_WORDS[capabilities.host],
    leader: leader.role === 'leader' ? 'this tab leads' : 'another tab leads',
    opened: duration(openedMs),
    'opened-inside': duration(stats.openedIn),
    recovered: count(storage.recovered),
    torn: storage.tornBytes === 0 ? 'nothing' : bytes(storage.tornBytes),
    memory: bytes(memoryBytes),
    uptime: duration(Math.max(stats.uptime, 1000)),
    flushes: count(storage.flushes),
  };
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, '')}.`;
}

const MODE_WORDS: Readonly<Record<Stats['mode'], string>> = {
  hybrid: 'A log in the private file system of this origin, and a cache of values in memory',
  aof: 'A log in the private file system of this origin',
  disk: 'IndexedDB',
  memory: 'Memory: gone with the tab',
};

const HOST_WORDS: Readonly<Record<Capabilities['host'], string>> = {
  worker: 'in a worker',
  'blob-worker': 'in a worker made from a Blob',
  'same-thread': 'on the thread of the page',
};
