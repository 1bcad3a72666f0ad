/**
 * The handshake: what a replica says to a primary before the stream flows, as Redis's replicas do.
 *
 *     PING                                      +PONG; -NOAUTH, -NOPERM will do as well
 *     AUTH [user] password                      only with masterauth
 *     REPLCONF listening-port 6380              these may fail: old primaries do not know them
 *     REPLCONF ip-address 10.0.0.7              only with replica-announce-ip
 *     REPLCONF capa eof capa psync2
 *     REPLCONF rdb-only 1                       only for a backup
 *     PSYNC <id> <next byte>  |  PSYNC ? -1     -> +FULLRESYNC <id> <offset>   the dataset follows
 *     PSYNC <id> <next byte> FAILOVER           -> +CONTINUE [<id>]            the stream follows
 *                                               -> -NOMASTERLINK, -LOADING       not now: try again
 *                                               -> any other error: SYNC, as before Redis 2.8
 *
 * An error that answers FAILOVER means that the peer has not become the primary. When the answer is
 * lost it may have: whoever went on as a primary then, as Redis does, would be the second one. So
 * the peer is asked again. One of our kind remembers whose place it took. Another one says only
 * that it is a primary by now, but goes on with our stream from where we are if it is the heir.
 *
 * PSYNC may be answered late (a primary waits for more replicas before it starts a snapshot): empty
 * lines come meanwhile.
 */
import { OFFSET_MAX } from '../persistence/aof/aof-position.ts';
import { errorText } from '../persistence/file-system.ts';
import { isReplicationId } from './replication-id.ts';
import { LinkError, type SocketReader } from './socket-reader.ts';

export interface HandshakeOptions {
  /** Empty for the default user. */
  readonly user: string;
  /** Empty for none. */
  readonly password: string;
  /** The port to tell the primary. */
  readonly listeningPort: number;
  /** The address to tell the primary; empty lets it take the connection's. */
  readonly announceIp: string;
  /** What to go on from; null asks for everything. `nextByte` counts from 1. */
  readonly from: { readonly id: string; readonly nextByte: number } | null;
  /** Asks the peer, a replica of ours, to take over as primary. */
  readonly failover: boolean;
  /** The peer was asked that before, and the answer was lost. */
  readonly isUndecided?: boolean;
  /** Asks for the dataset alone: the primary keeps no stream for us. Redis 7.0 and later. */
  readonly rdbOnly?: boolean;
  /** How long to wait for any one answer. */
  readonly timeoutMs: number;
  readonly log: (level: 'notice' | 'warning', text: string) => void;
}

export type HandshakeOutcome =
  /** The dataset follows; `offset` is what of stream `id` is in it. */
  | { readonly kind: 'full'; readonly id: string; readonly offset: number }
  /** The stream follows where `from` said; `id` is its name from now on. */
  | { readonly kind: 'continue'; readonly id: string }
  /** The dataset follows; the primary is too old to count its stream. */
  | { readonly kind: 'sync' };

/** The primary does not want this replica to become its successor. */
export class FailoverRejectedError extends LinkError {}

/** The peer was asked to become the successor, and may be it by now: the answer was lost. */
export class FailoverUndecidedError extends LinkError {}

const IS_PRIMARY = /^-ERR PSYNC FAILOVER can't be sent to a master/;
const REJECTED = 'Failover target rejected psync request';
const NOT_NOW = /^-(NOMASTERLINK|LOADING)/;

/**
 * Leads the conversation up to the answer of PSYNC. Rejects with `LinkError`: close the connection,
 * try again.
 */
export async function shakeHands(
  reader: SocketReader,
  options: HandshakeOptions,
): Promise<HandshakeOutcome> {
  await ping(reader, options);
  await introduce(reader, options);
  try {
    return await synchronize(reader, options);
  } catch (error) {
    if (!options.failover || error instanceof FailoverRejectedError) throw error;
    throw new FailoverUndecidedError(
      `the failover target may be the master by now, and is asked until it says so or FAILOVER ` +
        `ABORT is given (${errorText(error)})`,
    );
  }
}

async function ping(reader: SocketReader, { timeoutMs, log }: HandshakeOptions): Promise<void> {
  reader.send(encodeCommand(['PING']));
  const reply = await reader.line(timeoutMs);
  const fine = /^(\+|-NOAUTH|-NOPERM|-ERR operation not permitted)/.test(reply);
  if (!fine) throw new LinkError(`Error reply to PING from master: '${reply}'`);
  log('notice', 'Master replied to PING, replication can continue...');
}

async function introduce(reader: SocketReader, options: HandshakeOptions): Promise<void> {
  const { user, password, listeningPort, announceIp, timeoutMs, log } = options;
  const commands: string[][] = [];
  if (password !== '') commands.push(user === '' ? ['AUTH', password] : ['AUTH', user, password]);
  commands.push(['REPLCONF', 'listening-port', String(listeningPort)]);
  if (announceIp !== '') commands.push(['REPLCONF', 'ip-address', announceIp]);
  commands.push(['REPLCONF', 'capa', 'eof', 'capa', 'psync2']);
  if (options.rdbOnly === true) commands.push(['REPLCONF', 'rdb-only', '1']);
  reader.send(commands.map(encodeCommand).join(''));
  for (const [name, what = ''] of commands) {
    const reply = await reader.line(timeoutMs);
    if (!reply.startsWith('-')) continue;
    if (name === 'AUTH') throw new LinkError(`Unable to AUTH to MASTER: ${reply}`);
    log('notice', `(Non critical) Master does not understand REPLCONF ${what}: ${reply}`);
  }
}

async function synchronize(
  reader: SocketReader,
  options: HandshakeOptions,
): Promise<HandshakeOutcome> {
  const { from, failover, isUndecided = false, timeoutMs, log } = options;
  if (from === null) log('notice', 'Partial resynchronization not possible (no cached master)');
  else {
    const request = `${from.id}:${from.nextByte}`;
    log('notice', `Trying a partial resynchronization (request ${request}).`);
  }
  const words = from === null ? ['PSYNC', '?', '-1'] : ['PSYNC', from.id, String(from.nextByte)];
  let reply = await exchange(reader, failover ? [...words, 'FAILOVER'] : words, timeoutMs);
  if (isUndecided && IS_PRIMARY.test(reply)) {
    log('notice', 'The failover target is a master already: did it go on from here?');
    reply = await exchange(reader, words, timeoutMs);
    // Nothing tells a master that has lost our data from one that took over and has moved on.
    if (reply.startsWith('+FULLRESYNC')) throw new FailoverRejectedError(REJECTED);
  }
  const [word = '', id = '', offset = ''] = reply.split(' ');
  if (word === '+FULLRESYNC') {
    if (!isReplicationId(id) || !/^\d+$/.test(offset)) {
      throw new LinkError('Master replied with wrong +FULLRESYNC syntax.');
    }
    // Beyond, it would stand still while the stream goes on.
    if (Number(offset) > OFFSET_MAX) {
      throw new LinkError(`The offset of the master, ${offset}, is beyond what is counted here.`);
    }
    log('notice', `Full resync from master: ${id}:${offset}`);
    return { kind: 'full', id: id.toLowerCase(), offset: Number(offset) };
  }
  if (word === '+CONTINUE' && from !== null) {
    log('notice', 'Successful partial resynchronization with master.');
    return { kind: 'continue', id: isReplicationId(id) ? id.toLowerCase() : from.id };
  }
  const isNotNow = NOT_NOW.test(reply);
  if (failover && !(isUndecided && isNotNow)) throw new FailoverRejectedError(REJECTED);
  if (isNotNow) {
    throw new LinkError(
      `Master is currently unable to PSYNC but should be in the future: ${reply}`,
    );
  }
  if (!reply.startsWith('-'))
    throw new LinkError(`Unexpected reply to PSYNC from master: ${reply}`);
  log('notice', `Master does not support PSYNC or is in error state (reply: ${reply})`);
  log('notice', 'Retrying with SYNC...');
  reader.send('SYNC\r\n');
  return { kind: 'sync' };
}

/** Sends PSYNC and reads its answer, past the empty lines before it. */
async function exchange(
  reader: SocketReader,
  words: readonly string[],
  timeoutMs: number,
): Promise<string> {
  reader.send(encodeCommand(words));
  let reply = '';
  while (reply === '') reply = await reader.line(timeoutMs);
  return reply;
}

/** A command as a server takes it. Characters are bytes. */
export function encodeCommand(words: readonly string[]): string {
  const bulks = words.map((word) => {
    const bytes = Buffer.from(word, 'utf8');
    return `$${bytes.length}\r\n${word}\r\n`;
  });
  return `*${words.length}\r\n${bulks.join('')}`;
}
