/**
 * Reads RESP2 and RESP3 replies and keeps the exact bytes of each.
 *
 *   stream   :  *2\r\n$1\r\na\r\n:7\r\n  +OK\r\n  >3\r\n...
 *   replies  :  [--- raw, value ------]  [raw ]  [raw, push]
 *
 * `raw` is what two servers are compared by; `value` is what a test reads. Bulk strings become
 * latin1 strings, one character a byte, so no byte is ever lost or merged.
 *
 * Invariant: the bytes handed to `push` equal the concatenation of the raws given back by `next`,
 * plus what is still pending. Limits: nesting of 64, so a broken stream cannot exhaust the stack.
 */

/** An error reply (`-ERR ...` or a RESP3 blob error): its text without the leading mark. */
export class ReplyError {
  readonly error: string;

  constructor(error: string) {
    this.error = error;
  }
}

/**
 * A reply in plain values: strings (latin1) for simple, bulk, verbatim; numbers for integers and
 * doubles (bigint when past 2^53 and for big numbers); arrays for arrays, sets and pushes; a Map
 * keeps a RESP3 map's order.
 */
export type ReplyValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | ReplyError
  | ReplyValue[]
  | Map<ReplyValue, ReplyValue>;

/** One reply: its exact bytes, its plain value, and whether it is an out-of-band RESP3 push. */
export type Reply = { readonly raw: Buffer; readonly value: ReplyValue; readonly push: boolean };

type Parsed = { value: ReplyValue; end: number };

/** Set by a parse that ran short: how many bytes must be there before another try is of use. */
let neededBytes = 0;

const DEPTH_MAX = 64;
const CR = 13;

/** The number of a reply's first line, as a number or, past 2^53, a bigint. */
function integerOf(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function doubleOf(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  if (text === '-inf') return Number.NEGATIVE_INFINITY;
  return Number(text);
}

/** The offset just past the line that starts at `start`, or -1 when it has not arrived whole. */
function lineEnd(bytes: Buffer, start: number): number {
  const at = bytes.indexOf('\r\n', start, 'latin1');
  return at < 0 ? -1 : at + 2;
}

function scalarOf(mark: string, text: string): ReplyValue {
  switch (mark) {
    case '+':
      return text;
    case '-':
      return new ReplyError(text);
    case ':':
      return integerOf(text);
    case ',':
      return doubleOf(text);
    case '#':
      return text === 't';
    case '(':
      return BigInt(text);
    case '_':
      return null;
    default:
      throw new Error(`not a RESP reply: it begins with ${JSON.stringify(mark + text)}`);
  }
}

function blobAt(bytes: Buffer, mark: string, length: number, start: number): Parsed | null {
  if (length < 0) return { value: null, end: start };
  if (bytes.length < start + length + 2) {
    neededBytes = start + length + 2;
    return null;
  }
  if (bytes[start + length] !== CR) throw new Error('a bulk reply does not end with CRLF');
  const text = bytes.toString('latin1', start, start + length);
  const end = start + length + 2;
  if (mark === '!') return { value: new ReplyError(text), end };
  return { value: mark === '=' ? text.slice(4) : text, end };
}

function pairsToMap(items: readonly ReplyValue[]): Map<ReplyValue, ReplyValue> {
  const map = new Map<ReplyValue, ReplyValue>();
  for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i] ?? null, items[i + 1] ?? null);
  return map;
}

function aggregateAt(
  bytes: Buffer,
  mark: string,
  count: number,
  start: number,
  depth: number,
): Parsed | null {
  if (count < 0) return { value: null, end: start };
  const items: ReplyValue[] = [];
  const total = mark === '%' || mark === '|' ? count * 2 : count;
  let end = start;
  for (let i = 0; i < total; i++) {
    const item = parseAt(bytes, end, depth + 1);
    if (item === null) return null;
    items.push(item.value);
    end = item.end;
  }
  // An attribute decorates the reply after it: its bytes belong to that reply.
  if (mark === '|') return parseAt(bytes, end, depth + 1);
  return { value: mark === '%' ? pairsToMap(items) : items, end };
}

/** Parses the reply at `start`; null when its bytes have not all arrived. */
function parseAt(bytes: Buffer, start: number, depth: number): Parsed | null {
  if (depth > DEPTH_MAX) throw new Error(`a reply nests deeper than ${DEPTH_MAX} levels`);
  const end = lineEnd(bytes, start);
  if (end < 0) return null;
  const mark = String.fromCharCode(bytes[start] ?? 0);
  const text = bytes.toString('latin1', start + 1, end - 2);
  switch (mark) {
    case '$':
    case '=':
    case '!':
      return blobAt(bytes, mark, Number(text), end);
    case '*':
    case '~':
    case '%':
    case '>':
    case '|':
      return aggregateAt(bytes, mark, Number(text), end, depth);
    default:
      return { value: scalarOf(mark, text), end };
  }
}

/** Collects chunks of a stream and gives back whole replies. */
export class ReplyReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = 0;

  /** Bytes that arrived and do not make a whole reply yet. */
  get pending(): Buffer {
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** The next whole reply, or null. Throws when the bytes are not RESP. */
  next(): Reply | null {
    if (this.#length === 0 || this.#length < this.#needed) return null;
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] ?? this.pending) : this.pending;
    neededBytes = 0;
    const parsed = parseAt(bytes, 0, 0);
    this.#needed = parsed === null ? neededBytes : 0;
    if (parsed === null) return null;
    const raw = Buffer.from(bytes.subarray(0, parsed.end));
    this.#chunks = [bytes.subarray(parsed.end)];
    this.#length = bytes.length - parsed.end;
    return { raw, value: parsed.value, push: raw[0] === 0x3e };
  }
}

/** A reply's bytes cut into its own first line and its direct children (none for a scalar). */
export type SplitReply = { readonly head: Buffer; readonly children: readonly Buffer[] };

/** Cuts an aggregate reply into head and children; a map gives key, value, key, value. */
export function splitReply(raw: Buffer): SplitReply {
  const end = lineEnd(raw, 0);
  if (end < 0 || !'*~%>'.includes(String.fromCharCode(raw[0] ?? 0))) {
    return { head: raw, children: [] };
  }
  const children: Buffer[] = [];
  for (let at = end; at < raw.length; ) {
    const child = parseAt(raw, at, 0);
    if (child === null) throw new Error('the bytes are not one whole reply');
    children.push(raw.subarray(at, child.end));
    at = child.end;
  }
  return { head: raw.subarray(0, end), children };
}
