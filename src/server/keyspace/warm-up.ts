/**
 * Makes the conversions of listpacks fast before the first one is wanted.
 *
 * JavaScript runs slowly until V8 has compiled it. That makes up most of the first conversion of a
 * listpack of ten thousand entries: 20 ms instead of 3, for which every other client waits. Under
 * the default limits a listpack has some hundred entries, and nobody notices. When a limit is
 * raised, a few dozen small listpacks are converted in a keyspace of their own, one a turn: some 30
 * ms in all, 1 ms at a time.
 *
 * Code that was compiled without having seen a branch is thrown away when it comes to it, in the
 * middle of a large conversion. So what small conversions never do is done as well: a page of the
 * arena and the first segment of a dict are filled once before them, and the last are of larger
 * listpacks, where some keys look the same to their dict and are compared.
 */
import { Keyspace } from '../../core/keyspace.ts';
import { lpBytes, lpInit, lpInsert } from '../../core/struct/listpack.ts';
import { latin1Bytes } from '../../core/text/latin1.ts';
import { tableOfPairs } from '../../core/types/hash.ts';
import { HashTable } from '../../core/types/hash-table.ts';
import { tableOf } from '../../core/types/set-encoding.ts';
import { SetView } from '../../core/types/set-view.ts';
import { largeOfPack } from '../../core/types/zset.ts';
import { ENC_LISTPACK } from '../../core/value.ts';

/** Elements of a listpack that is converted to warm up, at first and at last. */
const ELEMENTS = 400;
const ELEMENTS_LAST = 3000;
const ELEMENT_BYTES_MAX = 32;
/** Conversions in all, of three types in turn, and those of small listpacks. */
export const CONVERSIONS = 60;
const CONVERSIONS_SMALL = 45;
/** More blocks of this size than a page has, and more entries than a segment of a dict takes. */
const BLOCK_BYTES = 24;
const PAGE_BLOCKS = 3000;
const SEGMENT_ENTRIES = 7000;
const PAUSE_MS = 1;
const RELEASE_STEP = 1 << 20;
const NO_BYTES = new Uint8Array(0);

export class ConversionWarmUp {
  private rounds = 0;
  private keyspace: Keyspace | null = null;
  /** Texts and integers; pairs of a member and a score, the half of them no integers. */
  private mixed: Uint8Array = NO_BYTES;
  private scores: Uint8Array = NO_BYTES;
  private readonly blocks = new Uint32Array(PAGE_BLOCKS);
  private readonly nextBound = (): void => this.next();

  /** Small listpacks that were converted so far. */
  get conversions(): number {
    return this.rounds;
  }

  /** Begins, if it has not yet. The rest follows while the event loop has its turns. */
  begin(): void {
    if (this.keyspace !== null || this.rounds > 0) return;
    this.keyspace = new Keyspace({
      databases: 1,
      seed: { seed0: 1, seed1: 2 },
      random: () => 0,
      events: { expired: () => {} },
    });
    this.fill(ELEMENTS);
    this.later();
  }

  /** Makes the listpacks. */
  private fill(elements: number): void {
    this.mixed = listpackOf(elements, (i) => (i % 4 === 3 ? String(i * 1000) : `a text ${i}`));
    this.scores = listpackOf(elements, (i) =>
      i % 4 === 3 ? `${i}.5` : i % 2 === 0 ? `m${i}` : String(i),
    );
  }

  private later(): void {
    setTimeout(this.nextBound, PAUSE_MS).unref();
  }

  private next(): void {
    const { keyspace } = this;
    if (keyspace === null) return;
    if (this.rounds === 0) this.outgrow(keyspace);
    const large = this.convert(keyspace, this.rounds % 3);
    while (large.release(RELEASE_STEP));
    this.rounds++;
    if (this.rounds === CONVERSIONS_SMALL) this.fill(ELEMENTS_LAST);
    if (this.rounds < CONVERSIONS) this.later();
    else this.keyspace = null;
  }

  /** Fills a page of the arena, which is 64 KiB, and empties it; makes a dict of two segments. */
  private outgrow({ arena, seed }: Keyspace): void {
    for (let i = 0; i < PAGE_BLOCKS; i++) this.blocks[i] = arena.alloc(BLOCK_BYTES);
    for (const block of this.blocks) arena.free(block);
    const table = new HashTable(arena, seed);
    table.dict.reserve(SEGMENT_ENTRIES);
    while (table.release(RELEASE_STEP));
  }

  private convert(keyspace: Keyspace, which: number): { release(limit: number): boolean } {
    if (which === 0) return tableOfPairs(keyspace, this.mixed, 0);
    if (which === 1) return largeOfPack(keyspace, this.scores, 0);
    const view = new SetView();
    view.encoding = ENC_LISTPACK;
    view.bytes = this.mixed;
    return tableOf(view, keyspace.arena, keyspace.seed);
  }
}

function listpackOf(elements: number, text: (i: number) => string): Uint8Array {
  const bytes = new Uint8Array(elements * ELEMENT_BYTES_MAX);
  lpInit(bytes, 0);
  for (let i = 0; i < elements; i++) {
    const element = latin1Bytes(text(i));
    lpInsert(bytes, 0, lpBytes(bytes, 0) - 1, element, 0, element.length);
  }
  return bytes;
}
