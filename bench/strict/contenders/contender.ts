/** What a contender of the benchmark of strict writes offers. A new one is one file like those beside this. */
export interface Contender {
  readonly name: string;
  /** What a write that resolved survives, in words, and under which conditions. */
  readonly durability: string;
  /** The same store each time; its files are as old as the run. */
  open(): Promise<Opened>;
}

/** Each of these resolves when what it wrote was flushed. */
export interface Opened {
  set(key: string, value: string): Promise<unknown>;
  /** All in one, whole or not at all. */
  setMany(entries: readonly (readonly [string, string])[]): Promise<unknown>;
  get(key: string): Promise<unknown>;
  close(): Promise<void>;
}
