/**
 * What calls of other tabs were answered, kept until they say that they know.
 *
 * A tab numbers its calls. The answer of a call that changed something is logged in the
 * commit that changed it, with the tab and the number. So when the tab that leads dies
 * before its answer has arrived, the call is sent again to the next leader, which finds
 * here that it was done, and answers what it answered then: nothing is done twice.
 *
 * A call that changed nothing, or was refused, leaves nothing here: nobody could tell that
 * it was made, and it is made again.
 *
 * Bounded by what is under way: a tab tells with each message up to which number it has
 * its answers, and what it left is dropped once it is gone.
 */

import { andThen, type Eventually } from '../base/bytes.js';
import { decode, type Encoded, encode } from '../base/codec/index.js';
import { type EntryFields, entry, Type } from '../storage/log/index.js';

/** Which call of which tab. */
export interface Origin {
  readonly client: string;
  readonly number: number;
}

export interface RecordedAnswer extends Origin {
  /** Number, whether it is a commit, and the answer, in one value. */
  readonly encoded: Encoded;
}

/** An answer as it was given; of a commit, how far it has got is asked anew. */
export interface GivenAnswer {
  readonly value: unknown;
  readonly isCommit: boolean;
}

export class Answers {
  readonly #byClient = new Map<string, Map<number, Encoded>>();

  note({ client, number, encoded }: RecordedAnswer): void {
    const answers = this.#byClient.get(client);
    if (answers) answers.set(number, encoded);
    else this.#byClient.set(client, new Map([[number, encoded]]));
  }

  find({ client, number }: Origin): GivenAnswer | undefined {
    const encoded = this.#byClient.get(client)?.get(number);
    return encoded && decodeAnswer(encoded);
  }

  /** The tab has the answers of all calls before `number`. */
  forget(client: string, number: number): void {
    const answers = this.#byClient.get(client);
    if (!answers) return;
    for (const known of answers.keys()) if (known < number) answers.delete(known);
    if (answers.size === 0) this.#byClient.delete(client);
  }

  /** The tab is gone. */
  drop(client: string): void {
    this.#byClient.delete(client);
  }

  clients(): string[] {
    return [...this.#byClient.keys()];
  }

  *all(): Generator<RecordedAnswer, void> {
    for (const [client, answers] of this.#byClient) {
      for (const [number, encoded] of answers) yield { client, number, encoded };
    }
  }
}

/** The answer to `origin` as it is logged. */
export function recordAnswer(
  { client, number }: Origin,
  { value, isCommit }: GivenAnswer,
): Eventually<RecordedAnswer> {
  return andThen(encode([number, isCommit, value]), (encoded) => ({ client, number, encoded }));
}

function decodeAnswer({ kind, bytes }: Encoded): GivenAnswer {
  const [, isCommit, value] = decode(kind, bytes) as [number, boolean, unknown];
  return { isCommit, value };
}

export function answerEntry(
  { client, encoded }: Pick<RecordedAnswer, 'client' | 'encoded'>,
  sequence: number,
  time: number,
): EntryFields {
  return entry({ type: Type.Answer, sequence, time, key: client, kind: encoded.kind, value: encoded.bytes });
}

/** The answer that an ANSWER entry holds, of memory that is its own. */
export function answerIn({ key, kind, value }: Pick<EntryFields, 'key' | 'kind' | 'value'>): RecordedAnswer {
  const bytes = new Uint8Array(value);
  const [number] = decode(kind, bytes) as [number];
  return { client: key, number, encoded: { kind, bytes } };
}
