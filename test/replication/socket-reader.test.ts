/** Reading a connection on demand, round and round the ring, and giving it away. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LinkError, SocketReader, whenConnected } from '../../src/replication/socket-reader.ts';
import { type PeerConnection, ScriptedPeer } from './scripted-peer.ts';

const TIMEOUT_MS = 60_000;
/** Several rings. */
const LINES = 100_000;

let peer: ScriptedPeer;
let reader: SocketReader;
let connection: PeerConnection;

beforeEach(async () => {
  peer = await ScriptedPeer.listen();
  reader = new SocketReader({ host: '127.0.0.1', port: peer.port });
  connection = await peer.connection();
});

afterEach(async () => {
  reader.close('the test is over');
  await peer.close();
});

it('gives every line, wherever the ring cuts it', async () => {
  const lines = Array.from({ length: LINES }, (_, i) => `line ${i} ${'x'.repeat(50 + (i % 7))}`);
  connection.send(lines.map((line) => `${line}\r\n`).join(''));
  for (const line of lines) {
    const came = await reader.line(TIMEOUT_MS);
    if (came !== line) expect(came).toBe(line);
  }
});

it('refuses a line that does not end, and one of an end only is empty', async () => {
  reader.lastReadMs = 1;
  connection.send('\n\r\n');
  expect([await reader.line(TIMEOUT_MS), await reader.line(TIMEOUT_MS)]).toEqual(['', '']);
  expect(reader.lastReadMs).toBeGreaterThan(1);
  connection.send('x'.repeat(10_000));
  await expect(reader.line(TIMEOUT_MS)).rejects.toThrow(LinkError);
});

it('lends what came but its end, until all of it is there', async () => {
  connection.send('0123456789');
  let text = '';
  while (text.length < 7) {
    const chunk = await reader.chunk(TIMEOUT_MS, 3, 4);
    expect(chunk.length).toBeLessThanOrEqual(4);
    text += Buffer.from(chunk).toString();
  }
  expect(text).toBe('0123456');
  expect(reader.takeRest(Buffer.from('78'))).toBe(false);
  expect(reader.takeRest(Buffer.from('xyz'))).toBe(false);
  expect(reader.takeRest(Buffer.from('789'))).toBe(true);
  expect(reader.release(() => undefined).length).toBe(0);
});

it('passes on what comes after it was given away, behind what it had', async () => {
  connection.send('a line\nthe rest');
  expect(await reader.line(TIMEOUT_MS)).toBe('a line');
  const first = Buffer.from(await reader.chunk(TIMEOUT_MS, 0, 1)).toString();
  await expect.poll(() => reader.socket.bytesRead).toBe('a line\nthe rest'.length);
  let text = '';
  const rest = reader.release((bytes) => {
    text += Buffer.from(bytes).toString('latin1');
  });
  expect(first + Buffer.from(rest).toString()).toBe('the rest');
  const stream = Array.from({ length: 50_000 }, (_, i) => `${i};`).join('');
  connection.send(stream);
  await expect.poll(() => text.length).toBe(stream.length);
  expect(text).toBe(stream);
});

it('leaves no timer running, which would end the conversation later', async () => {
  const running = new Set<unknown>();
  const { setTimeout, clearTimeout } = globalThis;
  const set = (run: () => void, ms: number): NodeJS.Timeout => {
    const timer = setTimeout(run, ms);
    if (ms === TIMEOUT_MS) running.add(timer);
    return timer;
  };
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(set as typeof setTimeout);
  vi.spyOn(globalThis, 'clearTimeout').mockImplementation((timer) => {
    running.delete(timer);
    clearTimeout(timer);
  });
  const other = new SocketReader({ host: '127.0.0.1', port: peer.port });
  const connected = whenConnected(other, TIMEOUT_MS);
  expect(running.size).toBe(1);
  await connected;
  const line = other.line(TIMEOUT_MS);
  expect(running.size).toBe(1);
  (await peer.connection()).send('+OK\r\n');
  expect(await line).toBe('+OK');
  await other.sent(Buffer.from('PING\r\n'), TIMEOUT_MS);
  expect(running.size).toBe(0);
  other.close('the test is over');
  vi.restoreAllMocks();
});

it('says why it ended, the first reason of all, and gives nothing away then', async () => {
  const line = reader.line(TIMEOUT_MS);
  reader.close('one reason');
  reader.close('another');
  await expect(line).rejects.toThrow('one reason');
  await expect(reader.line(TIMEOUT_MS)).rejects.toThrow('one reason');
  await expect(reader.sent(Buffer.from('PING\r\n'), TIMEOUT_MS)).rejects.toThrow('one reason');
  expect(() => reader.release(() => undefined)).toThrow('one reason');
  expect(reader.hasFailed).toBe(true);
});

it('gives up a connection that never stands, when time is up or nobody wants it', async () => {
  for (const [timeoutMs, message] of [
    [20, 'Timeout connecting'],
    [TIMEOUT_MS, 'the connection was closed'],
  ] as const) {
    // The name is looked up for ever.
    const nowhere = new SocketReader({ host: 'nowhere', port: 1, lookup: () => undefined });
    const connected = whenConnected(nowhere, timeoutMs);
    if (timeoutMs === TIMEOUT_MS) nowhere.close('nobody wants it');
    await expect(connected).rejects.toThrow(message);
    nowhere.close('the test is over');
  }
});

it('gives away what it has whole where the end of the ring cuts it', async () => {
  const before = (1 << 21) - 10;
  connection.send('x'.repeat(before));
  for (let got = 0; got < before; ) got += (await reader.chunk(TIMEOUT_MS, 0, before)).length;
  const rest = 'the beginning of the stream';
  connection.send(rest);
  await expect.poll(() => reader.socket.bytesRead).toBe(before + rest.length);
  const came = reader.release(() => undefined);
  expect(Buffer.from(came).toString()).toBe(rest);
});

it('gives up a peer that takes nothing of what it is sent', async () => {
  connection.socket.pause();
  const sent = reader.sent(Buffer.alloc(32 << 20), 50);
  await expect(sent).rejects.toThrow('no answer for 0.05 seconds');
  expect(reader.timedOut).toBe(true);
});
