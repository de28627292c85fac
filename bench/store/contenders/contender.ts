/** What a contender of the store benchmark offers. A new one is one file like those beside this. */
export interface Contender {
  readonly name: string;
  /** What a write that resolved survives, in words. */
  readonly durability: string;
  /** A new, empty store. */
  open(): Promise<Opened>;
}

export interface Opened {
  set(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<unknown>;
  setMany(entries: [string, string][]): Promise<unknown>;
  getMany(keys: string[]): Promise<unknown[]>;
  /** Closes and removes it. */
  destroy(): Promise<void>;
}
