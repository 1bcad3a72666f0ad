/**
 * Makes the conversions of listpacks fast before the first one is wanted.
 *
 * JavaScript runs slowly until it has run for a while. Of the first conversion of a listpack of
 * ten thousand entries that is most: 20 ms instead of 3, and every other client waits. Under the
 * limits as they are at first a listpack has some hundred entries, and nobody notices. Whoever
 * raises a limit gets a few dozen conversions of small listpacks, in a keyspace of their own, one a
 * turn: some 30 ms in all, 1 ms at a time.
 */
import { Keyspace } from '../core/keyspace.ts';
import { lpBytes, lpInit, lpInsert } from '../core/struct/listpack.ts';
import { tableOfPairs } from '../core/types/hash.ts';
import { tableOf } from '../core/types/set-encoding.ts';
import { SetView } from '../core/types/set-view.ts';
import { largeOfPack } from '../core/types/zset.ts';
import { ENC_LISTPACK } from '../core/value.ts';

/** Elements of a listpack that is converted to warm up. */
const ELEMENTS = 400;
const ELEMENT_BYTES_MAX = 32;
/** Conversions in all, of three types in turn. */
export const CONVERSIONS = 60;
const PAUSE_MS = 1;
const RELEASE_STEP = 1 << 20;
const NO_BYTES = new Uint8Array(0);

export class ConversionWarmUp {
  private rounds = 0;
  private keyspace: Keyspace | null = null;
  /** Texts and integers; pairs of a member and a score, the half of them no integers. */
  private mixed: Uint8Array = NO_BYTES;
  private scores: Uint8Array = NO_BYTES;
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
    this.mixed = listpackOf((i) => (i % 4 === 3 ? String(i * 1000) : `a text ${i}`));
    this.scores = listpackOf((i) => (i % 4 === 3 ? `${i}.5` : i % 2 === 0 ? `m${i}` : String(i)));
    this.later();
  }

  private later(): void {
    setTimeout(this.nextBound, PAUSE_MS).unref();
  }

  private next(): void {
    const { keyspace } = this;
    if (keyspace === null) return;
    const large = this.convert(keyspace, this.rounds % 3);
    while (large.release(RELEASE_STEP));
    this.rounds++;
    if (this.rounds < CONVERSIONS) this.later();
    else this.keyspace = null;
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

function listpackOf(text: (i: number) => string): Uint8Array {
  const bytes = new Uint8Array(ELEMENTS * ELEMENT_BYTES_MAX);
  lpInit(bytes, 0);
  for (let i = 0; i < ELEMENTS; i++) {
    const element = Buffer.from(text(i), 'latin1');
    lpInsert(bytes, 0, lpBytes(bytes, 0) - 1, element, 0, element.length);
  }
  return bytes;
}
