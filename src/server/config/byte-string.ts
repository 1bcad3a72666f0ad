/**
 * Byte strings: strings of which every character is one byte, 0x00 to 0xff ("latin1").
 *
 * Configuration values come from files and from the wire as bytes, and CONFIG GET gives them back
 * byte for byte, a password in any encoding included. As byte strings they can be compared, split
 * and printed like text. Paths and messages for people are decoded from UTF-8 where they leave.
 */
import { latin1Bytes, latin1Text } from '../../core/text/latin1.ts';
import { quotedLength, writeQuoted } from '../../core/text/quoted.ts';

/** The byte string of ordinary text, encoded as UTF-8. */
export function toByteString(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The ordinary text that a byte string holds as UTF-8; broken sequences become U+FFFD. */
export function fromByteString(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** One argument between double quotes, with escapes, so that any bytes survive a conf file. */
export function quoteArgument(text: string): string {
  const bytes = latin1Bytes(text);
  const out = new Uint8Array(quotedLength(bytes, 0, bytes.length));
  return latin1Text(out, 0, writeQuoted(out, 0, bytes, 0, bytes.length));
}
