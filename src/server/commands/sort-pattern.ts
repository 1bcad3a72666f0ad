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
import { ElementView } from '../../core/types/element-view.ts';
import { hashGet } from '../../core/types/hash.ts';
import { stringView } from '../../core/types/string.ts';
import { ByteView, TYPE_HASH, TYPE_STRING, typeOf } from '../../core/value.ts';
import type { Context } from '../dispatch/context.ts';
import { NOTIFY_KEY_MISS } from '../dispatch/notify-classes.ts';

const ASTERISK = 42;
const HASH_SIGN = 35;
const ARROW = '->';

const whole = new ByteView();
const part = new ElementView();

/** Where the text in these bytes ends, as C has it: at a zero byte or behind them all. */
function textEnd(bytes: Uint8Array): number {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes.length : end;
}

export class SortPattern {
  /** Whether values differ by element. */
  readonly hasAsterisk: boolean;
  private readonly isElement: boolean;
  private readonly prefix: Uint8Array;
  private readonly postfix: Uint8Array;
  private readonly field: Uint8Array | null;

  constructor(bytes: Uint8Array) {
    const asterisk = bytes.subarray(0, textEnd(bytes)).indexOf(ASTERISK);
    const rest = bytes.subarray(asterisk + 1);
    const arrow = arrowIn(rest);
    this.hasAsterisk = asterisk >= 0;
    this.isElement = bytes[0] === HASH_SIGN && textEnd(bytes) === 1;
    this.prefix = bytes.subarray(0, Math.max(asterisk, 0));
    this.postfix = arrow < 0 ? rest : rest.subarray(0, arrow);
    this.field = arrow < 0 ? null : rest.subarray(arrow + ARROW.length);
  }

  /** The value that an element stands for, in bytes of its own; null when there is none. */
  valueOf(c: Context, element: Uint8Array): Uint8Array | null {
    if (this.isElement) return element;
    if (!this.hasAsterisk) return null;
    const { keyspace } = c;
    const address = lookup(c, Buffer.concat([this.prefix, element, this.postfix]));
    if (address === 0) return null;
    const type = typeOf(keyspace.arena, address);
    const { field } = this;
    if (field !== null) {
      const found = type === TYPE_HASH && hashGet(keyspace, address, field, 0, field.length, part);
      return found ? part.copy() : null;
    }
    if (type !== TYPE_STRING) return null;
    stringView(keyspace, address, whole);
    return whole.copy();
  }
}

/** Where an arrow stands that has a field behind it, or -1. */
function arrowIn(bytes: Uint8Array): number {
  const end = textEnd(bytes);
  const arrow = Buffer.from(bytes.subarray(0, end)).indexOf(ARROW);
  return arrow >= 0 && arrow + ARROW.length < end ? arrow : -1;
}

/** Looks up a key that is no argument. */
function lookup(c: Context, key: Uint8Array): number {
  const { db, services } = c;
  const address = c.keyspace.lookupRead(db, key, 0, key.length);
  if (address === 0 && (services.notifyClasses & NOTIFY_KEY_MISS) !== 0) {
    services.notifyKey(db.id, key, 0, key.length, NOTIFY_KEY_MISS, 'keymiss');
  }
  return address;
}
