/**
 * The root object of a worker, or of a thread that plays worker for itself: what
 * Comlink exposes.
 */
import { proxy, transfer } from 'comlink';
import { LockedError } from '../base/errors.js';
import { version } from '../base/version.js';
import { show } from '../contract/arguments.js';
import { resolveOptions } from '../contract/options.js';
import type { Piece } from '../engine/index.js';
import { choosePlace, destroyStore, findStorage, listStores } from '../storage/choose.js';
import { unpackError } from '../wire/errors.js';
import {
  type Answer,
  type Call,
  type DirectStore,
  type Hello,
  type HostApi,
  type HostOptions,
  type Opened,
  TRANSFER_BYTES,
} from '../wire/messages.js';
import { CALL_NAMES } from './calls.js';
import { surroundings } from './lead.js';
import { LifeLock } from './locks.js';
import { Member } from './member.js';
import { browserTabs } from './platform.js';

const NAME_UNITS_MAX = 100;

export function createRoot(): HostApi {
  const sessions: Member[] = [];
  const tabs = browserTabs();
  // The page asks for it, and gets it when this worker is dead.
  const alive = tabs && new LifeLock(tabs.locks, `rootcellar:alive:${tabs.newId()}`);
  return {
    async hello(): Promise<Hello> {
      await alive?.hold();
      return { version, aliveLock: alive?.name };
    },
    async start(name, options) {
      const member = await openMember(name, options);
      const { mode, capabilities } = await member.opened;
      return { mode, capabilities, session: sessions.push(member) - 1 };
    },
    async run(session, calls) {
      const answers = await runOn(sessions[session]!, calls);
      return withTransfer(answers, answers);
    },
    async suspend(session) {
      await sessions[session]!.suspend();
      alive?.release();
    },
    async resume(session) {
      await alive?.hold();
      await sessions[session]!.resume();
    },
    async open(name, options = {}) {
      return proxy(directStore(await openMember(name, options)));
    },
    async probe(): Promise<Opened> {
      const found = await findStorage();
      const { mode, reason } = await choosePlace('', 'auto', undefined, found);
      return { mode, capabilities: { ...found, ...surroundings(), reason } };
    },
    async list() {
      return listStores(await findStorage());
    },
    async destroy(name) {
      const checked = requireName(name);
      if (!surroundings().locks) return destroyStore(checked, await findStorage());
      const free = await navigator.locks.request(
        `rootcellar:${checked}`,
        { ifAvailable: true },
        async (lock) => {
          if (lock) await destroyStore(checked, await findStorage());
          return lock !== null;
        },
      );
      if (!free) {
        throw new LockedError(
          'the store is open; close it everywhere, or call destroy() of one that is open',
        );
      }
    },
  };
}

function openMember(name: unknown, { directory, ...options }: HostOptions): Promise<Member> {
  resolveOptions(options);
  return Member.open({
    name: requireName(name),
    options,
    directory: directory === undefined ? undefined : requireDirectory(directory),
  });
}

/** `close` and `destroy` come alone, and are the member's; all else is the engine's. */
async function runOn(member: Member, calls: readonly Call[]): Promise<Answer[]> {
  const { method } = calls[0]!;
  if (method !== 'close' && method !== 'destroy') return member.run(calls);
  await member[method]();
  return [{ value: undefined }];
}

function directStore(member: Member): DirectStore {
  const call = async (method: string, ...args: unknown[]) => {
    const [answer] = await runOn(member, [{ method, args }]);
    if ('error' in answer!) throw unpackError(answer.error);
    return withTransfer(answer!.value, [answer!]);
  };
  const scanAll = async (kind: string, range?: unknown) => {
    const items: unknown[] = [];
    let piece = (await call('scan', kind, range)) as Piece;
    for (;;) {
      items.push(...piece.items);
      if (piece.id === 0) return items;
      piece = (await call('scanNext', piece.id)) as Piece;
    }
  };
  const calls = [...CALL_NAMES, 'close', 'destroy'].map((name) => [name, call.bind(undefined, name)]);
  const scans = ['keys', 'values', 'entries', 'keysWithTtl'].map((kind) => [
    kind,
    scanAll.bind(undefined, kind),
  ]);
  return Object.fromEntries([...calls, ...scans]);
}

/** Large buffers of the answers change hands: they were read for this answer alone. */
function withTransfer<T>(message: T, answers: readonly Answer[]): T {
  const buffers = new Set<ArrayBuffer>();
  const add = (value: unknown) => {
    const buffer = value instanceof Uint8Array ? value.buffer : value;
    if (buffer instanceof ArrayBuffer && buffer.byteLength >= TRANSFER_BYTES) buffers.add(buffer);
  };
  for (const answer of answers) {
    if (!('value' in answer)) continue;
    if (Array.isArray(answer.value)) answer.value.forEach(add);
    else add(answer.value);
  }
  return buffers.size === 0 ? message : (transfer(message as object, [...buffers]) as T);
}

function requireName(name: unknown): string {
  if (typeof name !== 'string') throw new TypeError(`name: expected a string, got ${show(name)}`);
  if (name === '' || name.length > NAME_UNITS_MAX) {
    throw new RangeError(`name: expected 1 to ${NAME_UNITS_MAX} characters, got ${name.length}`);
  }
  return name;
}

function requireDirectory(directory: unknown): string {
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError(`directory: expected the path of a folder, got ${show(directory)}`);
  }
  return directory;
}
