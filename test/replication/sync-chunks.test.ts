/** The buffers of a full sync: used again, and never while anybody is still to read them. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Replica } from '../../src/replication/replica.ts';
import { SyncChunks } from '../../src/replication/sync-chunks.ts';
import { type FakeConnection, fakeReplica } from './fake-connection.ts';

const REPLICAS = 3;
/** Small pieces are many: what is queued spans several buffers. */
const PIECE_MAX = 400;

type Move =
  | { readonly kind: 'send'; readonly bytes: number }
  | { readonly kind: 'drain'; readonly who: number; readonly bytes: number }
  | { readonly kind: 'close' | 'leave'; readonly who: number };

const who = fc.nat(REPLICAS - 1);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('send'), bytes: fc.nat(PIECE_MAX) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('drain'), who, bytes: fc.nat(1000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('close', 'leave'), who }) },
);

class Scene {
  readonly chunks = new SyncChunks();
  readonly buffers = new Set<Uint8Array>();
  readonly all: readonly { readonly replica: Replica; readonly connection: FakeConnection }[];
  readonly members: Set<Replica>;
  /** What each was sent. */
  readonly sent: string[] = Array<string>(REPLICAS).fill('');
  #next = 0;

  constructor() {
    this.all = Array.from({ length: REPLICAS }, () => fakeReplica());
    for (const { connection } of this.all) connection.takes = false;
    this.members = new Set(this.all.map(({ replica }) => replica));
  }

  send(bytes: number): void {
    const buffer = this.chunks.take();
    this.buffers.add(buffer);
    // Whoever still had to read what was here would read this instead.
    buffer.fill(0xff);
    let text = '';
    while (text.length < bytes) text += `${this.#next++} `;
    Buffer.from(buffer.buffer).write(text.slice(0, bytes), 'latin1');
    this.chunks.send(buffer, bytes, this.members);
    for (const [i, { replica }] of this.all.entries()) {
      if (this.members.has(replica)) this.sent[i] += text.slice(0, bytes);
    }
  }

  play(one: Move): void {
    if (one.kind === 'send') {
      this.send(one.bytes);
      return;
    }
    const { replica, connection } = this.all[one.who]!;
    if (one.kind === 'drain') {
      connection.drain(one.bytes);
      return;
    }
    this.members.delete(replica);
    if (one.kind === 'close') connection.close();
  }
}

it('brings each what it was sent, whoever is slow, is closed, or has left', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 120 }), (moves) => {
      const scene = new Scene();
      for (const one of moves) scene.play(one);
      for (const [i, { connection }] of scene.all.entries()) {
        connection.drain();
        const { text } = connection;
        if (connection.isClosed) expect(scene.sent[i]!.startsWith(text)).toBe(true);
        else expect(text).toBe(scene.sent[i]);
      }
    }),
    { numRuns: 300 },
  );
});

it('needs as many buffers as the slowest has queued, and one that is filled', () => {
  const scene = new Scene();
  const [slow, fast] = scene.all;
  fast!.connection.takes = true;
  for (let i = 0; i < 50; i++) {
    scene.send(100);
    if (i >= 3) slow!.connection.drain(100);
    scene.all[2]!.connection.drain();
  }
  expect(scene.buffers.size).toBe(4);
});

it('does not wait for one that was closed', () => {
  const scene = new Scene();
  for (const { connection } of scene.all.slice(1)) connection.takes = true;
  for (let i = 0; i < 3; i++) scene.send(100);
  scene.play({ kind: 'close', who: 0 });
  for (let i = 0; i < 20; i++) scene.send(100);
  expect(scene.buffers.size).toBe(3);
});
