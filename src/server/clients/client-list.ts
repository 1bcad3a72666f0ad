/**
 * A client in one line, as CLIENT LIST shows it, field by field as Redis 7.2 does, with what
 * Valkey 8 adds; and which kind of client it is.
 */
import type { Args } from '../../core/resp/args.ts';
import { TextWriter } from '../../core/text/text-writer.ts';
import { HIDDEN, type LogPrivacy } from '../log-privacy.ts';
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

/** What a line in the log asks of the server. */
interface ClientLogNeeds {
  readonly config: LogPrivacy;
  readonly keyspace: { readonly nowMs: number };
}

const line = new TextWriter();

/** The line, without its end; `args` is the command of this client that runs, if any. */
export function describeClient(client: Client, nowMs: number, args: Args | null = null): string {
  line.start();
  writeClient(line, client, nowMs, args);
  return line.shown();
}

/** The line as it may stand in the log. */
export function clientInLog(client: Client, { config, keyspace }: ClientLogNeeds): string {
  line.start();
  writeClient(line, client, keyspace.nowMs, null, config.values.hideUserDataFromLog);
  return line.shown();
}

/** Writes the line, without its end; `hides` keeps to itself how client and user are called. */
export function writeClient(
  out: TextWriter,
  client: Client,
  nowMs: number,
  args: Args | null,
  hides = false,
): void {
  const { link, parser, reply, subscribed, tracking, transaction } = client;
  const room = reply.chunk.length;
  number(out, 'id=', client.id);
  text(out, ' addr=', client.address);
  text(out, ' laddr=', client.localAddress);
  number(out, ' fd=', link?.fd ?? -1);
  text(out, ' name=', hides ? HIDDEN : shown(client.name));
  number(out, ' age=', seconds(nowMs - client.createdMs));
  number(out, ' idle=', seconds(nowMs - client.lastActiveMs));
  text(out, ' flags=', flagsOf(client));
  number(out, ' db=', client.db);
  number(out, ' sub=', subscribed?.channels.size ?? 0);
  number(out, ' psub=', subscribed?.patterns.size ?? 0);
  number(out, ' ssub=', subscribed?.shardChannels.size ?? 0);
  number(out, ' multi=', transaction?.commands.length ?? -1);
  number(out, ' watch=', client.watched.length);
  number(out, ' qbuf=', parser.pendingBytes + (args === null ? 0 : sentBytes(args)));
  number(out, ' qbuf-free=', 0);
  number(out, ' argv-mem=', args === null ? parser.argumentBytes : bytesOf(args));
  number(out, ' multi-mem=', transaction?.bytes ?? 0);
  number(out, ' rbs=', room);
  number(out, ' rbp=', room);
  number(out, ' obl=', reply.at);
  number(out, ' oll=', reply.queue.length);
  number(out, ' omem=', reply.memoryBytes - room);
  number(out, ' tot-mem=', clientBytes(client));
  text(out, ' events=', client.sendingBytes > 0 ? 'rw' : 'r');
  text(out, ' cmd=', client.lastCommand?.name ?? 'NULL');
  text(out, ' user=', hides ? HIDDEN : (client.user?.name ?? '(superuser)'));
  number(out, ' redir=', tracking?.redirect ?? -1);
  number(out, ' resp=', reply.protocol);
  text(out, ' lib-name=', shown(client.libName));
  text(out, ' lib-ver=', shown(client.libVersion));
  number(out, ' tot-net-in=', client.bytesIn);
  number(out, ' tot-net-out=', client.bytesOut);
  number(out, ' tot-cmds=', client.commandCount);
}

function text(out: TextWriter, label: string, value: string): void {
  out.text(label);
  out.text(value);
}

function number(out: TextWriter, label: string, value: number): void {
  out.text(label);
  out.integer(value);
}

/** Whole seconds, and none before now: a clock may have been set back. */
function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
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
