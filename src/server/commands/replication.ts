/**
 * Commands of replication: who follows whom (REPLICAOF, ROLE, FAILOVER), and what servers say to
 * each other (PSYNC, SYNC, REPLCONF).
 */
import { parseInteger } from '../../core/text/integer.ts';
import type { Replica, SnapshotContent } from '../../replication/replica.ts';
import {
  ADMIN,
  ALLOW_BUSY,
  command,
  FAST,
  LOADING,
  NO_ASYNC_LOADING,
  NO_MULTI,
  NOSCRIPT,
  STALE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { SYNTAX_ERROR } from '../dispatch/errors.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import { isAt } from '../replication/replication-failover.ts';
import { replyRole } from '../replication/replication-report.ts';

const PORT_MAX = 65_535;
/** An announced address may be this long. */
const ADDRESS_MAX = 255;
const PORT_WRONG = 'ERR Invalid master port';

const options = new OptionReader();

// ---------------------------------------------------------------- roles

function replicaofCommand(c: Context): void {
  const { replication, config, log } = c.services;
  if (config.values.clusterEnabled) {
    c.reply.error('ERR REPLICAOF not allowed in cluster mode.');
    return;
  }
  if (replication.failover.isRunning) {
    c.reply.error('ERR REPLICAOF not allowed while failing over.');
    return;
  }
  if (c.is(1, 'no') && c.is(2, 'one')) {
    if (replication.isReplica) {
      log.notice(`MASTER MODE enabled (user request from '${c.client.address}')`);
      replication.promote();
    }
    c.ok();
    return;
  }
  if (c.client.isReplica) {
    c.reply.error('ERR Command is not valid when client is a replica.');
    return;
  }
  const port = c.integerIn(2, 0, PORT_MAX, PORT_WRONG);
  if (Number.isNaN(port)) return;
  const host = c.args.text(1);
  const link = replication.follower?.link;
  if (link?.host.toLowerCase() === host.toLowerCase() && link.port === port) {
    c.reply.simple('OK Already connected to specified master');
    return;
  }
  log.notice(`REPLICAOF ${host}:${port} enabled (user request from '${c.client.address}')`);
  replication.follow(host, port);
  c.ok();
}

function roleCommand(c: Context): void {
  replyRole(c.services.replication, c.reply);
}

function failoverCommand(c: Context): void {
  const { replication, config } = c.services;
  const { failover, primary } = replication;
  if (config.values.clusterEnabled) {
    c.reply.error('ERR FAILOVER not allowed in cluster mode.');
    return;
  }
  let timeoutMs = 0;
  let target: { host: string; port: number } | null = null;
  let force = false;
  options.start(c.args, 1);
  if (c.argc === 2 && options.take('abort')) {
    abortFailover(c);
    return;
  }
  while (options.more) {
    if (timeoutMs === 0 && options.take('timeout', 1)) {
      timeoutMs = options.integer();
      if (timeoutMs <= 0) options.fail('ERR FAILOVER timeout must be greater than 0');
    } else if (target === null && options.take('to', 2)) {
      const host = c.args.text(options.index());
      target = { host, port: options.integer() };
    } else if (!force && options.take('force')) force = true;
    else options.fail();
  }
  if (options.refuse(c.reply)) return;
  const refusal = refuseFailover(c, target, force, timeoutMs);
  if (refusal !== null) {
    c.reply.error(refusal);
    return;
  }
  failover.begin(target, force, timeoutMs);
  // A replica that has everything by its last word may have it still; ask, to be sure at once.
  if (primary.replicas.size > 0) replication.journal.requestAcks();
  c.ok();
}

function refuseFailover(
  c: Context,
  target: { host: string; port: number } | null,
  force: boolean,
  timeoutMs: number,
): string | null {
  const { replication } = c.services;
  if (replication.failover.isRunning) return 'ERR FAILOVER already in progress.';
  if (replication.isReplica) return 'ERR FAILOVER is not valid when server is a replica.';
  if (replication.primary.replicas.size === 0) return 'ERR FAILOVER requires connected replicas.';
  if (force && (timeoutMs === 0 || target === null)) {
    return 'ERR FAILOVER with force option requires both a timeout and target HOST and IP.';
  }
  if (target === null) return null;
  const wanted = target;
  const replica = [...replication.primary.replicas].find((one) => isAt(one, wanted));
  if (replica === undefined) return 'ERR FAILOVER target HOST and PORT is not a replica.';
  if (replica.state !== 'online') return 'ERR FAILOVER target replica is not online.';
  return null;
}

function abortFailover(c: Context): void {
  const { failover } = c.services.replication;
  if (!failover.isRunning) {
    c.reply.error('ERR No failover in progress.');
    return;
  }
  failover.abort('Failover manually aborted');
  c.ok();
}

// ---------------------------------------------------------------- between servers

function psyncCommand(c: Context): void {
  if (c.client.isReplica) return;
  if (c.argc > 3 && c.is(3, 'failover') && !takeOver(c)) return;
  if (refusesSync(c)) return;
  const nextByte = c.integer(2);
  if (Number.isNaN(nextByte)) {
    const { log } = c.services;
    log.warning(`Replica ${c.client.address} asks for synchronization but with a wrong offset`);
    return;
  }
  c.services.replication.synchronize(c.client, { id: c.args.text(1), nextByte });
}

function syncCommand(c: Context): void {
  if (c.client.isReplica || refusesSync(c)) return;
  c.services.replication.synchronize(c.client, 'sync');
}

/**
 * PSYNC ... FAILOVER: the primary hands its role over to this server, and asks again when our
 * answer was lost.
 */
function takeOver(c: Context): boolean {
  const { replication, log } = c.services;
  const id = c.args.text(1).toLowerCase();
  log.warning(`Failover request received for replid ${c.args.text(1)}.`);
  if (id === replication.tookOverFrom) return true;
  if (!replication.isReplica) {
    c.reply.error("ERR PSYNC FAILOVER can't be sent to a master.");
    return false;
  }
  if (id !== replication.history.id) {
    c.reply.error('ERR PSYNC FAILOVER replid must match my replid.');
    return false;
  }
  replication.promoteNow();
  log.notice(`MASTER MODE enabled (failover request from '${c.client.address}')`);
  return true;
}

/** What speaks against feeding a replica now; answered. */
function refusesSync(c: Context): boolean {
  const { replication } = c.services;
  const replica = replication.replicaOf(c.client);
  const { data, functions } = replica.content;
  let error = '';
  if (replication.failover.isRunning) error = "NOMASTERLINK Can't SYNC while failing over";
  else if (!replication.isFresh) {
    error = "NOMASTERLINK Can't SYNC while not connected with my master";
  } else if (c.client.outputBytes > 0) {
    error = 'ERR SYNC and PSYNC are invalid with pending output';
  } else if ((!data || !functions) && !replica.takesStreamed) {
    error = 'ERR Filtered replica requires EOF capability';
  }
  if (error === '') return false;
  c.reply.error(error);
  return true;
}

function replconfCommand(c: Context): void {
  if (c.argc % 2 === 0) {
    c.reply.error(SYNTAX_ERROR);
    return;
  }
  const replica = c.services.replication.replicaOf(c.client);
  for (let i = 1; i < c.argc; i += 2) {
    if (c.is(i, 'ack')) {
      acknowledge(c, replica, i);
      return;
    }
    if (c.is(i, 'getack')) {
      c.services.replication.follower?.acks.request();
      return;
    }
    if (!takeOption(c, replica, i)) return;
  }
  c.ok();
}

/** One option; false when it was refused. */
function takeOption(c: Context, replica: Replica, i: number): boolean {
  if (c.is(i, 'listening-port')) {
    const port = c.integer(i + 1);
    if (!Number.isNaN(port)) replica.listeningPort = port;
    return !Number.isNaN(port);
  }
  if (c.is(i, 'ip-address')) {
    const address = c.args.text(i + 1);
    if (address.length <= ADDRESS_MAX) replica.announcedAddress = address;
    else {
      c.reply.error(
        'ERR REPLCONF ip-address provided by replica instance is too long: ' +
          `${address.length} bytes`,
      );
    }
    return address.length <= ADDRESS_MAX;
  }
  if (c.is(i, 'capa')) {
    // Unknown capabilities are those of later versions.
    if (c.is(i + 1, 'eof')) replica.takesStreamed = true;
    else if (c.is(i + 1, 'psync2')) replica.takesNewId = true;
    return true;
  }
  if (c.is(i, 'rdb-only')) {
    const only = c.integer(i + 1);
    if (only === 0 || only === 1) replica.rdbOnly = only === 1;
    else if (!Number.isNaN(only)) {
      c.reply.error('ERR value is out of range, value must between 0 and 1');
    }
    return only === 0 || only === 1;
  }
  if (c.is(i, 'rdb-filter-only')) return takeFilter(c, replica, c.args.text(i + 1));
  c.reply.error(`ERR Unrecognized REPLCONF option: ${c.args.shown(i)}`);
  return false;
}

/** REPLCONF rdb-filter-only "functions": the words name what the RDB is to hold. */
function takeFilter(c: Context, replica: Replica, text: string): boolean {
  let content: SnapshotContent = { data: false, functions: false };
  for (const word of text.split(/\s+/)) {
    if (word === '') continue;
    if (word.toLowerCase() !== 'functions') {
      c.reply.error(`ERR Unsupported rdb-filter-only option: ${word}`);
      return false;
    }
    content = { ...content, functions: true };
  }
  replica.content = content;
  return true;
}

/** REPLCONF ACK offset [FACK offset], which is never answered. */
function acknowledge(c: Context, replica: Replica, i: number): void {
  if (!c.client.isReplica) return;
  const offset = offsetAt(c, i + 1);
  if (offset < 0) return;
  const fsynced = c.argc > i + 3 && c.is(i + 2, 'fack') ? offsetAt(c, i + 3) : -1;
  c.services.replication.primary.acknowledged(replica, offset, fsynced);
}

function offsetAt(c: Context, i: number): number {
  const value = parseInteger(c.args.bytes[i]!, c.args.offsets[i]!, c.args.lengths[i]!);
  return Number.isNaN(value) ? -1 : value;
}

const FOLLOW_SYNTAX = 'args=(host-port={host port:integer}|no-one={NO ONE})';

export const replicationCommands = [
  command(
    'replicaof',
    'server',
    {
      arity: 3,
      flags: ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING,
      since: '5.0.0',
      complexity: 'O(1)',
      summary: 'Makes this server a replica of another one, or a primary.',
      syntax: FOLLOW_SYNTAX,
    },
    replicaofCommand,
  ),
  command(
    'slaveof',
    'server',
    {
      arity: 3,
      flags: ADMIN | NOSCRIPT | STALE | NO_ASYNC_LOADING,
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Makes this server a replica of another one, or a primary.',
      deprecated: { since: '5.0.0', replacedBy: '`REPLICAOF`' },
      syntax: FOLLOW_SYNTAX,
    },
    replicaofCommand,
  ),
  command(
    'role',
    'server',
    {
      arity: 1,
      flags: NOSCRIPT | LOADING | STALE | FAST,
      acl: ['admin', 'dangerous'],
      since: '2.8.12',
      complexity: 'O(1)',
      summary: 'Tells the role in replication, and who is at the other end.',
    },
    roleCommand,
  ),
  command(
    'failover',
    'server',
    {
      arity: -1,
      flags: ADMIN | NOSCRIPT | STALE,
      since: '6.2.0',
      complexity: 'O(1)',
      summary: 'Hands the role of primary over to a replica.',
      syntax: '[TO target={host port:integer [FORCE]}] [ABORT] [TIMEOUT milliseconds:integer]',
    },
    failoverCommand,
  ),
  command(
    'psync',
    'server',
    {
      arity: -3,
      flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
      since: '2.8.0',
      complexity: 'O(1)',
      summary: 'Asks for the stream of changes, from a given byte on.',
      syntax: 'replicationid offset:integer',
    },
    psyncCommand,
  ),
  command(
    'sync',
    'server',
    {
      arity: 1,
      flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
      since: '1.0.0',
      complexity: 'O(1)',
      summary: 'Asks for the dataset and the stream of changes, as the oldest replicas do.',
    },
    syncCommand,
  ),
  command(
    'replconf',
    'server',
    {
      arity: -1,
      flags: ADMIN | NOSCRIPT | LOADING | STALE | ALLOW_BUSY,
      since: '3.0.0',
      complexity: 'O(1)',
      summary: 'Tells the other end of a replication link something.',
      internal: true,
    },
    replconfCommand,
  ),
];
