/**
 * Whether the lines of a manifest make sense together: the grammar alone lets a damaged one pass.
 *
 * The format has no checksum and no room for one, since programs take its last line for the current
 * increment. But a server only ever writes manifests of this form, newest history first, the
 * increments of each rewrite before the base they belonged to:
 *
 *     b3   h:i3 h:i4 h:b2   h:i2 h:b1   i5 i6
 *
 * One flipped bit in it is harmless (a key in another case) or breaks a rule, the grammar's or one
 * of these:
 *
 *   what the bit hits     what breaks
 *   a number              the name of a file carries the sequence of its line
 *   another part of name  a name is none of the server's own, and one bit away from one
 *   i becomes h           the line ends the history, which a base must end; or it stands behind a
 *                         live increment, where no history is
 *   h becomes i           of a base: its name; of an increment: the history (at least the base of
 *                         the same rewrite) goes on behind it
 *   a line's end          it joins two lines, whose words at the seam become one: an odd number
 *
 * `b` is more than one bit away from the other types. Names that are not the server's own (someone
 * put the manifest together) say nothing and are left alone; the single file of an older server,
 * taken in under its old name, is known to be a base.
 */

/** `<any>.<sequence>.base.rdb`, `.base.aof` or `.incr.aof`. */
const NUMBERED = /\.(\d+)\.(?:base\.(?:rdb|aof)|(incr)\.aof)$/;

const ENDINGS = ['base.rdb', 'base.aof', 'incr.aof'] as const;

/** What a line says of its file. */
export type ManifestLine = {
  readonly name: string;
  readonly seq: number;
  readonly type: 'base' | 'history' | 'incr';
};

/**
 * What contradicts itself in one line; undefined when nothing does. Both names as latin1, a
 * character a byte: a flipped bit may leave no UTF-8.
 */
export function nonsenseIn(line: ManifestLine, appendFilename: string): string | undefined {
  const { name, seq, type } = line;
  const number = NUMBERED.exec(name)?.[1];
  if (number !== undefined && Number(number) !== seq) {
    return `The file's name has sequence ${number} and its line ${seq}: ${ADVICE}`;
  }
  if (type === 'incr' && isBaseName(name, appendFilename)) {
    return `A base is named as an increment: ${ADVICE}`;
  }
  if (type === 'base' && isIncrName(name)) return `An increment is named as the base: ${ADVICE}`;
  const own = [appendFilename, ...ENDINGS.map((ending) => `${appendFilename}.${seq}.${ending}`)];
  const meant = own.includes(name) ? undefined : own.find((one) => isOneBitApart(one, name));
  if (meant === undefined) return undefined;
  return `The file's name is one bit away from '${meant}': ${ADVICE}`;
}

/** What is wrong with history that ends with this file; undefined when nothing is. */
export function nonsenseAtEndOfHistory(name: string): string | undefined {
  if (!isIncrName(name)) return undefined;
  return (
    'An increment ends the history, where the base it belonged to must be: it is live, type i, ' +
    `or that line is missing: ${ADVICE}`
  );
}

export const HISTORY_BEHIND_INCREMENT =
  'History stands behind a live increment: either this line is live, type i, or those before it ' +
  'are history, type h: ';

const ADVICE =
  'the manifest is damaged, or was edited. Make a copy of the AOF folder, then correct the line ' +
  'or restore the folder from a backup';

/** Whether the name is that of an increment. */
export function isIncrName(name: string): boolean {
  return NUMBERED.exec(name)?.[2] !== undefined;
}

function isBaseName(name: string, appendFilename: string): boolean {
  return name === appendFilename || (NUMBERED.test(name) && !isIncrName(name));
}

function isOneBitApart(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let differing = 0;
  for (let i = 0; i < one.length; i++) {
    for (let bits = one.charCodeAt(i) ^ other.charCodeAt(i); bits !== 0; bits &= bits - 1) {
      differing++;
    }
  }
  return differing === 1;
}
