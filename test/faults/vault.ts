/**
 * A vault that can lose power and fail: what a write that was answered has made lasts,
 * one that is under way when the power goes is there whole or not at all.
 */
import type { Piece, Vault, VaultChange } from '../../src/storage/vault.js';
import type { Chance } from './chance.js';

export type VaultOperation = 'header' | 'pieces' | 'write';

/** `done`: it has happened all the same. */
export interface VaultFault {
  readonly throws: Error;
  readonly done?: boolean;
}

export class FakeVault implements Vault {
  calls = 0;
  writes = 0;
  closed = false;
  /** Something has gone wrong since it was opened: what is not in the files may not be here either. */
  faulted = false;
  /** Asked before each call what is to go wrong with it. */
  fault: ((operation: VaultOperation, number: number) => VaultFault | undefined) | undefined;
  /** Told when a write begins, and when it has been made. */
  after: (() => void) | undefined;
  #header: Uint8Array | undefined;
  #logs = new Map<number, Map<number, Uint8Array>>();
  #underWay: VaultChange | undefined;

  async header(): Promise<Uint8Array | undefined> {
    this.#begin('header');
    return this.#header?.slice();
  }

  async pieces(generation: number): Promise<Piece[]> {
    this.#begin('pieces');
    const pieces = [...(this.#logs.get(generation) ?? [])].sort(([a], [b]) => a - b);
    return pieces.map(([at, sealed]) => ({ at, sealed: sealed.slice() }));
  }

  async write(check: (header: Uint8Array | undefined) => void, change: VaultChange): Promise<void> {
    this.#begin('write', () => this.#apply(change));
    check(this.#header?.slice());
    this.#underWay = change;
    this.after?.();
    await new Promise(setImmediate);
    this.#apply(change);
    this.#underWay = undefined;
    this.writes += 1;
    this.after?.();
  }

  close(): void {
    this.closed = true;
  }

  async destroy(): Promise<void> {
    this.#header = undefined;
    this.#logs.clear();
  }

  /** One of those that may be found when the power is back. */
  crash(chance: Chance): FakeVault {
    const found = this.copy();
    if (this.#underWay && chance.one(2)) found.#apply(this.#underWay);
    return found;
  }

  copy(): FakeVault {
    const copy = new FakeVault();
    copy.#header = this.#header;
    copy.#logs = new Map([...this.#logs].map(([generation, log]) => [generation, new Map(log)]));
    return copy;
  }

  /** Alters what lies in it behind everybody's back. */
  damage(change: VaultChange): void {
    this.#apply(change);
  }

  get bytes(): number {
    let sum = 0;
    for (const log of this.#logs.values()) for (const { length } of log.values()) sum += length;
    return sum;
  }

  #begin(operation: VaultOperation, act?: () => void): void {
    const fault = this.fault?.(operation, this.calls++);
    if (!fault) return;
    this.faulted = true;
    if (fault.done) act?.();
    throw fault.throws;
  }

  #apply({ header, pieces, keepOnly }: VaultChange): void {
    if (header) this.#header = header.slice();
    if (keepOnly !== undefined) {
      for (const generation of this.#logs.keys()) if (generation !== keepOnly) this.#logs.delete(generation);
    }
    if (!pieces) return;
    const log = this.#logs.get(pieces.generation) ?? new Map<number, Uint8Array>();
    this.#logs.set(pieces.generation, log);
    for (const { at, sealed } of pieces.put) log.set(at, sealed.slice());
  }
}
