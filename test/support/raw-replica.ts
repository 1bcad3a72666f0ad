/** The raw end of a replica's connection, which goes on from a byte of its primary's stream. */
import { connect, type Socket } from 'node:net';
import type { InProcessServer } from './in-process-server.ts';
import { encodeCommand } from './raw-client.ts';

const CONTINUE = '+CONTINUE\r\n';

export class RawReplica {
  readonly socket: Socket;
  /** Bytes of the stream that have come. */
  streamBytes = -CONTINUE.length;
  readonly #pieces: Buffer[] = [];

  constructor(primary: InProcessServer, id: string, nextByte: number) {
    this.socket = connect(primary.port, '127.0.0.1');
    this.socket.on('data', (bytes) => {
      this.#pieces.push(Buffer.from(bytes));
      this.streamBytes += bytes.length;
    });
    this.socket.write(`PSYNC ${id} ${nextByte}\r\n`);
  }

  /** What has come of the stream. */
  get stream(): Buffer {
    const all = Buffer.concat(this.#pieces);
    if (all.toString('latin1', 0, CONTINUE.length) !== CONTINUE) throw new Error('no stream came');
    return all.subarray(CONTINUE.length);
  }

  /** Says that it has got the stream up to there. */
  acknowledge(offset: number): void {
    this.socket.write(encodeCommand(['REPLCONF', 'ACK', offset]));
  }
}
