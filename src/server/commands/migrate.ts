/**
 * MIGRATE: moves keys to another server, or copies them.
 *
 * The values are taken at once, the target is told beside the loop while the client waits, and the
 * command runs a second time when the target has answered: then the keys that it has taken are
 * deleted, which is what the AOF and replicas are told of, and the client is answered. Who may
 * touch the keys between the two is told in migrations.ts.
 *
 * Between MULTI and EXEC no command may wait, since what follows must find the keys gone: there a
 * child process talks to the target, and the server stands still until it has, as Redis does for
 * every MIGRATE.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { parseInteger } from '../../core/text/integer.ts';
import {
  type Command,
  command,
  type KeyArgs,
  type KeySpec,
  keyAt,
  MOVABLE_KEYS,
  WRITE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NOTIFY_GENERIC } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import {
  type MigrateKey,
  type MigrateOutcome,
  type MigrateRequest,
  UNREACHABLE,
} from '../migration/migrate-talk.ts';
import type { EndedMigration, Migration } from '../migration/migrations.ts';
import { dumpOf } from './dump.ts';

const TIMEOUT_MS_DEFAULT = 1000;
const CHANGED = 'IOERR the key was changed while it was moved; it stays here, and may be there too';
const NO_CHILD: MigrateOutcome = { taken: [], error: UNREACHABLE };

const options = new OptionReader();

/** What the command asks for, its arguments by their places. */
interface Asked {
  copy: boolean;
  replace: boolean;
  /** The arguments that hold the credentials for AUTH. */
  readonly secrets: number[];
  firstKey: number;
  endOfKeys: number;
}

function migrateCommand(c: Context): void {
  const { ending } = c.services.desk.migrations;
  if (ending !== null) {
    c.services.dispatcher.redacted.push(...ending.secrets);
    finish(c, ending);
    return;
  }
  const asked = readOptions(c);
  if (asked === undefined) return;
  const timeoutMs = c.integer(5);
  if (Number.isNaN(timeoutMs)) return;
  const db = c.integer(4);
  if (Number.isNaN(db)) return;
  const places: number[] = [];
  const keys: MigrateKey[] = [];
  for (let i = asked.firstKey; i < asked.endOfKeys; i++) {
    const address = c.lookupRead(i);
    if (address === 0) continue;
    places.push(i);
    keys.push(keyToMove(c, i, address));
  }
  if (keys.length === 0) {
    c.reply.simple('NOKEY');
    return;
  }
  const { copy, replace, secrets } = asked;
  const request: MigrateRequest = {
    host: c.args.text(1),
    port: parseInteger(c.args.bytes[2]!, c.args.offsets[2]!, c.args.lengths[2]!) || 0,
    db,
    timeoutMs: timeoutMs > 0 ? timeoutMs : TIMEOUT_MS_DEFAULT,
    credentials: secrets.map((i) => c.args.copy(i)),
    replace,
    keys,
  };
  const migration: Migration = { request, copy, places, secrets };
  if (c.services.mayWait(c.client)) c.services.desk.migrations.begin(c, migration);
  else finish(c, { ...migration, outcome: migrateNow(request), hasChanged: () => false });
}

function readOptions(c: Context): Asked | undefined {
  const asked: Asked = { copy: false, replace: false, secrets: [], firstKey: 3, endOfKeys: 4 };
  options.start(c.args, 6);
  while (options.more) {
    if (options.take('copy')) asked.copy = true;
    else if (options.take('replace')) asked.replace = true;
    else if (options.take('auth', 1)) asked.secrets.splice(0, 2, options.index());
    else if (options.take('auth2', 2)) {
      asked.secrets.splice(0, 2, options.index(), options.index());
    } else if (options.take('keys')) {
      if (c.args.lengths[3] !== 0) options.fail(KEY_TOO);
      asked.firstKey = options.at;
      asked.endOfKeys = c.argc;
      break;
    } else options.fail();
  }
  c.services.dispatcher.redacted.push(...asked.secrets);
  return options.refuse(c.reply) ? undefined : asked;
}

const KEY_TOO =
  'ERR When using MIGRATE KEYS option, the key argument must be set to the empty string';

function keyToMove(c: Context, i: number, address: number): MigrateKey {
  const { keyspace, db } = c;
  const atMs = keyspace.expiryOf(db, address);
  return {
    name: c.args.copy(i),
    ttlMs: atMs < 0 ? 0 : Math.max(1, atMs - keyspace.nowMs),
    payload: dumpOf(keyspace, address, c.services.config),
  };
}

/** Deletes what the target has taken, and answers. */
function finish(c: Context, { copy, places, outcome, hasChanged }: EndedMigration): void {
  const { args, db, keyspace } = c;
  const deleted: number[] = [];
  let changed = false;
  for (const [n, i] of places.entries()) {
    if (copy || outcome.taken[n] !== true) continue;
    if (hasChanged(n) && isThere(c, i)) changed = true;
    else if (keyspace.removeKey(db, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!)) {
      deleted.push(i);
    }
  }
  for (const i of deleted) c.changed(i, NOTIFY_GENERIC, 'del');
  propagate(c, deleted);
  const error = outcome.error ?? (changed ? CHANGED : null);
  if (error === null) c.ok();
  else c.reply.error(error);
}

function isThere(c: Context, i: number): boolean {
  const { args, db, keyspace } = c;
  return keyspace.peek(db, args.bytes[i]!, args.offsets[i]!, args.lengths[i]!) !== 0;
}

/** For the AOF and the replicas the keys are deleted. */
function propagate({ args, db, propagator }: Context, deleted: readonly number[]): void {
  if (deleted.length > 0 && propagator.begin(db.id, deleted.length + 1)) {
    propagator.word('DEL');
    for (const i of deleted) propagator.argument(args, i);
  }
  propagator.suppress();
}

/** Moves them while everything stands still. */
function migrateNow(request: MigrateRequest): MigrateOutcome {
  const script = fileURLToPath(new URL('./migrate-child.js', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [script], {
    input: serialize(request),
    maxBuffer: Number.POSITIVE_INFINITY,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return status === 0 ? (deserialize(stdout) as MigrateOutcome) : NO_CHILD;
}

/** KEYS counts only where the key argument is empty, and not as the value of another option. */
function keysOf(args: KeyArgs): number[] | undefined {
  for (let i = 6; i < args.count; i++) {
    if (args.is(i, 'auth')) i++;
    else if (args.is(i, 'auth2')) i += 2;
    else if (args.is(i, 'keys')) {
      if (args.text(3) !== '') return undefined;
      return Array.from({ length: args.count - i - 1 }, (_, n) => i + 1 + n);
    }
  }
  return [3];
}

const keysBehindKeys: KeySpec = {
  begin: { kind: 'keyword', keyword: 'KEYS', from: -2 },
  range: { kind: 'range', last: -1, step: 1, limit: 0 },
  flags: ['RW', 'access', 'delete', 'incomplete'],
};

export const migrateCommands: readonly Command[] = [
  command(
    'migrate',
    'generic',
    {
      arity: -6,
      flags: WRITE | MOVABLE_KEYS,
      keys: [keyAt(3, 'RW', 'access', 'delete'), keysBehindKeys],
      keysOf,
      acl: ['keyspace', 'dangerous'],
      tips: ['nondeterministic_output'],
      since: '2.6.0',
      complexity: 'O(N) with N the bytes of the values, here and at the target',
      summary: 'Moves keys to another server.',
      syntax:
        'host port:integer key-selector=(key:key|empty-string="") destination-db:integer ' +
        'timeout:integer [COPY@3.0.0] [REPLACE@3.0.0] ' +
        '[authentication=(AUTH auth~password@4.0.7|AUTH2 auth2={username password}@6.0.0)] ' +
        '[KEYS keys~key:key@3.0.6...]',
      history: [
        ['3.0.0', 'Added the `COPY` and `REPLACE` options.'],
        ['3.0.6', 'Added the `KEYS` option.'],
        ['4.0.7', 'Added the `AUTH` option.'],
        ['6.0.0', 'Added the `AUTH2` option.'],
      ],
    },
    migrateCommand,
  ),
];
