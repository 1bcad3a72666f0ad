/**
 * Texts of short arguments that come again and again, such as the names of groups and consumers:
 * the same bytes give the same string, which a map finds by its hash without reading it.
 *
 *     slot    by length, first and last bytes: one text, replaced by the next one that falls there
 */
import type { Args } from '../resp/args.ts';

const SLOTS = 64;
const LENGTH_MAX = 64;

export class TextMemo {
  private readonly texts: string[] = new Array<string>(SLOTS).fill('');

  /** Argument `i` as a string of one character a byte. */
  of(args: Args, i: number): string {
    const length = args.lengths[i]!;
    if (length === 0 || length > LENGTH_MAX) return args.text(i);
    const bytes = args.bytes[i]!;
    const from = args.offsets[i]!;
    const first = bytes[from]!;
    const last = bytes[from + length - 1]!;
    const slot = (length + first * 7 + last * 13) & (SLOTS - 1);
    const known = this.texts[slot]!;
    if (known.length === length) {
      let at = 0;
      while (at < length && known.charCodeAt(at) === bytes[from + at]) at++;
      if (at === length) return known;
    }
    const text = args.text(i);
    this.texts[slot] = text;
    return text;
  }
}
