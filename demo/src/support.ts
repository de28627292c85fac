/**
 * Support statements in words.
 *
 * A statement says since when a browser has a feature, until when, and with what
 * restrictions. A value of the data set is one statement or several, the first of
 * which is the one that counts today; the others are its past or its other names.
 */

export interface Statement {
  readonly version_added: string | false;
  readonly version_removed?: string;
  readonly partial_implementation?: true;
  readonly prefix?: string;
  readonly alternative_name?: string;
  readonly flags?: readonly {
    readonly type: string;
    readonly name: string;
    readonly value_to_set?: string;
  }[];
  readonly notes?: string | readonly string[];
}

export type Support = Statement | readonly Statement[];

/** `yes` and `partial` count as support; `flag` is there but off; `preview` is not released yet. */
export type Kind = 'yes' | 'partial' | 'flag' | 'preview' | 'removed' | 'no';

export interface Description {
  readonly kind: Kind;
  /** What fits a table cell: `66`, `12–78`, `No`. */
  readonly short: string;
  /** Restrictions in words, without the notes. */
  readonly remarks: readonly string[];
  /** Notes with markup of the data set (`code`, `a`, `em`). */
  readonly notes: readonly string[];
}

export const KIND_WORDS: Readonly<Record<Kind, string>> = {
  yes: 'Supported',
  partial: 'In part',
  flag: 'Behind a flag',
  preview: 'In preview',
  removed: 'Removed',
  no: 'Not supported',
};

/** The statement that counts today, then the others. */
export function describeAll(support: Support): Description[] {
  return (Array.isArray(support) ? support : [support]).map(describe);
}

export function describe(statement: Statement): Description {
  const { version_added: added, version_removed: removed, flags, notes } = statement;
  return {
    kind: kindOf(statement),
    short: added === false ? 'No' : removed === undefined ? name(added) : `${name(added)}–${name(removed)}`,
    remarks: [
      ...(removed !== undefined ? [`Removed in ${name(removed)}`] : []),
      ...(statement.partial_implementation ? ['Implemented in part'] : []),
      ...(statement.prefix !== undefined ? [`With the prefix ${statement.prefix}`] : []),
      ...(statement.alternative_name !== undefined ? [`Under the name ${statement.alternative_name}`] : []),
      ...(flags ?? []).map(flagInWords),
    ],
    notes: notes === undefined ? [] : typeof notes === 'string' ? [notes] : notes,
  };
}

function kindOf(statement: Statement): Kind {
  if (statement.version_added === false) return 'no';
  if (statement.version_removed !== undefined) return 'removed';
  if (statement.flags) return 'flag';
  if (statement.version_added === 'preview') return 'preview';
  return statement.partial_implementation ? 'partial' : 'yes';
}

function flagInWords({ type, name, value_to_set }: NonNullable<Statement['flags']>[number]): string {
  const where = type === 'preference' ? 'the preference' : 'the runtime flag';
  return `Off unless ${where} ${name} is set${value_to_set === undefined ? '' : ` to ${value_to_set}`}`;
}

function name(version: string): string {
  return version === 'preview' ? 'Preview' : version;
}
