/**
 * Walks over the entries of a stream between two ids, either way.
 *
 *     cursor.start(log, from, to, false);
 *     while (cursor.next()) {
 *       cursor.id, cursor.fieldCount
 *       while (cursor.nextField()) cursor.field, cursor.value
 *     }
 *
 * The stream stays as it is meanwhile.
 */
import { ElementView } from '../types/element-view.ts';
import { lpEntryLength, lpLast, lpNext, lpPrev } from './listpack.ts';
import { StreamId } from './stream-id.ts';
import type { StreamLog } from './stream-log.ts';
import {
  ENTRY_DELETED,
  ENTRY_SAME_FIELDS,
  firstEntryAt,
  masterFieldsAt,
  numberAt,
} from './stream-node.ts';
import { passElements, readEntryId, seekEntry } from './stream-seek.ts';

const LP_END = 0xff;
const NO_BYTES = new Uint8Array(0);

export class StreamCursor {
  readonly id = new StreamId();
  /** Fields of the entry. */
  fieldCount = 0;
  readonly field = new ElementView();
  readonly value = new ElementView();
  private log: StreamLog | null = null;
  private readonly from = new StreamId();
  private readonly to = new StreamId();
  private readonly master = new StreamId();
  private reverse = false;
  private node = 0;
  private bytes: Uint8Array = NO_BYTES;
  private base = 0;
  private masterFields = 0;
  private firstFieldAt = 0;
  /** Forward: the entry that is next, 0 at the node's end. Backward: the last element before. */
  private at = 0;
  private same = false;
  /** Fields that were not shown yet, and where the next element of the entry stands. */
  private fieldsLeft = 0;
  private elementAt = 0;
  private masterAt = 0;

  /** Begins in front of the first entry from `from` to `to`, or of the last one if `reverse`. */
  start(log: StreamLog, from: StreamId, to: StreamId, reverse: boolean): void {
    this.from.copy(from);
    this.to.copy(to);
    this.reverse = reverse;
    this.fieldsLeft = 0;
    this.elementAt = 0;
    this.at = 0;
    this.log = log;
    const node = log.nodeOf(reverse ? to : from);
    this.openNode(reverse ? node : Math.max(node, 0));
    if (reverse || this.log === null) return;
    const { base, bytes, master, masterFields } = this;
    this.at = seekEntry(bytes, base, this.at, master, masterFields, from);
  }

  /** Goes to the next entry. False at the end. */
  next(): boolean {
    return this.reverse ? this.nextBackward() : this.nextForward();
  }

  /** Shows the next field of the entry and its value. False at the end. */
  nextField(): boolean {
    if (this.fieldsLeft === 0) return false;
    const { bytes, base } = this;
    this.fieldsLeft--;
    if (this.same) this.masterAt = show(this.field, bytes, base, this.masterAt);
    else this.elementAt = show(this.field, bytes, base, this.elementAt);
    this.elementAt = show(this.value, bytes, base, this.elementAt);
    return true;
  }

  private openNode(node: number): void {
    const { log } = this;
    this.node = node;
    if (log === null || node < 0 || node >= log.nodeCount) {
      this.log = null;
      return;
    }
    const block = log.nodeBlock(node);
    log.nodeFirstId(node, this.master);
    this.bytes = log.arena.bytes(block);
    this.base = log.arena.byteOffset(block);
    const fieldsAt = masterFieldsAt(this.bytes, this.base);
    this.masterFields = numberAt(this.bytes, this.base, fieldsAt);
    this.firstFieldAt = lpNext(this.bytes, this.base, fieldsAt);
    this.at = this.reverse ? lpLast(this.bytes, this.base) : firstEntryAt(this.bytes, this.base);
  }

  private nextForward(): boolean {
    while (this.log !== null) {
      if (this.elementAt !== 0) this.passEntry();
      if (this.at === 0) {
        this.openNode(this.node + 1);
        continue;
      }
      const isLive = this.openEntry(this.at);
      if (this.id.compare(this.to) > 0) break;
      if (isLive && this.id.compare(this.from) >= 0) return true;
    }
    this.log = null;
    return false;
  }

  private nextBackward(): boolean {
    while (this.log !== null) {
      const { base, bytes } = this;
      const elements = numberAt(bytes, base, this.at);
      if (elements === 0) {
        this.openNode(this.node - 1);
        continue;
      }
      let at = this.at;
      for (let i = 0; i < elements; i++) at = lpPrev(bytes, base, at);
      const isLive = this.openEntry(at);
      this.at = lpPrev(bytes, base, at);
      if (this.id.compare(this.from) < 0) break;
      if (isLive && this.id.compare(this.to) <= 0) return true;
    }
    this.log = null;
    return false;
  }

  /** Reads the head of the entry at `at`. Whether it is not deleted. */
  private openEntry(at: number): boolean {
    const { base, bytes } = this;
    const flags = numberAt(bytes, base, at);
    this.elementAt = readEntryId(bytes, base, at, this.master, this.id);
    this.same = (flags & ENTRY_SAME_FIELDS) !== 0;
    if (this.same) this.fieldCount = this.masterFields;
    else {
      this.fieldCount = numberAt(bytes, base, this.elementAt);
      this.elementAt = lpNext(bytes, base, this.elementAt);
    }
    this.fieldsLeft = this.fieldCount;
    this.masterAt = this.firstFieldAt;
    return (flags & ENTRY_DELETED) === 0;
  }

  /** Goes forward over what was not shown of the entry, and its lp-count. */
  private passEntry(): void {
    const { base, bytes } = this;
    const left = this.fieldsLeft * (this.same ? 1 : 2) + 1;
    const next = passElements(bytes, base + this.elementAt, left);
    this.at = bytes[next] === LP_END ? 0 : next - base;
    this.elementAt = 0;
  }
}

/** Shows an element, which is not the last of its node. Position behind it. */
function show(view: ElementView, bytes: Uint8Array, base: number, at: number): number {
  const first = bytes[base + at]!;
  if (first < 0x80 || first >= 0xc0) {
    view.showListpack(bytes, base, at);
    return at + lpEntryLength(bytes, base + at);
  }
  const length = first & 63;
  view.bytes = bytes;
  view.offset = base + at + 1;
  view.length = length;
  return at + 2 + length;
}
