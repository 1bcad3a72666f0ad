/**
 * Splits a line into arguments: inline commands and lines of a configuration file.
 *
 *     set  key "a\r\n\x00\"b"  'it\'s' plain"quoted"
 *
 * - Blanks (space, tab, newline, carriage return, vertical tab, form feed) part arguments. The last
 *   two only count before an argument, not as its end: Redis splits so, and files rely on it.
 * - "..." knows \n \r \t \b \a, \xHH with two hexadecimal digits, and a backslash before any other
 *   byte, which stands for that byte.
 * - '...' knows \' only.
 * - A closing quote must be followed by a blank or by the end. An opening one may stand anywhere.
 * - A zero byte ends the line.
 */

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BACKSLASH = 0x5c;
const LETTER_X = 0x78;

/** The line that is being split, and the next byte to look at. `out` collects one argument. */
type Cursor = {
  readonly line: Uint8Array;
  readonly out: Uint8Array;
  at: number;
  length: number;
};

/**
 * The arguments of a line (a string stands for its UTF-8 bytes): none for a blank line, undefined
 * for unbalanced quotes.
 */
export function splitArgs(line: Uint8Array | string): Uint8Array[] | undefined {
  const bytes = typeof line === 'string' ? new TextEncoder().encode(line) : line;
  const zero = bytes.indexOf(0);
  const cursor: Cursor = {
    line: zero < 0 ? bytes : bytes.subarray(0, zero),
    out: new Uint8Array(bytes.length),
    at: 0,
    length: 0,
  };
  const args: Uint8Array[] = [];
  for (;;) {
    while (isBlank(cursor.line[cursor.at])) cursor.at++;
    if (cursor.at >= cursor.line.length) return args;
    cursor.length = 0;
    if (!readArgument(cursor)) return undefined;
    args.push(cursor.out.slice(0, cursor.length));
  }
}

/** Reads one argument into `out`; false when a quote is not closed as it must be. */
function readArgument(cursor: Cursor): boolean {
  for (;;) {
    const c = cursor.line[cursor.at];
    if (c === undefined) return true;
    cursor.at++;
    switch (c) {
      case SPACE:
      case TAB:
      case NEWLINE:
      case RETURN:
        return true;
      case QUOTE:
        return readQuoted(cursor);
      case APOSTROPHE:
        return readLiteral(cursor);
      default:
        cursor.out[cursor.length++] = c;
    }
  }
}

/** Reads the rest of a "..." part, which is the rest of its argument. */
function readQuoted(cursor: Cursor): boolean {
  const { line, out } = cursor;
  for (;;) {
    const c = line[cursor.at++];
    if (c === undefined) return false;
    if (c === QUOTE) return endsArgument(cursor);
    const next = line[cursor.at];
    if (c !== BACKSLASH || next === undefined) {
      out[cursor.length++] = c;
      continue;
    }
    const high = hexDigit(line[cursor.at + 1]);
    const low = hexDigit(line[cursor.at + 2]);
    if (next === LETTER_X && high >= 0 && low >= 0) {
      out[cursor.length++] = high * 16 + low;
      cursor.at += 3;
    } else {
      out[cursor.length++] = unescaped(next);
      cursor.at++;
    }
  }
}

/** Reads the rest of a '...' part. */
function readLiteral(cursor: Cursor): boolean {
  const { line, out } = cursor;
  for (;;) {
    const c = line[cursor.at++];
    if (c === undefined) return false;
    if (c === APOSTROPHE) return endsArgument(cursor);
    if (c === BACKSLASH && line[cursor.at] === APOSTROPHE) {
      out[cursor.length++] = APOSTROPHE;
      cursor.at++;
    } else {
      out[cursor.length++] = c;
    }
  }
}

/** Behind a closing quote: true at a blank or the end. */
function endsArgument(cursor: Cursor): boolean {
  const next = cursor.line[cursor.at];
  return next === undefined || isBlank(next);
}

function isBlank(c: number | undefined): boolean {
  return c === SPACE || (c !== undefined && c >= TAB && c <= RETURN);
}

function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1;
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const folded = c | 0x20;
  return folded >= 0x61 && folded <= 0x66 ? folded - 0x57 : -1;
}

function unescaped(c: number): number {
  switch (c) {
    case 0x6e:
      return NEWLINE;
    case 0x72:
      return RETURN;
    case 0x74:
      return TAB;
    case 0x62:
      return 0x08;
    case 0x61:
      return 0x07;
    default:
      return c;
  }
}
