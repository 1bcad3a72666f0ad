/**
 * The conversation of MIGRATE with the server that keys are moved to: all commands are sent in one
 * piece, then each answer is one line.
 *
 *     AUTH [user] password       when asked for
 *     SELECT db                  unless the connection is there already
 *     RESTORE key ttl value [REPLACE]     once for each key
 *
 * A connection that stood idle may have been closed at the other end: when it breaks, though not by
 * time, before the first key was answered for, everything is said once more over a new one.
 *
 * Time is counted anew for the connecting, for each 64 kB sent and for each line awaited.
 */
import { isError } from '../../persistence/file-system.ts';
import { LinkError, SocketReader, whenConnected } from '../../replication/socket-reader.ts';

const CHUNK_BYTES = 64 << 10;
/** What lies beyond a port's 16 bits is not looked at. */
const PORT_MASK = 0xffff;
/** The error where no connection came in time, or there is no such host. */
export const UNREACHABLE = 'IOERR error or timeout connecting to the client';

/** What moves, and where to. */
export interface MigrateRequest {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly timeoutMs: number;
  /** What AUTH is given; empty for no AUTH. */
  readonly credentials: readonly Uint8Array[];
  readonly replace: boolean;
  readonly keys: readonly MigrateKey[];
}

export interface MigrateKey {
  readonly name: Uint8Array;
  /** Milliseconds that it has left, 0 for ever. */
  readonly ttlMs: number;
  /** The value as DUMP gives it. */
  readonly payload: Uint8Array;
}

/** What has come of a migration. */
export interface MigrateOutcome {
  /** Whether the target has taken each key. */
  readonly taken: readonly boolean[];
  /** An error for the client; null when the target has taken all. */
  readonly error: string | null;
}

/** A connection to a target, for one conversation at a time. */
export interface TargetConnection {
  readonly reader: SocketReader;
  /** The database that the target is known to have selected, -1 for none. */
  db: number;
}

/** Where connections come from, and go to when all was said. */
export interface ConnectionSource {
  /** Rejects when there is none to be had. */
  take(host: string, port: number, timeoutMs: number): Promise<TargetConnection>;
  give(host: string, port: number, connection: TargetConnection): void;
}

/** A new connection, which does not stand yet. */
export function targetOf(host: string, port: number): TargetConnection {
  return { reader: new SocketReader({ host, port: port & PORT_MASK, noDelay: true }), db: -1 };
}

/** Resolves when a new connection stands. Rejects when that fails. */
export async function whenTargetStands(
  target: TargetConnection,
  timeoutMs: number,
): Promise<TargetConnection> {
  try {
    await whenConnected(target.reader, timeoutMs);
  } catch (error) {
    target.reader.socket.destroy();
    throw error;
  }
  return target;
}

/** Moves the keys' values; never rejects. Whatever breaks is told in Redis's words. */
export async function migrate(
  source: ConnectionSource,
  request: MigrateRequest,
): Promise<MigrateOutcome> {
  const outcome = await attempt(source, request, true);
  return outcome ?? (await attempt(source, request, false)) ?? failed('reading');
}

/** One conversation; null when another one may go better, and `mayRetry`. */
async function attempt(
  source: ConnectionSource,
  request: MigrateRequest,
  mayRetry: boolean,
): Promise<MigrateOutcome | null> {
  const { host, port, timeoutMs } = request;
  let connection: TargetConnection;
  try {
    connection = await source.take(host, port, timeoutMs);
  } catch (error) {
    return { taken: [], error: isRefused(error) ? failed('writing').error : UNREACHABLE };
  }
  const talk = new Talk(connection, request);
  try {
    await talk.run();
    source.give(host, port, connection);
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    connection.reader.close('the conversation broke');
    const isUnheard = talk.taken.length === 0;
    if (mayRetry && isUnheard && !talk.isLate) return null;
    talk.error ??= failed(talk.isSent ? 'reading' : 'writing').error;
  }
  return { taken: talk.taken, error: talk.error };
}

/** Redis learns only when it writes that nobody has taken its connection. */
function isRefused(error: unknown): boolean {
  return isError(error) && 'syscall' in error && error.syscall === 'connect';
}

function failed(doing: 'reading' | 'writing'): MigrateOutcome {
  return { taken: [], error: `IOERR error or timeout ${doing} to target instance` };
}

class Talk {
  /** Whether each key that was answered for so far was taken. */
  readonly taken: boolean[] = [];
  /** The first refusal. */
  error: string | null = null;
  isSent = false;
  private readonly connection: TargetConnection;
  private readonly request: MigrateRequest;

  constructor(connection: TargetConnection, request: MigrateRequest) {
    this.connection = connection;
    this.request = request;
  }

  /** Whether the talk ended because time was up. */
  get isLate(): boolean {
    return this.connection.reader.timedOut;
  }

  /** Rejects with LinkError when the connection breaks or time is up. */
  async run(): Promise<void> {
    const { connection, request } = this;
    const { credentials, db, keys } = request;
    const selects = connection.db !== db;
    await this.send(encode(request, selects));
    this.isSent = true;
    const refusals = [
      credentials.length > 0 ? await this.refusal() : null,
      selects ? await this.refusal() : null,
    ];
    connection.db = db;
    for (let i = 0; i < keys.length; i++) {
      const own = await this.refusal();
      const refusal = refusals[0] ?? refusals[1] ?? own;
      this.taken.push(refusal === null);
      if (refusal === null) continue;
      // Which database it is in now nobody knows.
      connection.db = -1;
      this.error ??= `ERR Target instance replied with error: ${refusal}`;
    }
  }

  /** The next answer, if it is an error, else null. */
  private async refusal(): Promise<string | null> {
    const line = await this.connection.reader.line(this.request.timeoutMs);
    return line.startsWith('-') ? line.slice(1) : null;
  }

  private async send(bytes: Buffer): Promise<void> {
    const { reader } = this.connection;
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      await reader.sent(bytes.subarray(at, at + CHUNK_BYTES), this.request.timeoutMs);
    }
  }
}

function encode(request: MigrateRequest, selects: boolean): Buffer {
  const { credentials, db, keys, replace } = request;
  const parts: Uint8Array[] = [];
  if (credentials.length > 0) addCommand(parts, ['AUTH', ...credentials]);
  if (selects) addCommand(parts, ['SELECT', `${db}`]);
  const more = replace ? ['REPLACE'] : [];
  for (const { name, ttlMs, payload } of keys) {
    addCommand(parts, ['RESTORE', name, `${ttlMs}`, payload, ...more]);
  }
  return Buffer.concat(parts);
}

function addCommand(parts: Uint8Array[], words: readonly (string | Uint8Array)[]): void {
  parts.push(Buffer.from(`*${words.length}\r\n`));
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
}
