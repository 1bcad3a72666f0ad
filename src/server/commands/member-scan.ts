/**
 * HSCAN, SSCAN, and whatever else goes over one collection step by step.
 *
 *     const address = scan.begin(c, TYPE_HASH, 'novalues');
 *     if (address === 0) return;                 all is answered
 *     scan.gather(c, source, source.field);      scan.refs[0 .. scan.count) are the elements
 *     scan.replyHead(c, items); ...the items
 *
 * A compact collection is given whole by the first call. A table's cursor is its dict's, with the
 * guarantee that is described there; COUNT is how many elements a call aims at before MATCH picks
 * from them, and buckets are visited whole.
 *
 * As in Redis the options are not even looked at where there is no key.
 */
import type { Dict } from '../../core/struct/dict.ts';
import { globMatch } from '../../core/text/glob.ts';
import { parseUint64 } from '../../core/text/integer.ts';
import type { ByteView } from '../../core/value.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { OptionReader } from '../dispatch/option-reader.ts';

/** What can be gone over: the cursors of the type APIs, standing before the first element. */
export interface ScanSource {
  /** The dict of a table, null for a compact collection. */
  readonly dict: Dict | null;
  readonly ref: number;
  step(): boolean;
  /** Shows the element with this ref. */
  show(ref: number): void;
}

/** What COMMAND DOCS says of the cost of HSCAN, SSCAN and ZSCAN. */
export const SCAN_COMPLEXITY =
  'O(1) for every call. O(N) for a complete iteration, including enough command calls for the ' +
  'cursor to return back to 0. N is the number of elements inside the collection..';

const COUNT_DEFAULT = 10;
/** Buckets a call visits at most, for each element that it aims at. */
const STEPS_PER_COUNT = 10;
const STAR = 0x2a;

const options = new OptionReader();

export class MemberScan {
  /** Elements found, by their refs: refs[0 .. count). */
  readonly refs: number[] = [];
  count = 0;
  /** Whether the word that leaves the values out was given. */
  bare = false;
  private cursor = 0;
  private aim = COUNT_DEFAULT;
  /** Argument that holds the pattern, 0 for none. */
  private pattern = 0;

  /**
   * Reads the cursor, looks the key up and reads the options of `name key cursor [option ...]`;
   * `bareWord` (lower case) is the option that leaves values out, '' for none. Returns the entry's
   * address; 0 when there is none or there was an error, and it has been answered.
   */
  begin(c: Context, type: number, bareWord: string): number {
    if (!this.readCursor(c, 2)) return 0;
    const address = c.readTyped(1, type);
    if (address === WRONG) return 0;
    if (address === 0) {
      this.replyNothing(c);
      return 0;
    }
    return this.readOptions(c, 3, bareWord) ? address : 0;
  }

  private readCursor(c: Context, i: number): boolean {
    const { bytes, lengths, offsets } = c.args;
    const start = parseUint64(bytes[i]!, offsets[i]!, lengths[i]!);
    if (start === undefined) {
      c.reply.error('ERR invalid cursor');
      return false;
    }
    this.cursor = Number(BigInt.asUintN(32, start));
    return true;
  }

  private readOptions(c: Context, first: number, bareWord: string): boolean {
    const { args } = c;
    this.aim = COUNT_DEFAULT;
    this.pattern = 0;
    this.bare = false;
    options.start(args, first);
    while (options.more) {
      if (options.take('count', 1)) {
        this.aim = options.integer();
        if (this.aim < 1) options.fail();
      } else if (options.take('match', 1)) {
        const i = options.index();
        const isStar = args.lengths[i] === 1 && args.bytes[i]![args.offsets[i]!] === STAR;
        this.pattern = isStar ? 0 : i;
      } else if (bareWord !== '' && options.take(bareWord)) this.bare = true;
      else options.fail();
    }
    return !options.refuse(c.reply);
  }

  /** One step: finds elements whose name, which `source.show` puts into `name`, matches. */
  gather(c: Context, source: ScanSource, name: ByteView): void {
    this.count = 0;
    const { dict } = source;
    if (dict === null) {
      while (source.step()) this.keep(c, source, name, source.ref);
      this.cursor = 0;
      return;
    }
    let steps = this.aim * STEPS_PER_COUNT;
    let seen = 0;
    do {
      this.cursor = dict.collect(this.cursor);
      const { collected, collectedCount } = dict;
      for (let i = 0; i < collectedCount; i++) this.keep(c, source, name, collected[i]!);
      seen += collectedCount;
      steps--;
    } while (this.cursor !== 0 && steps > 0 && seen < this.aim);
  }

  /** Answers the cursor to go on with and the head of `items` items. */
  replyHead(c: Context, items: number): void {
    c.reply.array(2);
    c.reply.bulkInteger(this.cursor);
    c.reply.array(items);
  }

  /** There is nothing, and no more to come. */
  private replyNothing(c: Context): void {
    this.cursor = 0;
    this.replyHead(c, 0);
  }

  private keep(c: Context, source: ScanSource, name: ByteView, ref: number): void {
    if (this.pattern !== 0) {
      source.show(ref);
      if (!this.matches(c, name)) return;
    }
    this.refs[this.count++] = ref;
  }

  private matches(c: Context, name: ByteView): boolean {
    const { bytes, lengths, offsets } = c.args;
    const i = this.pattern;
    const pattern = bytes[i]!;
    const { length, offset } = name;
    return globMatch(pattern, offsets[i]!, lengths[i]!, name.bytes, offset, length, false);
  }
}
