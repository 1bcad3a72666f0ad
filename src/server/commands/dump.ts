/**
 * DUMP and RESTORE: one value as a row of bytes (src/persistence/rdb/rdb-dump.ts), to be kept or
 * carried elsewhere.
 *
 * RESTORE builds the value under a name that nobody can know and gives it its own when it is whole;
 * so a payload that turns out to be wrong half way changes nothing, not even the key that REPLACE
 * would have replaced.
 */
import { randomBytes } from 'node:crypto';
import { EXPIRY_DELETE, type Keyspace } from '../../core/keyspace.ts';
import { lfuWord } from '../../core/usage.ts';
import { dumpPayload, isSoundPayload, payloadVersion } from '../../persistence/rdb/rdb-dump.ts';
import type { Config } from '../config/config.ts';
import {
  ASKING,
  type Command,
  type CommandTraits,
  command,
  DENYOOM,
  keyAt,
  READONLY,
  WRITE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { NOTIFY_GENERIC, NOTIFY_NEW } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import { userText } from '../log-privacy.ts';

const TEMPORARY_NAME_BYTES = 32;
const FREQUENCY_MAX = 255;
const UNSET = -1;
/** Type, version and checksum around the value. */
const PAYLOAD_FRAME_BYTES = 11;

interface RestoreOptions {
  replace: boolean;
  absolute: boolean;
  idleSeconds: number;
  frequency: number;
}

const options = new OptionReader();
/** The name under which RESTORE builds a value; gone again when the command is over. */
const temporaryName = randomBytes(TEMPORARY_NAME_BYTES);

function dumpCommand(c: Context): void {
  const address = c.lookupRead(1);
  if (address === 0) {
    c.reply.null();
    return;
  }
  const payload = dumpOf(c.keyspace, address, c.services.config);
  c.reply.bulk(payload, 0, payload.length);
}

/** An entry's value as DUMP gives it. */
export function dumpOf(keyspace: Keyspace, address: number, config: Config): Uint8Array {
  const { rdbSaveVersion, rdbcompression } = config.values;
  const version = Number(rdbSaveVersion) as Parameters<typeof dumpPayload>[2];
  return dumpPayload(keyspace, address, version, rdbcompression);
}

function restoreCommand(c: Context): void {
  const asked = readOptions(c);
  if (asked === undefined) return;
  const { keyspace, db, args, reply } = c;
  // What REPLACE will replace is not looked at: a payload that is refused is no use of it.
  if (!asked.replace && c.lookupWrite(1) !== 0) {
    reply.error('BUSYKEY Target key name already exists.');
    return;
  }
  const ttl = c.integer(2);
  if (Number.isNaN(ttl)) return;
  if (ttl < 0) {
    reply.error('ERR Invalid TTL value, must be >= 0');
    return;
  }
  if (!buildValue(c)) return;
  const [bytes, offset, length] = [args.bytes[1]!, args.offsets[1]!, args.lengths[1]!];
  const replaced = asked.replace && keyspace.removeAnyway(db, bytes, offset, length);
  const atMs = ttl === 0 ? UNSET : asked.absolute ? ttl : keyspace.nowMs + ttl;
  const built = keyspace.peek(db, temporaryName, 0, TEMPORARY_NAME_BYTES);
  // In an AOF and in a primary's stream it lived on then, and may have been given more time.
  const isOver = atMs !== UNSET && atMs < keyspace.nowMs;
  if (isOver && keyspace.expiryMode === EXPIRY_DELETE) {
    keyspace.remove(db, built);
    if (replaced) deletedInstead(c);
    c.ok();
    return;
  }
  let address = keyspace.rename(db, built, db, bytes, offset, length);
  if (atMs !== UNSET) address = keyspace.setExpiry(db, address, atMs);
  noteUse(c, address, asked);
  c.notify(1, NOTIFY_NEW, 'new');
  propagateRestore(c, address, atMs, asked.absolute);
  c.changed(1, NOTIFY_GENERIC, 'restore');
  c.ok();
}

function readOptions(c: Context): RestoreOptions | undefined {
  const asked = { replace: false, absolute: false, idleSeconds: UNSET, frequency: UNSET };
  options.start(c.args, 4);
  while (options.more) {
    if (options.take('replace')) asked.replace = true;
    else if (options.take('absttl')) asked.absolute = true;
    else if (asked.frequency === UNSET && options.take('idletime', 1)) {
      asked.idleSeconds = options.integer();
      if (asked.idleSeconds < 0) options.fail('ERR Invalid IDLETIME value, must be >= 0');
    } else if (asked.idleSeconds === UNSET && options.take('freq', 1)) {
      asked.frequency = options.integer();
      if (asked.frequency < 0 || asked.frequency > FREQUENCY_MAX) {
        options.fail('ERR Invalid FREQ value, must be >= 0 and <= 255');
      }
    } else options.fail(SYNTAX_ERROR);
  }
  return options.refuse(c.reply) ? undefined : asked;
}

/** Builds the payload's value under the temporary name; false when that was refused. */
function buildValue(c: Context): boolean {
  const { args, db, reply } = c;
  const bytes = args.bytes[3]!;
  const offset = args.offsets[3]!;
  const length = args.lengths[3]!;
  if (!isSoundPayload(bytes, offset, length, !c.services.debug.skipChecksums)) {
    reply.error('ERR DUMP payload version or checksum are wrong');
    return false;
  }
  const deep = wantsDeepLook(c);
  if (deep) c.services.stats.payloadSanitizations++;
  const size = TEMPORARY_NAME_BYTES;
  const { restorer } = c.services;
  const built = restorer.restore(db, temporaryName, 0, size, bytes, offset, length, deep);
  if (typeof built === 'number') return true;
  const { config, log } = c.services;
  log.notice(`RESTORE of '${userText(config, c.args.shown(1))}' is refused: ${built.message}`);
  reply.error('ERR Bad data format');
  return false;
}

/** Whether the payload is to be looked at more closely than safety asks. */
function wantsDeepLook(c: Context): boolean {
  const { sanitizeDumpPayload } = c.services.config.values;
  if (sanitizeDumpPayload !== 'clients') return sanitizeDumpPayload === 'yes';
  const { client } = c;
  return !client.isPrimary && !c.services.persistence.isLoading && !client.user?.skipsSanitizing;
}

/** The value's time was over before it came: what is left of RESTORE is that the old key goes. */
function deletedInstead(c: Context): void {
  const { propagator, args } = c;
  if (propagator.begin(c.db.id, 2)) {
    propagator.word(c.services.config.values.lazyfreeLazyServerDel ? 'UNLINK' : 'DEL');
    propagator.argument(args, 1);
  }
  propagator.suppress();
  c.changed(1, NOTIFY_GENERIC, 'del');
}

function noteUse(c: Context, address: number, asked: RestoreOptions): void {
  const { keyspace } = c;
  if (asked.frequency !== UNSET && keyspace.lfu) {
    keyspace.setUsage(address, lfuWord(keyspace.nowMs, asked.frequency));
  } else if (asked.idleSeconds !== UNSET && !keyspace.lfu) {
    keyspace.setUsage(address, (keyspace.lruClock - asked.idleSeconds) & 0xffffff);
  }
}

/**
 * A relative time becomes the moment that it means, and a payload of a newer version one of
 * `rdb-save-version`: a server that loads no dump of ours but that version would refuse it, in the
 * stream, and pass over it in the AOF.
 */
function propagateRestore(c: Context, address: number, atMs: number, absolute: boolean): void {
  const { propagator, args, keyspace } = c;
  const { config } = c.services;
  const end = args.offsets[3]! + args.lengths[3]!;
  const isNewer = payloadVersion(args.bytes[3]!, end) > Number(config.values.rdbSaveVersion);
  const isRelative = atMs !== UNSET && !absolute;
  if (!isNewer && !isRelative) return;
  if (propagator.begin(c.db.id, args.count + (isRelative ? 1 : 0))) {
    for (let i = 0; i < args.count; i++) {
      if (i === 2 && isRelative) propagator.number(atMs);
      else if (i === 3 && isNewer) {
        const payload = dumpOf(keyspace, address, config);
        propagator.bytes(payload, 0, payload.length);
      } else propagator.argument(args, i);
    }
    if (isRelative) propagator.word('ABSTTL');
  }
  propagator.suppress();
}

/** Bytes of an entry's value in a dump, without its type, as DEBUG OBJECT shows them. */
export function serializedLength(keyspace: Keyspace, address: number, config: Config): number {
  return dumpOf(keyspace, address, config).length - PAYLOAD_FRAME_BYTES;
}

const RESTORE: CommandTraits = {
  arity: -4,
  flags: WRITE | DENYOOM,
  keys: [keyAt(1, 'OW', 'update')],
  acl: ['keyspace', 'dangerous'],
  since: '2.6.0',
  complexity: 'O(N) with N the size of the value, O(N log N) for sorted sets',
  summary: 'Creates a key from what DUMP gave.',
  syntax:
    'key:key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] ' +
    '[IDLETIME seconds:integer@5.0.0] [FREQ frequency:integer@5.0.0]',
  history: [
    ['3.0.0', 'Added the `REPLACE` modifier.'],
    ['5.0.0', 'Added the `ABSTTL` modifier.'],
    ['5.0.0', 'Added the `IDLETIME` and `FREQ` options.'],
  ],
};

export const dumpCommands: readonly Command[] = [
  command(
    'dump',
    'generic',
    {
      arity: 2,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['keyspace'],
      tips: ['nondeterministic_output'],
      since: '2.6.0',
      complexity: 'O(N) with N the size of the value',
      summary: 'Gives the value of a key as bytes that RESTORE takes.',
      syntax: 'key:key',
    },
    dumpCommand,
  ),
  command('restore', 'generic', RESTORE, restoreCommand),
  command(
    'restore-asking',
    'server',
    {
      ...RESTORE,
      flags: RESTORE.flags | ASKING,
      internal: true,
      since: '3.0.0',
      summary: 'What MIGRATE of a cluster sends in place of RESTORE.',
    },
    restoreCommand,
  ),
];
