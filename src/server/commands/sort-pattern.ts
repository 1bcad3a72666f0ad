/**
 * The patterns of SORT's BY and GET: which value an element stands for.
 *
 *     weight_*          the string at the key "weight_" + element
 *     object_*->price   field "price" of the hash at that key
 *     #                 the element itself
 *     nothing           no asterisk: no value, for any element
 *
 * The first asterisk is replaced. A zero byte ends the search for the asterisk and for the arrow,
 * but is part of the key.
 */
import { copyBytes } from '../../core/memory/copy.ts';
import type { ElementView } from '../../core/types/element-view.ts';
import { hashGet } from '../../core/types/hash.ts';
import { stringView } from '../../core/types/string.ts';
import { type ByteView, TYPE_HASH, TYPE_STRING, typeOf } from '../../core/value.ts';
import type { Context } from '../dispatch/context.ts';
import { NOTIFY_KEY_MISS } from '../dispatch/notify-classes.ts';

const ASTERISK = 42;
const HASH_SIGN = 35;
const DASH = 0x2d;
const GREATER = 0x3e;
const ARROW_BYTES = 2;
/** What a key has room for at first, beside the pattern. */
const ELEMENT_ROOM = 64;

/** Where the text in these bytes ends, as C has it: at a zero byte or behind them all. */
function textEnd(bytes: Uint8Array): number {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes.length : end;
}

export class SortPattern {
  /** Whether values differ by element. */
  readonly hasAsterisk: boolean;
  private readonly isElement: boolean;
  private readonly prefixLength: number;
  private readonly postfix: Uint8Array;
  private readonly field: Uint8Array | null;
  /** The key of the last element; the prefix stands there once for all. */
  private key: Uint8Array;

  constructor(bytes: Uint8Array) {
    const asterisk = bytes.subarray(0, textEnd(bytes)).indexOf(ASTERISK);
    const rest = bytes.subarray(asterisk + 1);
    const arrow = arrowIn(rest);
    this.hasAsterisk = asterisk >= 0;
    this.isElement = bytes[0] === HASH_SIGN && textEnd(bytes) === 1;
    this.prefixLength = Math.max(asterisk, 0);
    this.postfix = arrow < 0 ? rest : rest.subarray(0, arrow);
    this.field = arrow < 0 ? null : rest.subarray(arrow + ARROW_BYTES);
    this.key = new Uint8Array(this.hasAsterisk ? bytes.length + ELEMENT_ROOM : 0);
    copyBytes(bytes, 0, this.key, 0, this.prefixLength);
  }

  /** Shows the value that an element stands for, until the next call; false when there is none. */
  find(c: Context, element: ByteView, value: ElementView): boolean {
    if (this.isElement) {
      value.show(element.bytes, element.offset, element.length);
      return true;
    }
    if (!this.hasAsterisk) return false;
    const { keyspace } = c;
    const length = this.composeKey(element);
    const address = lookup(c, this.key, length);
    if (address === 0) return false;
    const type = typeOf(keyspace.arena, address);
    const { field } = this;
    if (field !== null) {
      return type === TYPE_HASH && hashGet(keyspace, address, field, 0, field.length, value);
    }
    if (type !== TYPE_STRING) return false;
    stringView(keyspace, address, value);
    return true;
  }

  /** Puts the element between prefix and postfix; returns how long the key is. */
  private composeKey({ bytes, length, offset }: ByteView): number {
    const { postfix, prefixLength } = this;
    const behind = prefixLength + length;
    const whole = behind + postfix.length;
    if (whole > this.key.length) {
      const larger = new Uint8Array(whole * 2);
      copyBytes(this.key, 0, larger, 0, prefixLength);
      this.key = larger;
    }
    copyBytes(bytes, offset, this.key, prefixLength, length);
    copyBytes(postfix, 0, this.key, behind, postfix.length);
    return whole;
  }
}

/** Where an arrow stands that has a field behind it, or -1. */
function arrowIn(bytes: Uint8Array): number {
  const end = textEnd(bytes) - ARROW_BYTES;
  for (let i = 0; i < end; i++) if (bytes[i] === DASH && bytes[i + 1] === GREATER) return i;
  return -1;
}

/** Looks up a key that is no argument. */
function lookup(c: Context, key: Uint8Array, length: number): number {
  const { db, services } = c;
  const address = c.keyspace.lookupRead(db, key, 0, length);
  if (address === 0 && (services.notifyClasses & NOTIFY_KEY_MISS) !== 0) {
    services.notifyKey(db.id, key, 0, length, NOTIFY_KEY_MISS, 'keymiss');
  }
  return address;
}
