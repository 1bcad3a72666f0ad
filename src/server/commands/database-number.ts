/**
 * The number of a database in an argument, as SELECT, MOVE, COPY and SWAPDB take it: a 32-bit
 * integer that names one.
 */
import type { Database } from '../../core/database.ts';
import { parseInteger } from '../../core/text/integer.ts';
import type { Context } from '../dispatch/context.ts';
import { NOT_AN_INTEGER } from '../dispatch/errors.ts';

const INT_MIN = -2147483648;
const INT_MAX = 2147483647;
const OUT_OF_INT_RANGE = `ERR value is out of range, value must between ${INT_MIN} and ${INT_MAX}`;
export const NO_SUCH_DATABASE = 'ERR DB index is out of range';

/**
 * The integer in argument `i`, NaN when it is none or no 32-bit one: then the error has been
 * answered.
 */
export function int32At(c: Context, i: number, error?: string): number {
  const { args } = c;
  const value = parseInteger(args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
  if (value >= INT_MIN && value <= INT_MAX) return value;
  c.reply.error(error ?? (Number.isNaN(value) ? NOT_AN_INTEGER : OUT_OF_INT_RANGE));
  return Number.NaN;
}

/** The database that argument `i` names, or null: then the error has been answered. */
export function databaseAt(c: Context, i: number): Database | null {
  const number = int32At(c, i);
  if (Number.isNaN(number)) return null;
  const found = c.keyspace.databases[number];
  if (found === undefined) c.reply.error(NO_SUCH_DATABASE);
  return found ?? null;
}
