/**
 * A client in one line, as CLIENT LIST shows it, field by field as Redis 7.2 does, with what
 * Valkey 8 adds; and which kind of client it is.
 */
import type { Args } from '../../core/resp/args.ts';
import { clientBytes } from '../memory/memory-account.ts';
import { type Client, WAIT_BLOCKED, WAIT_CLOSING, WAIT_PAUSED, WAIT_TURN } from './client.ts';

/** A longer name is cut off: a line has room for its like, and a string for the lines of many. */
const SHOWN_MAX = 4096;

/** Kinds of clients, as CLIENT LIST TYPE and the output limits name them. */
export type ClientKind = 'normal' | 'replica' | 'master' | 'pubsub';

export function clientKind(client: Client): ClientKind {
  if (client.isPrimary) return 'master';
  if (client.isReplica) return 'replica';
  return client.subscribed === null ? 'normal' : 'pubsub';
}

/** The kind that a word names, in any case; undefined for an unknown one. */
export function parseClientKind(word: string): ClientKind | undefined {
  const lower = word.toLowerCase();
  if (lower === 'slave') return 'replica';
  return (['normal', 'replica', 'master', 'pubsub'] as const).find((kind) => kind === lower);
}

/** A name as lines show it: it may have half a gigabyte. */
function shown(name: string): string {
  return name.length > SHOWN_MAX ? `${name.slice(0, SHOWN_MAX)}...` : name;
}

/** The line, without its end; `args` is the command of this client that runs, if any. */
export function describeClient(client: Client, nowMs: number, args: Args | null = null): string {
  const { subscribed, transaction, reply } = client;
  const parts = [
    `id=${client.id} addr=${client.address} laddr=${client.localAddress}`,
    ` fd=${client.link?.fd ?? -1} name=${shown(client.name)}`,
    ` age=${secondsSince(client.createdMs, nowMs)}`,
    ` idle=${secondsSince(client.lastActiveMs, nowMs)}`,
    ` flags=${flagsOf(client)} db=${client.db} sub=${subscribed?.channels.size ?? 0}`,
    ` psub=${subscribed?.patterns.size ?? 0} ssub=${subscribed?.shardChannels.size ?? 0}`,
    ` multi=${transaction === null ? -1 : transaction.commands.length}`,
    ` watch=${client.watched.length}`,
    ` qbuf=${client.parser.pendingBytes + (args === null ? 0 : sentBytes(args))} qbuf-free=0`,
    ` argv-mem=${args === null ? client.parser.argumentBytes : bytesOf(args)}`,
    ` multi-mem=${transaction?.bytes ?? 0} rbs=${reply.chunk.length} rbp=${reply.chunk.length}`,
    ` obl=${reply.at} oll=${reply.queue.length} omem=${reply.memoryBytes - reply.chunk.length}`,
    ` tot-mem=${clientBytes(client)} events=${client.sendingBytes > 0 ? 'rw' : 'r'}`,
    ` cmd=${client.lastCommand?.name ?? 'NULL'} user=${client.user?.name ?? '(superuser)'}`,
    ` redir=${client.tracking === null ? -1 : client.tracking.redirect} resp=${reply.protocol}`,
    ` lib-name=${shown(client.libName)} lib-ver=${shown(client.libVersion)}`,
    ` tot-net-in=${client.bytesIn} tot-net-out=${client.bytesOut}`,
    ` tot-cmds=${client.commandCount}`,
  ];
  return parts.join('');
}

function secondsSince(sinceMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - sinceMs) / 1000));
}

/** Bytes of all arguments. */
function bytesOf(args: Args): number {
  return args.lengths.subarray(0, args.count).reduce((a, b) => a + b);
}

/** Bytes of a command as clients send it: a count, and a length before each argument. */
function sentBytes(args: Args): number {
  let bytes = String(args.count).length + 3;
  for (let i = 0; i < args.count; i++) {
    bytes += String(args.lengths[i]).length + 3 + args.lengths[i]! + 2;
  }
  return bytes;
}

function flagsOf(client: Client): string {
  const { tracking } = client;
  let flags = '';
  if (client.monitor) flags += 'O';
  else if (client.isReplica) flags += 'S';
  if (client.isPrimary) flags += 'M';
  if (client.subscribed !== null) flags += 'P';
  if (client.transaction !== null) flags += 'x';
  if (client.waiting === WAIT_BLOCKED || client.waiting === WAIT_PAUSED) flags += 'b';
  if (tracking !== null) flags += 't';
  if (tracking?.isBroken === true) flags += 'R';
  if (tracking?.mode === 'broadcast') flags += 'B';
  if (client.watchedChanged) flags += 'd';
  if (client.closeAfterReply || client.waiting === WAIT_CLOSING) flags += 'c';
  if (client.waiting === WAIT_TURN) flags += 'u';
  if (client.unixSocket) flags += 'U';
  if (client.noEvict) flags += 'e';
  if (client.noTouch) flags += 'T';
  return flags === '' ? 'N' : flags;
}
