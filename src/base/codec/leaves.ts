/** Objects without a way back to themselves, and the head of an error: both directions of each side by side. */
import { ERROR_NAMES, ErrorPart, Tag } from './format.js';
import type { Input } from './input.js';
import type { Output } from './output.js';

export function writeDate(out: Output, date: Date): void {
  out.byte(Tag.Date);
  out.double(Date.prototype.getTime.call(date));
}

export function readDate(input: Input): Date {
  return new Date(input.double());
}

const sourceOf = Object.getOwnPropertyDescriptor(RegExp.prototype, 'source')!.get!;
const flagsOf = Object.getOwnPropertyDescriptor(RegExp.prototype, 'flags')!.get!;

export function writeRegExp(out: Output, expression: RegExp): void {
  out.byte(Tag.RegExp);
  out.string(sourceOf.call(expression));
  out.string(flagsOf.call(expression));
}

export function readRegExp(input: Input): RegExp {
  const source = input.string();
  return new RegExp(source, input.string());
}

export function writeBoxed(
  out: Output,
  object: object,
  brand: 'Boolean' | 'Number' | 'String' | 'BigInt',
): void {
  out.byte(Tag.Boxed);
  if (brand === 'Boolean') out.byte(Boolean.prototype.valueOf.call(object) ? Tag.True : Tag.False);
  else if (brand === 'Number') out.number(Number.prototype.valueOf.call(object));
  else if (brand === 'String') out.string(String.prototype.valueOf.call(object));
  else out.bigint(BigInt.prototype.valueOf.call(object));
}

export function readBoxed(input: Input): object {
  const tag = input.byte();
  if (tag === Tag.False || tag === Tag.True) return Object(tag === Tag.True);
  if (tag === Tag.BigInt || tag === Tag.NegativeBigInt) return Object(input.bigint(tag));
  const inside = input.numberOf(tag) ?? input.stringOf(tag);
  if (inside === undefined) throw input.corrupt(`tag ${tag} in a boxed value`);
  return Object(inside);
}

/** Writes all but the cause; gives the cause in `[ ]` if there is one, which must follow. */
export function writeError(out: Output, error: Error): [cause: unknown] | undefined {
  const name: unknown = error.name;
  const index = ERROR_NAMES.indexOf(name as (typeof ERROR_NAMES)[number]);
  const message = Object.getOwnPropertyDescriptor(error, 'message');
  const hasMessage = message !== undefined && 'value' in message;
  const stack: unknown = error.stack;
  const hasCause = Object.hasOwn(error, 'cause');
  out.byte(Tag.Error);
  out.byte(Math.max(0, index));
  out.byte(
    (hasMessage ? ErrorPart.Message : 0) |
      (typeof stack === 'string' ? ErrorPart.Stack : 0) |
      (hasCause ? ErrorPart.Cause : 0),
  );
  if (hasMessage) out.string(String(message.value));
  if (typeof stack === 'string') out.string(stack);
  return hasCause ? [error.cause] : undefined;
}

const ERRORS: Readonly<Record<(typeof ERROR_NAMES)[number], ErrorConstructor>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};
const ALL_PARTS = ErrorPart.Message | ErrorPart.Stack | ErrorPart.Cause;

/** The error without its cause, and whether that follows. */
export function readError(input: Input): { error: Error; hasCause: boolean } {
  const name = ERROR_NAMES[input.byte()];
  const parts = input.byte();
  if (name === undefined || (parts & ~ALL_PARTS) !== 0) throw input.corrupt('no known error');
  const type = ERRORS[name];
  const error = (parts & ErrorPart.Message) !== 0 ? new type(input.string()) : new type();
  // Its own stack would tell where it was decoded.
  setHidden(error, 'stack', (parts & ErrorPart.Stack) !== 0 ? input.string() : undefined);
  return { error, hasCause: (parts & ErrorPart.Cause) !== 0 };
}

/** Sets a property as the constructor of an error does. */
export function setHidden(error: Error, key: 'stack' | 'cause', value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true });
}
