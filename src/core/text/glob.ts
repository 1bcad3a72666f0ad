/**
 * Glob matching of byte strings, as KEYS, SCAN, PSUBSCRIBE, CONFIG GET and ACL patterns use it.
 *
 *     *        any bytes, none included      ?        one byte
 *     [abc]    one of these                  [^abc]   one that is not among these
 *     [a-f]    one of a range                \x       the byte x itself
 *
 * The corners are those of Redis 7.0's `stringmatchlen`, which clients have come to lean on:
 *
 * - An empty string matches the empty pattern only, not even `*`.
 * - A class that is not closed ends with the pattern: `[ab` is `[ab]`.
 * - `[z-a]` is `[a-z]`; `[a-]` is an unclosed class with the range from `a` to `]`.
 * - Ranges compare bytes as signed: 0x80 to 0xff come before 0x00.
 * - In a class, an escaped byte is compared as it is, also when case is ignored.
 *
 * Time: a mismatch goes back to the last `*` only. Going further back cannot help, since the rest
 * of the pattern would have to match at a later place that was already tried. So the cost is at
 * most patLen x strLen, whatever the number of stars. Nothing is allocated.
 */

const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const BACKSLASH = 0x5c;
const DASH = 0x2d;

/** Where the class that `matchClass` looked at last ends in the pattern. */
let classEnd = 0;

/** True when all of `str[strOff, strLen]` matches `pat[patOff, patLen]`; `nocase` folds ASCII. */
export function globMatch(
  pat: Uint8Array,
  patOff: number,
  patLen: number,
  str: Uint8Array,
  strOff: number,
  strLen: number,
  nocase: boolean,
): boolean {
  const patEnd = patOff + patLen;
  const strEnd = strOff + strLen;
  let p = patOff;
  let s = strOff;
  let starPat = -1;
  let starStr = 0;
  if (s === strEnd) return p === patEnd;
  for (;;) {
    let matched = false;
    if (p < patEnd) {
      const c = pat[p]!;
      if (c === STAR) {
        do p++;
        while (p < patEnd && pat[p] === STAR);
        if (p === patEnd) return true;
        starPat = p;
        starStr = s;
        continue;
      }
      if (c === OPEN) {
        matched = matchClass(pat, p + 1, patEnd, str[s]!, nocase);
        p = classEnd;
      } else {
        if (c === BACKSLASH && p + 1 < patEnd) p++;
        matched = c === QUESTION || sameByte(pat[p]!, str[s]!, nocase);
        p++;
      }
    }
    if (matched) {
      s++;
      if (s < strEnd) continue;
      while (p < patEnd && pat[p] === STAR) p++;
      return p === patEnd;
    }
    if (starPat < 0) return false;
    starStr++;
    if (starStr === strEnd) return false;
    p = starPat;
    s = starStr;
  }
}

function sameByte(a: number, b: number, nocase: boolean): boolean {
  return a === b || (nocase && foldByte(a) === foldByte(b));
}

function foldByte(c: number): number {
  return c >= 0x41 && c <= 0x5a ? c + 32 : c;
}

/**
 * A signed byte as C's `tolower` gives it back in the C locale: letters are folded, and the bytes
 * 0x80 to 0xfe, negative before, come out positive. It matters for ranges only.
 */
function foldSigned(c: number): number {
  return c < -1 ? c + 256 : foldByte(c);
}

/** Matches one byte with the class that begins at `p`, behind its `[`; sets `classEnd`. */
function matchClass(
  pat: Uint8Array,
  p: number,
  patEnd: number,
  byte: number,
  nocase: boolean,
): boolean {
  const negated = p < patEnd && pat[p] === CARET;
  if (negated) p++;
  let found = false;
  for (;;) {
    if (p >= patEnd) {
      classEnd = patEnd;
      return found !== negated;
    }
    const c = pat[p]!;
    if (c === BACKSLASH && p + 1 < patEnd) {
      p++;
      if (pat[p] === byte) found = true;
    } else if (c === CLOSE) {
      classEnd = p + 1;
      return found !== negated;
    } else if (p + 2 < patEnd && pat[p + 1] === DASH) {
      if (inRange(c, pat[p + 2]!, byte, nocase)) found = true;
      p += 2;
    } else if (sameByte(c, byte, nocase)) {
      found = true;
    }
    p++;
  }
}

function inRange(from: number, to: number, byte: number, nocase: boolean): boolean {
  let low = (from << 24) >> 24;
  let high = (to << 24) >> 24;
  let c = (byte << 24) >> 24;
  if (low > high) {
    const swap = low;
    low = high;
    high = swap;
  }
  if (nocase) {
    low = foldSigned(low);
    high = foldSigned(high);
    c = foldSigned(c);
  }
  return c >= low && c <= high;
}
