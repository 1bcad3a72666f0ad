/**
 * WAIT and WAITAOF: until replicas, or disks, have what this connection wrote; replicas also what
 * it published.
 */
import { parseInt64 } from '../../core/text/integer.ts';
import { BLOCKING, command } from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import { NOT_AN_INTEGER } from '../dispatch/errors.ts';
import { readTimeoutMs } from './blocking-timeout.ts';

const NOT_LOCAL = 'ERR value is out of range, value must between 0 and 1';
const NEGATIVE = 'ERR value is out of range, must be positive';
const NOT_ON_REPLICAS =
  'ERR WAITAOF cannot be used with replica instances. Please also note that writes to ' +
  'replicas are just local and are not propagated.';
const NO_LOG = 'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.';

/** What the last `readWaitaof` read. */
const waitaof = { local: 0, replicas: 0, timeoutMs: 0 };

function waitCommand(c: Context): void {
  const { replication } = c.services;
  const { primary, waits } = replication;
  const { client } = c;
  if (replication.isReplica) {
    c.reply.error(`ERR WAIT cannot be used with replica instances. ${ONLY_LOCAL}`);
    return;
  }
  const wanted = int64At(c, 1, NOT_AN_INTEGER);
  if (Number.isNaN(wanted)) return;
  const timeoutMs = readTimeoutMs(c, 2);
  if (Number.isNaN(timeoutMs)) return;
  const offset = client.writeOffset;
  const reached = (): number => primary.replicasAt(offset, false);
  if (reached() >= wanted || !c.services.mayWait(client)) {
    c.reply.integer(reached());
    return;
  }
  waits.add(client, {
    command: c.command,
    timeoutMs,
    isDone: () => reached() >= wanted,
    answer: () => client.reply.integer(reached()),
  });
  replication.journal.requestAcks();
}

function waitaofCommand(c: Context): void {
  if (!readWaitaof(c)) return;
  const { local, replicas, timeoutMs } = waitaof;
  const { replication } = c.services;
  const { primary, waits } = replication;
  const { client } = c;
  const offset = client.writeOffset;
  const logged = replication.journal.dataBytes;
  const atHome = (): number => {
    const log = replication.localLog;
    return log?.state === 'on' && log.syncedBytes >= logged ? 1 : 0;
  };
  const away = (): number => primary.replicasAt(offset, true);
  const answer = (): void => {
    client.reply.array(2);
    client.reply.integer(atHome());
    client.reply.integer(away());
  };
  const isDone = (): boolean => atHome() >= local && away() >= replicas;
  if (isDone() || !c.services.mayWait(client)) {
    answer();
    return;
  }
  const refusal = (): string | null => (local > 0 && replication.localLog === null ? NO_LOG : null);
  waits.add(client, { command: c.command, timeoutMs, isDone, answer, refusal });
  replication.journal.requestAcks();
}

/** Reads what WAITAOF asks for into `waitaof`; false when an error has been answered. */
function readWaitaof(c: Context): boolean {
  waitaof.local = int64At(c, 1, NOT_AN_INTEGER);
  if (Number.isNaN(waitaof.local)) return false;
  if (waitaof.local < 0 || waitaof.local > 1) return c.refuse(NOT_LOCAL);
  waitaof.replicas = int64At(c, 2, NEGATIVE);
  if (Number.isNaN(waitaof.replicas)) return false;
  if (waitaof.replicas < 0) return c.refuse(NEGATIVE);
  waitaof.timeoutMs = readTimeoutMs(c, 3);
  if (Number.isNaN(waitaof.timeoutMs)) return false;
  const { replication } = c.services;
  if (replication.isReplica) return c.refuse(NOT_ON_REPLICAS);
  return waitaof.local === 0 || replication.localLog !== null || c.refuse(NO_LOG);
}

/** A 64-bit integer as the nearest number; NaN when it is none, which has been answered. */
function int64At(c: Context, i: number, error: string): number {
  const { bytes, offsets, lengths } = c.args;
  const value = parseInt64(bytes[i]!, offsets[i]!, lengths[i]!);
  if (value !== undefined) return Number(value);
  c.reply.error(error);
  return Number.NaN;
}

const ONLY_LOCAL =
  'Please also note that since Redis 4.0 if a replica is configured to be writable (which is not ' +
  'the default) writes to replicas are just local and are not propagated.';

export const waitCommands = [
  command(
    'wait',
    'generic',
    {
      arity: 3,
      flags: BLOCKING,
      acl: ['connection'],
      tips: ['request_policy:all_shards', 'response_policy:agg_min'],
      since: '3.0.0',
      complexity: 'O(1)',
      summary: "Waits until replicas have this connection's writes.",
      syntax: 'numreplicas:integer timeout:integer',
    },
    waitCommand,
  ),
  command(
    'waitaof',
    'generic',
    {
      arity: 4,
      flags: BLOCKING,
      acl: ['connection'],
      tips: ['request_policy:all_shards', 'response_policy:agg_min'],
      since: '7.2.0',
      complexity: 'O(1)',
      summary: "Waits until this connection's writes are in the append-only files.",
      syntax: 'numlocal:integer numreplicas:integer timeout:integer',
    },
    waitaofCommand,
  ),
];
