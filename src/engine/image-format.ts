/**
 * Payload of an image of the state, version 1: a row of *sections*. Integers are
 * little-endian. Check, generation and length of the whole are `storage/images.ts`.
 *
 *    offset  size  field
 *    ------  ----  --------------------------------------------------------------
 *         0     4  type
 *         4     4  length      bytes of the body
 *         8     n  body
 *
 *    type  body
 *    ----  ------------------------------------------------------------------------
 *       1  FIGURES     the first section: JSON in UTF-8, the format, `Figures`, and what else
 *                      is not in a section of its own, as the checkpoints
 *       2  INDEX       a segment of the index, `structures/maplet/index-format.ts`;
 *                      all of them in order of prefix
 *       3  OBJECTS     a segment of the objects, in the same way
 *       4  REFERENCES  rows of u32 object, u32 how many keys have it
 *       5  DEADLINES   rows of i32, i32 hash of a key, f64 deadline
 *       6  RUN         its fences, `structures/runs/fences.ts`; one section a run
 *       7  END         the last section: nothing
 *       8  ANSWER      u16 kind of the encoded answer, u16 code units of the tab, the tab in
 *                      one byte each, the encoded answer; one section an answer (`answers.ts`)
 *
 * Other figures or sections mean another `format`; a reader takes its own alone.
 */
import { getUnits, putUnits } from '../base/bytes.js';
import { FormatError } from '../base/errors.js';
import type { Position } from '../storage/log/index.js';
import type { Rows } from '../structures/expiry/index.js';
import { decodeSegments, encodeSegments, type IndexMaplet } from '../structures/maplet/index.js';
import { decodeFences, encodeFences, type Run } from '../structures/runs/index.js';
import { answerIn, type RecordedAnswer } from './answers.js';
import type { Mark, Marks } from './mark.js';

const FORMAT = 1;
const Section = {
  Figures: 1,
  Index: 2,
  Objects: 3,
  References: 4,
  Deadlines: 5,
  Run: 6,
  End: 7,
  Answer: 8,
} as const;
const SECTION_HEAD = 8;
/** Rows of references or deadlines in a section: what is encoded at once. */
const ROWS = 16_384;

export interface Figures {
  readonly version: number;
  readonly time: number;
  readonly firstTime: number;
  readonly keys: number;
  readonly logicalBytes: number;
  readonly objectCount: number;
  readonly objectBytes: number;
  /** Not there where it is 0. */
  readonly chunkCount?: number | undefined;
  readonly perPut: readonly [puts: number, overhead: number];
}

/** What an image says. */
export interface Image {
  readonly figures: Figures;
  readonly dedup: boolean;
  /** Up to where in the log it is true. */
  readonly position: Position;
  /** Bytes of the log up to there. */
  readonly logBytes: number;
  readonly index: IndexMaplet;
  readonly objects: IndexMaplet;
  /** Object and count, in turn. */
  readonly references: Uint32Array;
  readonly deadlines: Rows;
  readonly runs: readonly Run[];
  readonly answers: readonly RecordedAnswer[];
  readonly marks: Marks;
}

/** The payload in pieces, each the work of well under a millisecond. `image` must not change meanwhile. */
export function* encodeImage(image: Image): Generator<Uint8Array, void> {
  const { figures, dedup, position, logBytes, index, objects } = image;
  const marks = image.marks.size > 0 ? [...image.marks.values()] : undefined;
  const facts = { format: FORMAT, figures, dedup, position, logBytes, options: index.options, marks };
  yield* section(Section.Figures, new TextEncoder().encode(JSON.stringify(facts)));
  for (const bytes of encodeSegments(index)) yield* section(Section.Index, bytes);
  for (const bytes of encodeSegments(objects)) yield* section(Section.Objects, bytes);
  const { references } = image;
  for (let at = 0; at < references.length; at += 2 * ROWS) {
    yield* section(Section.References, encodeReferences(references.subarray(at, at + 2 * ROWS)));
  }
  for (let at = 0; at < image.deadlines.deadline.length; at += ROWS) {
    yield* section(Section.Deadlines, encodeDeadlines(image.deadlines, at));
  }
  for (const run of image.runs) yield* section(Section.Run, encodeFences(run));
  for (const answer of image.answers) yield* section(Section.Answer, encodeAnswer(answer));
  yield* section(Section.End, new Uint8Array(0));
}

/** @throws when it is not an image of this format, of whatever class: the caller does without. */
export function decodeImage(payload: Uint8Array): Image {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const bodies = new Map<number, Uint8Array[]>();
  let type = 0;
  for (let at = 0; at < payload.length; ) {
    type = view.getUint32(at, true);
    const end = at + SECTION_HEAD + view.getUint32(at + 4, true);
    if (type < Section.Figures || type > Section.Answer || end > payload.length)
      throw new FormatError('no image');
    const body = payload.subarray(at + SECTION_HEAD, end);
    const others = bodies.get(type);
    if (others) others.push(body);
    else bodies.set(type, [body]);
    at = end;
  }
  if (type !== Section.End) throw new FormatError('an image without its end');
  const all = (type: number) => bodies.get(type) ?? [];
  const {
    format,
    figures,
    dedup,
    position,
    logBytes,
    options,
    marks = [],
  } = JSON.parse(new TextDecoder().decode(all(Section.Figures)[0]));
  if (format !== FORMAT) throw new FormatError(`an image of format ${format}`);
  return {
    figures,
    dedup,
    position,
    logBytes,
    index: decodeSegments(all(Section.Index), options),
    objects: decodeSegments(all(Section.Objects), options),
    references: decodeReferences(all(Section.References)),
    deadlines: decodeDeadlines(all(Section.Deadlines)),
    runs: all(Section.Run).map(decodeFences),
    answers: all(Section.Answer).map(decodeAnswer),
    marks: new Map((marks as Mark[]).map((mark) => [mark.label, mark])),
  };
}

function* section(type: number, body: Uint8Array): Generator<Uint8Array, void> {
  const head = new Uint8Array(SECTION_HEAD);
  const view = new DataView(head.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, body.length, true);
  yield head;
  yield body;
}

function encodeReferences(pairs: Uint32Array): Uint8Array {
  const bytes = new Uint8Array(pairs.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < pairs.length; i++) view.setUint32(i * 4, pairs[i]!, true);
  return bytes;
}

function decodeReferences(bodies: readonly Uint8Array[]): Uint32Array {
  const pairs = new Uint32Array(bodies.reduce((sum, { length }) => sum + length / 4, 0));
  let i = 0;
  for (const body of bodies) {
    const view = viewOf(body);
    for (let at = 0; at < body.length; at += 4) pairs[i++] = view.getUint32(at, true);
  }
  return pairs;
}

/** Rows from `start` on that are scheduled. */
function encodeDeadlines({ high, low, deadline }: Rows, start: number): Uint8Array {
  const bytes = new Uint8Array(ROWS * 16);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let i = start; i < Math.min(start + ROWS, deadline.length); i++) {
    if (Number.isNaN(deadline[i]!)) continue;
    view.setInt32(at, high[i]!, true);
    view.setInt32(at + 4, low[i]!, true);
    view.setFloat64(at + 8, deadline[i]!, true);
    at += 16;
  }
  return bytes.subarray(0, at);
}

function decodeDeadlines(bodies: readonly Uint8Array[]): Rows {
  const count = bodies.reduce((sum, { length }) => sum + length / 16, 0);
  const rows: Rows = {
    high: new Int32Array(count),
    low: new Int32Array(count),
    deadline: new Float64Array(count),
  };
  let i = 0;
  for (const body of bodies) {
    const view = viewOf(body);
    for (let at = 0; at < body.length; at += 16, i++) {
      rows.high[i] = view.getInt32(at, true);
      rows.low[i] = view.getInt32(at + 4, true);
      rows.deadline[i] = view.getFloat64(at + 8, true);
    }
  }
  return rows;
}

const ANSWER_HEAD = 4;

function encodeAnswer({ client, encoded }: RecordedAnswer): Uint8Array {
  const bytes = new Uint8Array(ANSWER_HEAD + client.length + encoded.bytes.length);
  const view = viewOf(bytes);
  view.setUint16(0, encoded.kind, true);
  view.setUint16(2, client.length, true);
  bytes.set(encoded.bytes, putUnits(bytes, ANSWER_HEAD, client, false));
  return bytes;
}

function decodeAnswer(body: Uint8Array): RecordedAnswer {
  const view = viewOf(body);
  const end = ANSWER_HEAD + view.getUint16(2, true);
  const key = getUnits(body, ANSWER_HEAD, end, false);
  return answerIn({ key, kind: view.getUint16(0, true), value: body.subarray(end) });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
