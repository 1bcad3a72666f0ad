/**
 * The intake: small reads of a turn, kept until the turn's end and then run together.
 *
 *     stage     [ client A: GET k1 ][ client B: SET k2 v ][ client C: GET k3 ]   ...room
 *     froms       0                   21                    48
 *
 * A client that waits for each reply sends one command a read. Run as it comes, each would wait
 * for memory alone, twice, and the kernel's, Node's and our own code would push each other out of
 * the caches. Kept together, the keys of up to sixteen clients are looked for at once
 * (core/key-ahead.ts) and time is read once. Measured (50 clients, GET, a million keys, on a
 * busy machine): a command takes 2 to 6 % less CPU, most of which is the kernel's.
 *
 * Between two reads the kernel has pushed code and data out of the caches, so what is done for a
 * read when it comes is kept to a minimum: its bytes are copied, since all links read into one
 * buffer, and their client is noted. Nothing of the client is looked at; it may have gone, wait, or
 * have several reads here, which are run in their order.
 */
import { copyBytes } from '../../core/memory/copy.ts';
import type { Client } from '../clients/client.ts';

/** A longer read carries enough commands to be run by itself. */
export const STAGED_BYTES_MAX = 512;
const STAGE_BYTES = 65_536;
/** A longer list of clients is dropped; one of up to this length is reused by the next turns. */
const CLIENTS_KEPT_MAX = 256;

export class Intake {
  /** Reads that wait. */
  count = 0;
  /** Whether the reads are being run. */
  runs = false;
  /** Whose each read is: clients[0 .. count). */
  readonly clients: Client[] = [];
  readonly stage = new Uint8Array(STAGE_BYTES);
  private froms = new Int32Array(64);
  private end = 0;

  /** Where read `i` begins in `stage`. */
  from(i: number): number {
    return this.froms[i]!;
  }

  /** Where read `i` ends in `stage`. */
  to(i: number): number {
    return i + 1 < this.count ? this.froms[i + 1]! : this.end;
  }

  /** Bytes of all reads that wait. */
  get bytes(): number {
    return this.end;
  }

  /** Whether there is room for a read of `bytes` bytes. */
  hasRoom(bytes: number): boolean {
    return this.end + bytes <= STAGE_BYTES;
  }

  /** Keeps what a client sent. */
  add(client: Client, bytes: Uint8Array, from: number, to: number): void {
    const i = this.count++;
    if (i === this.froms.length) this.grow();
    this.clients[i] = client;
    this.froms[i] = this.end;
    copyBytes(bytes, from, this.stage, this.end, to - from);
    this.end += to - from;
  }

  /** Forgets all reads, which have been run. */
  clear(): void {
    this.count = 0;
    this.end = 0;
    this.runs = false;
    if (this.clients.length > CLIENTS_KEPT_MAX) this.clients.length = 0;
  }

  private grow(): void {
    const froms = new Int32Array(this.froms.length * 2);
    froms.set(this.froms);
    this.froms = froms;
  }
}
