/**
 * One streamed full sync for replicas that differ in pace: each gets the same whole dataset,
 * whatever becomes of the others and of the child that makes it.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Crc64 } from '../../src/persistence/crc64.ts';
import { type Node, nodesOfTest, until } from './replication-nodes.ts';

const KEYS = 300;
const VALUE_BYTES = 40_000;
const MARK_BYTES = 40;
/** Of the beginning, in which the mark is looked for: signs of life may come before it. */
const HEAD_BYTES = 2000;
/** Far more than what sockets and queues hold of a snapshot. */
const HALF_BYTES = (KEYS * VALUE_BYTES) / 2;
const { node } = nodesOfTest();
const open: Sink[] = [];

afterEach(() => {
  for (const one of open.splice(0)) one.socket.destroy();
});

/** A replica that does nothing but take what it is sent. */
class Sink {
  readonly socket: Socket;
  readonly #parts: Buffer[] = [];
  #head = '';
  bytes = 0;

  constructor(port: number, pauses: boolean) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => undefined);
    this.socket.on('data', (part: Buffer) => {
      this.#parts.push(part);
      if (this.#head.length < HEAD_BYTES) this.#head += part.toString('latin1', 0, HEAD_BYTES);
      this.bytes += part.length;
      if (!pauses) return;
      this.socket.pause();
      setTimeout(() => this.socket.resume(), 2);
    });
    this.socket.write('REPLCONF capa eof capa psync2\r\n');
    this.socket.once('data', () => this.socket.write('PSYNC ? -1\r\n'));
    open.push(this);
  }

  /** Whether the mark of the beginning has come again. */
  get isWhole(): boolean {
    const { mark, from } = this.#beginning;
    const last = Buffer.concat(this.#parts.slice(-2)).subarray(-MARK_BYTES);
    return from > 0 && this.bytes > from + MARK_BYTES && last.toString('latin1') === mark;
  }

  /** What came between the two. */
  get rdb(): Buffer {
    const { from } = this.#beginning;
    return Buffer.concat(this.#parts).subarray(from, this.bytes - MARK_BYTES);
  }

  get #beginning(): { mark: string; from: number } {
    const found = /\$EOF:(\w{40})\r\n/.exec(this.#head);
    return { mark: found?.[1] ?? '', from: found === null ? 0 : found.index + found[0].length };
  }
}

/** A primary with values that differ at every byte, so that none can stand for another. */
async function primary(): Promise<Node> {
  const one = await node('cairn', { rdbcompression: 'no', 'repl-diskless-sync-delay': 3600 });
  for (let i = 0; i < KEYS; i++) {
    const words = Array.from({ length: VALUE_BYTES / 8 }, (_, at) => (i * 10_000 + at) * 7919);
    await one.client.set(`key:${i}`, Buffer.from(Float64Array.from(words).buffer));
  }
  return one;
}

/** Lets all who wait be synchronized together. */
async function begin(one: Node, waiting: number): Promise<void> {
  await until('all wait', async () => (await one.number('connected_slaves')) === waiting);
  await one.call('CONFIG', 'SET', 'repl-diskless-sync-delay', 0);
}

function expectWhole(rdb: Buffer): void {
  const sum = new Crc64();
  sum.update(rdb, 0, rdb.length - 8);
  const trailer = Buffer.alloc(8);
  sum.writeTo(trailer, 0);
  expect(rdb.subarray(-8).equals(trailer)).toBe(true);
  expect(rdb.length).toBeGreaterThan(KEYS * VALUE_BYTES);
}

/** How many sockets a process has open; Node's pipes are some. */
function socketsOf(pid: number): number {
  const files = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return files.filter((name) => name.startsWith('socket:')).length;
}

/** The process that makes the snapshots of a server: of its children, the one that runs node. */
function childOf(pid: number): number {
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ');
    for (const child of children.filter(Boolean)) {
      const words = readFileSync(`/proc/${child}/cmdline`, 'utf8');
      if (words.startsWith(process.execPath)) return Number(child);
    }
  }
  throw new Error('no child');
}

const whole = (one: Sink): Promise<void> => until('all of it came', async () => one.isWhole);

it('brings a slow and a fast replica the same, when another one is cut off half way', async () => {
  const server = await primary();
  const [slow, fast, cut] = [true, false, false].map((pauses) => new Sink(server.port, pauses));
  await begin(server, 3);
  await until('half of it came', async () => cut!.bytes > HALF_BYTES);
  cut!.socket.destroy();
  await whole(slow!);
  await whole(fast!);
  expectWhole(fast!.rdb);
  expect(slow!.rdb.equals(fast!.rdb)).toBe(true);
});

it('begins anew when the child dies, and nothing of the dead one is left', async () => {
  const server = await primary();
  const { pid } = server.server;
  const before = socketsOf(pid);
  const first = new Sink(server.port, false);
  await begin(server, 1);
  first.socket.once('data', () => first.socket.pause());
  // It takes no more, so the child is held back when it dies.
  await until('much waits', async () =>
    /omem=\d{7}/.test(String(await server.call('CLIENT', 'LIST', 'TYPE', 'replica'))),
  );
  process.kill(childOf(pid), 'SIGKILL');
  await until('it is given up', async () => (await server.number('connected_slaves')) === 0);
  expect(first.bytes).toBeLessThan(HALF_BYTES);
  first.socket.destroy();
  const [next, other] = [new Sink(server.port, true), new Sink(server.port, false)];
  await whole(next);
  await whole(other);
  expectWhole(next.rdb);
  expectWhole(other.rdb);
  next.socket.destroy();
  other.socket.destroy();
  // Three pipes of the dead child, and that by which its successor was told to go.
  await until('all is closed', async () => socketsOf(pid) === before - 4);
});
