/**
 * Connections to the targets of MIGRATE, kept for those who move key after key: an idle one is
 * closed after ten seconds, or when there are more than 64, the one that stands longest.
 *
 * A connection that is in use is nobody else's: two clients that move keys to the same target have
 * one each.
 */
import { LinkError } from '../../replication/socket-reader.ts';
import {
  type ConnectionSource,
  type TargetConnection,
  targetOf,
  whenTargetStands,
} from './migrate-talk.ts';

const IDLE_MAX = 64;
const IDLE_MS_MAX = 10_000;
const ENDED = 'the server ended';

interface Idle {
  readonly name: string;
  readonly connection: TargetConnection;
  readonly timer: NodeJS.Timeout;
}

export class MigrateSockets implements ConnectionSource {
  /** The one that stands longest first. */
  private idle: Idle[] = [];
  private readonly busy = new Set<TargetConnection>();
  private stopped = false;

  /** Connections that are open. */
  get size(): number {
    this.dropBroken();
    return this.idle.length + this.busy.size;
  }

  async take(host: string, port: number, timeoutMs: number): Promise<TargetConnection> {
    if (this.stopped) throw new LinkError(ENDED);
    this.dropBroken();
    const found = this.idle.findLast(({ name }) => name === `${host}:${port}`);
    if (found !== undefined) this.leave(found);
    const connection = found?.connection ?? targetOf(host, port);
    this.busy.add(connection);
    if (found === undefined) await whenTargetStands(connection, timeoutMs);
    connection.reader.socket.ref();
    return connection;
  }

  give(host: string, port: number, connection: TargetConnection): void {
    this.busy.delete(connection);
    const timer = setTimeout(() => this.close(one), IDLE_MS_MAX);
    const one = { name: `${host}:${port}`, connection, timer };
    timer.unref();
    connection.reader.socket.unref();
    this.idle.push(one);
    const oldest = this.idle[0];
    if (this.idle.length > IDLE_MAX && oldest !== undefined) this.close(oldest);
  }

  /** Ends every conversation, when the server ends. */
  stop(): void {
    this.stopped = true;
    for (const one of this.idle) this.close(one);
    for (const { reader } of this.busy) reader.close(ENDED);
  }

  private close(one: Idle): void {
    this.leave(one);
    one.connection.reader.close('nobody has used it');
  }

  private leave(one: Idle): void {
    clearTimeout(one.timer);
    this.idle = this.idle.filter((other) => other !== one);
  }

  private dropBroken(): void {
    for (const one of this.idle) if (one.connection.reader.hasFailed) this.close(one);
    for (const one of this.busy) if (one.reader.hasFailed) this.busy.delete(one);
  }
}
