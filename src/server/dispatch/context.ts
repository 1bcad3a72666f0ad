/**
 * What a handler sees: the command's arguments, where its reply goes, the client, and the doors to
 * the keyspace.
 *
 * There is one context a server; dispatch sets its fields before each command, so that a handler
 * takes one argument and nothing is allocated for a call. Handlers must not keep it, nor anything
 * borrowed from it.
 *
 *     export function strlenCommand(c: Context): void {
 *       const address = c.readString(1);
 *       if (address >= 0) c.reply.integer(address === 0 ? 0 : stringLength(c.keyspace, address));
 *     }
 *
 * `read*` and `write*` look a key up: its address, 0 when there is none, or WRONG (-1) when it
 * holds another type, which has been answered already.
 *
 * A handler that changed a key says so with `changed`, once: it counts `dirty`, spoils the
 * transactions that watch the key and notifies those who listen. What is written to the AOF and the
 * replicas is the funnel's affair (propagate.ts).
 */
import type { Database } from '../../core/database.ts';
import type { Keyspace } from '../../core/keyspace.ts';
import type { Args } from '../../core/resp/args.ts';
import type { Reply } from '../../core/resp/reply.ts';
import { isInt64Text, parseInteger } from '../../core/text/integer.ts';
import { TYPE_STRING, typeOf } from '../../core/value.ts';
import type { Client } from '../clients/client.ts';
import type { Services } from '../services.ts';
import type { Command } from './command.ts';
import { NOT_AN_INTEGER, WRONG_TYPE } from './errors.ts';
import { NOTIFY_GENERIC, NOTIFY_KEY_MISS } from './notify-classes.ts';
import type { Propagator } from './propagate.ts';

/** The key holds another type; the error has been answered. */
export const WRONG = -1;

export class Context {
  readonly keyspace: Keyspace;
  readonly propagator: Propagator;
  readonly services: Services;
  args: Args;
  client: Client;
  reply: Reply;
  db: Database;
  command: Command;

  constructor(services: Services, client: Client, args: Args, command: Command) {
    this.keyspace = services.keyspace;
    this.propagator = services.propagator;
    this.services = services;
    this.args = args;
    this.client = client;
    this.reply = client.reply;
    this.db = services.keyspace.databases[client.db]!;
    this.command = command;
  }

  /** Number of arguments, the command's name included. */
  get argc(): number {
    return this.args.count;
  }

  // ---------------------------------------------------------------- keys

  /** The key in argument `i` for reading: its address, or 0. */
  lookupRead(i: number): number {
    const { args, keyspace } = this;
    const address = keyspace.lookupRead(
      this.db,
      args.bytes[i]!,
      args.offsets[i]!,
      args.lengths[i]!,
    );
    if (address === 0) this.notify(i, NOTIFY_KEY_MISS, 'keymiss');
    return address;
  }

  /** Like `lookupRead`, but the look is not a use of the key: TTL, TYPE, EXISTS. */
  inspect(i: number): number {
    const { args, keyspace } = this;
    const address = keyspace.lookupInspect(
      this.db,
      args.bytes[i]!,
      args.offsets[i]!,
      args.lengths[i]!,
    );
    if (address === 0) this.notify(i, NOTIFY_KEY_MISS, 'keymiss');
    return address;
  }

  /**
   * The key in argument `i` is looked for next, then those in `i + step` and so on. Where `i` is
   * `seen` the next ones are read ahead; gives the argument before which they are to be read again.
   * `keysDone` follows the last one.
   */
  nextKey(i: number, seen: number, step: number): number {
    const { args, db, keyspace } = this;
    const until = i === seen ? keyspace.ahead.lookKeys(db.dict, args, i, step) : seen;
    keyspace.ahead.expectKey(args, i);
    return until;
  }

  keysDone(): void {
    this.keyspace.ahead.known.forget();
  }

  /** The key in argument `i` for changing: its address, or 0. */
  lookupWrite(i: number): number {
    const args = this.args;
    return this.keyspace.lookupWrite(this.db, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
  }

  /** Like `lookupRead`, for a key that must hold `type`: WRONG has been answered. */
  readTyped(i: number, type: number): number {
    return this.typed(this.lookupRead(i), type);
  }

  writeTyped(i: number, type: number): number {
    return this.typed(this.lookupWrite(i), type);
  }

  readString(i: number): number {
    return this.typed(this.lookupRead(i), TYPE_STRING);
  }

  writeString(i: number): number {
    return this.typed(this.lookupWrite(i), TYPE_STRING);
  }

  private typed(address: number, type: number): number {
    if (address === 0 || typeOf(this.keyspace.arena, address) === type) return address;
    this.reply.error(WRONG_TYPE);
    return WRONG;
  }

  // ---------------------------------------------------------------- changes

  /**
   * The key in argument `i` of this client's database was changed by event `event` of class
   * `eventClass`.
   */
  changed(i: number, eventClass: number, event: string): void {
    const args = this.args;
    this.keyspace.dirty++;
    this.services.keyChanged(this.db, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
    this.notify(i, eventClass, event);
  }

  /** A command found nothing to store under the key in argument `i`: what it holds goes. */
  storeNothing(i: number): void {
    const { args, db, keyspace } = this;
    if (!keyspace.removeAnyway(db, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!)) return;
    this.changed(i, NOTIFY_GENERIC, 'del');
  }

  /** Tells those who listen for keyspace events, without counting a change. */
  notify(i: number, eventClass: number, event: string): void {
    const services = this.services;
    if ((services.notifyClasses & eventClass) === 0) return;
    const args = this.args;
    services.notifyKey(
      this.db.id,
      args.bytes[i]!,
      args.offsets[i]!,
      args.lengths[i]!,
      eventClass,
      event,
    );
  }

  // ---------------------------------------------------------------- arguments

  /**
   * Argument `i` as an integer, NaN when it is none: then the error has been answered. Exact up to
   * 2^53.
   */
  integer(i: number, error: string = NOT_AN_INTEGER): number {
    const args = this.args;
    const value = parseInteger(args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
    if (Number.isNaN(value)) this.reply.error(error);
    return value;
  }

  /** Like `integer`, within bounds. */
  integerIn(i: number, min: number, max: number, error: string = NOT_AN_INTEGER): number {
    const args = this.args;
    const value = parseInteger(args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
    if (value >= min && value <= max) return value;
    this.reply.error(error);
    return Number.NaN;
  }

  /** Whether argument `i` is the text of a 64-bit integer. */
  isInteger(i: number): boolean {
    const args = this.args;
    return isInt64Text(args.bytes[i]!, args.offsets[i]!, args.lengths[i]!);
  }

  /** Whether argument `i` is `word` (lower case), whatever its own case. */
  is(i: number, word: string): boolean {
    return this.args.is(i, word);
  }

  ok(): void {
    this.reply.raw(OK);
  }

  /** Answers an error. Returns false, for a caller that says so of what it was to read. */
  refuse(error: string): false {
    this.reply.error(error);
    return false;
  }
}

const OK = Uint8Array.of(43, 79, 75, 13, 10);
