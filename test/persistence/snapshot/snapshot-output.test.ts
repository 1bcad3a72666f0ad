/** What a child streams, read into its taker's buffers, and as Node reads it where it must. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import {
  SnapshotOutput,
  type StreamTaker,
} from '../../../src/persistence/snapshot/snapshot-output.ts';
import { Random } from '../../support/random.ts';

const PIECES = 40;

/** Keeps a few buffers for a while, as one that sends them would, and wants a rest now and then. */
class Taker implements StreamTaker {
  readonly given = new Set<Uint8Array>();
  text = '';
  isHeld = false;
  takes = 0;
  rooms = 0;
  /** Given by the reader, and not given back to it. */
  ownTakes = 0;
  readonly #kept: { readonly buffer: Uint8Array; readonly copy: Buffer }[] = [];
  readonly #resume: () => void;

  constructor(resume: () => void) {
    this.#resume = resume;
  }

  take(buffer: Uint8Array, count: number): boolean {
    expect(this.isHeld).toBe(false);
    if (!this.given.has(buffer)) this.ownTakes++;
    this.#kept.push({ buffer, copy: Buffer.from(buffer) });
    this.text += this.#kept.at(-1)!.copy.toString('latin1', 0, count);
    this.isHeld = ++this.takes % 3 === 0;
    if (this.isHeld) {
      setTimeout(() => {
        this.isHeld = false;
        this.#resume();
      }, 1);
    }
    return !this.isHeld;
  }

  room(): Uint8Array {
    this.rooms++;
    for (const { buffer, copy } of this.#kept) expect(copy.equals(buffer)).toBe(true);
    const buffer = this.#kept.length < 4 ? new Uint8Array(5000) : this.#kept.shift()!.buffer;
    this.given.add(buffer);
    return buffer;
  }
}

async function read(from: Readable, to: Writable): Promise<{ taker: Taker; sent: string }> {
  const output: SnapshotOutput = new SnapshotOutput(from, () => taker);
  const taker = new Taker(() => output.resume());
  const random = new Random(7);
  let sent = '';
  for (let i = 0; i < PIECES; i++) {
    const piece = random.bytes(random.between(1, 9000));
    sent += piece;
    to.write(piece, 'latin1');
    if (i % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => taker.text.length).toBe(sent.length);
  return { taker, sent };
}

/** Both ends of a connection. */
async function connection(): Promise<{ far: Socket; near: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const far = connect(typeof address === 'object' ? address!.port : 0, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  server.close();
  open.push(far, near);
  return { far, near };
}

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

describe('the output of a snapshot', () => {
  it('comes in buffers of its taker, which are left alone until given back', async () => {
    const { far, near } = await connection();
    const { taker, sent } = await read(near, far);
    expect(taker.text).toBe(sent);
    expect(taker.ownTakes).toBe(1);
  });

  it('comes as it is read where no socket is behind it', async () => {
    const pipe = new PassThrough();
    const { taker, sent } = await read(pipe, pipe);
    expect(taker.text).toBe(sent);
    expect(taker.rooms).toBe(taker.takes);
  });

  it('vanishes where nobody takes it', async () => {
    const pipe = new PassThrough();
    new SnapshotOutput(pipe, () => null);
    pipe.end('nobody reads this');
    await once(pipe, 'end');
    const { far, near } = await connection();
    new SnapshotOutput(near, () => null);
    far.end(Buffer.alloc(8 << 20));
    await once(far, 'finish');
  });

  it('may break off', async () => {
    const { far, near } = await connection();
    let takes = 0;
    const take = (): boolean => {
      takes++;
      return true;
    };
    new SnapshotOutput(near, () => ({ take, room: () => new Uint8Array(100) }));
    far.write('the first words');
    await expect.poll(() => takes).toBe(1);
    far.resetAndDestroy();
    // An error that nobody heard would end this process.
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
});
