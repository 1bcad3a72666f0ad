/**
 * Byte strings: strings of which every character is one byte, 0x00 to 0xff ("latin1").
 *
 * Configuration values come from files and from the wire as bytes, and CONFIG GET gives them back
 * byte for byte, a password in any encoding included. As byte strings they can be compared, split
 * and printed like text. Paths and messages for people are decoded from UTF-8 where they leave.
 */

/** The byte string of ordinary text, encoded as UTF-8. */
export function toByteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The ordinary text that a byte string holds as UTF-8; broken sequences become U+FFFD. */
export function fromByteString(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** One argument between double quotes, with escapes, so that any bytes survive a conf file. */
export function quoteArgument(bytes: string): string {
  let out = '"';
  for (let i = 0; i < bytes.length; i++) out += escapeByte(bytes.charCodeAt(i));
  return `${out}"`;
}

const SHORT_ESCAPES = new Map([
  [0x5c, '\\\\'],
  [0x22, '\\"'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x07, '\\a'],
  [0x08, '\\b'],
]);

function escapeByte(byte: number): string {
  const short = SHORT_ESCAPES.get(byte);
  if (short !== undefined) return short;
  if (byte >= 0x20 && byte <= 0x7e) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}
