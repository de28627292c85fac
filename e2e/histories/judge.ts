/** Notes of tabs to what they prove: histories of each key, and how much was added to each counter. */
import { type Operation, violation } from './linearizable.js';
import type { Note } from './play.js';

export interface Verdict {
  readonly calls: number;
  readonly answered: number;
  readonly refused: number;
  readonly violations: readonly string[];
}

/** Clocks of tabs agree to this many milliseconds. */
const CLOCK_MS = 1;

export function judge(notes: readonly Note[], counters: Readonly<Record<string, number>>): Verdict {
  const calls = new Map<string, { begun: Note; answer: Note | undefined }>();
  for (const note of notes) {
    const name = `${note.tab}.${note.call}`;
    const call = calls.get(name);
    if (!note.answered) calls.set(name, { begun: note, answer: call?.answer });
    else if (call) call.answer = note;
  }
  const all = [...calls.values()];
  const violations: string[] = [];
  for (const key of new Set(all.map(({ begun }) => begun.key))) {
    const ofKey = all.filter(({ begun }) => begun.key === key);
    if (ofKey[0]!.begun.kind === 'add') {
      const done = ofKey.filter(({ answer }) => answer && !answer.error).length;
      const found = counters[key] ?? 0;
      if (found < done || found > ofKey.length) {
        violations.push(`${key} is ${found}: ${done} additions were answered, ${ofKey.length} asked for`);
      }
      continue;
    }
    const wrong = violation(ofKey.map(operation));
    if (wrong) violations.push(`${key}: ${wrong}`);
  }
  const answered = all.filter(({ answer }) => answer && !answer.error).length;
  const refused = all.filter(({ answer }) => answer?.error).length;
  return { calls: all.length, answered, refused, violations };
}

function operation({ begun, answer }: { begun: Note; answer: Note | undefined }): Operation {
  const known = answer && !answer.error;
  return {
    kind: begun.kind === 'write' ? 'write' : 'read',
    value: (begun.kind === 'write' ? begun.value : answer?.value) as string | undefined,
    begin: begun.at - CLOCK_MS,
    end: known ? answer.at + CLOCK_MS : Infinity,
  };
}
