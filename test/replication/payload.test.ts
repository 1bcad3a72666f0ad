/**
 * Receiving a dataset: both framings, however they are cut; what is damaged is refused, what is
 * empty is told.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Crc64 } from '../../src/persistence/crc64.ts';
import { type Payload, payloadFile, receivePayload } from '../../src/replication/payload.ts';
import { isEmptySnapshot, snapshotVersion } from '../../src/replication/snapshot-head.ts';
import { LinkError, SocketReader } from '../../src/replication/socket-reader.ts';
import { FaultyFileSystem } from '../support/faulty-file-system.ts';
import { type PeerConnection, ScriptedPeer } from './scripted-peer.ts';

const MARK = 'm'.repeat(40);

/** An RDB with this body between header and checksum; the sum is right unless `sum` is given. */
function rdb(body: string, version = '0010', sum?: Buffer): Buffer {
  const bytes = Buffer.from(`REDIS${version}${body}`, 'latin1');
  const crc = new Crc64();
  crc.update(bytes, 0, bytes.length);
  const trailer = Buffer.alloc(8);
  crc.writeTo(trailer, 0);
  return Buffer.concat([bytes, sum ?? trailer]);
}

/** An RDB of which one byte of the sum, counted from its beginning, is wrong. */
function wrongHalf(version: string, at: number): Buffer {
  const bytes = rdb('\xff', version);
  const place = bytes.length - 8 + at;
  bytes[place] = bytes[place]! ^ 1;
  return bytes;
}

const AUX = '\xfa\x09redis-ver\x057.2.4\xfa\x05ctime\xc2abcd\xfa\x0aredis-bits\xc0\x40';
const EMPTY = rdb(`${AUX}\xff`);
const FULL = rdb(`${AUX}\xfe\x00\xfb\x01\x00\x00\x01k\x01v\xff`);
const LARGE = rdb(`${AUX}\xfe\x00${'x'.repeat(300_000)}\xff`);

let peer: ScriptedPeer;
let fs: FaultyFileSystem;
let reader: SocketReader;

beforeEach(async () => {
  peer = await ScriptedPeer.listen();
  fs = new FaultyFileSystem();
  fs.mkdirSync('/data');
});

afterEach(async () => {
  reader.close('the test is over');
  await peer.close();
});

async function receive(
  feed: (connection: PeerConnection) => void | Promise<void>,
  beforeWrite: () => Promise<void> = async () => undefined,
): Promise<Payload> {
  reader = new SocketReader({ host: '127.0.0.1', port: peer.port });
  const connection = await peer.connection();
  const received = receivePayload(reader, {
    open: async () => {
      const file = await payloadFile(fs, '/data/temp.rdb');
      return {
        writeAll: async (bytes, offset, length, position) => {
          await beforeWrite();
          await file.writeAll(bytes, offset, length, position);
        },
        syncData: () => file.syncData(),
        close: () => file.close(),
      };
    },
    timeoutMs: 60_000,
    onProgress: () => undefined,
  });
  received.catch(() => undefined);
  await feed(connection);
  return received;
}

const text = (bytes: Buffer): string => bytes.toString('latin1');

function stored(): Buffer {
  const file = fs.openSync('/data/temp.rdb', 'read');
  const bytes = Buffer.alloc(file.sizeSync());
  file.readSync(bytes, 0, bytes.length, 0);
  file.closeSync();
  return bytes;
}

describe('payload', () => {
  it('takes a counted dataset and leaves what follows unread', async () => {
    const payload = await receive((peer) =>
      peer.send(`\n\n$${FULL.length}\r\n${text(FULL)}*1\r\n`),
    );
    expect(payload).toMatchObject({
      bytes: FULL.length,
      isChecked: true,
      wasStreamed: false,
      isEmpty: false,
    });
    expect(fs.calls.at(-1)).toBe('close temp.rdb');
    expect(stored().equals(FULL)).toBe(true);
    expect(Buffer.from(reader.release(() => undefined)).toString()).toBe('*1\r\n');
  });

  it('has all that was sent before it is synced, and closes it come what may', async () => {
    const told: string[] = [];
    const take = async (sent: string): Promise<void> => {
      reader = new SocketReader({ host: '127.0.0.1', port: peer.port });
      const note = (what: string) => async () => void told.push(what);
      (await peer.connection()).send(sent);
      await receivePayload(reader, {
        open: async (total) => {
          told.push(`open ${total}`);
          return {
            writeAll: note('write'),
            end: note('end'),
            syncData: note('sync'),
            close: note('close'),
          };
        },
        timeoutMs: 60_000,
        onProgress: (received, total) => void told.push(`${received} of ${total}`),
      });
    };
    const { length } = EMPTY;
    await take(`$EOF:${MARK}\r\n${text(EMPTY)}${MARK}`);
    expect(told.splice(0)).toEqual(['open 0', 'write', `${length} of 0`, 'end', 'sync', 'close']);
    reader.close('next');
    await take(`$${length}\r\n${text(EMPTY)}`);
    const counted = [`open ${length}`, 'write', `${length} of ${length}`];
    expect(told.splice(0)).toEqual([...counted, 'end', 'sync', 'close']);
    reader.close('next');
    await expect(take('$5\r\nHELLO')).rejects.toThrow(LinkError);
    expect(told).toEqual(['open 5', 'write', '5 of 5', 'close']);
  });

  it('is synced every 32 MiB on its way, and at its end', async () => {
    reader = new SocketReader({ host: '127.0.0.1', port: peer.port });
    const connection = await peer.connection();
    const mebibyte = 'x'.repeat(1 << 20);
    connection.send(`$${9 + (70 << 20)}\r\nREDIS0004`);
    for (let i = 0; i < 70; i++) connection.send(mebibyte);
    const synced: number[] = [];
    let written = 0;
    await receivePayload(reader, {
      open: async () => ({
        writeAll: async (_bytes, _offset, length) => {
          written += length;
        },
        syncData: async () => void synced.push(written >> 25),
        close: async () => undefined,
      }),
      timeoutMs: 60_000,
      onProgress: () => undefined,
    });
    expect(synced).toEqual([1, 2, 2]);
  });

  it('takes a marked dataset, cut anywhere', async () => {
    const whole = `$EOF:${MARK}\r\n${text(FULL)}${MARK}`;
    for (const step of [1, 7, 39, 41, whole.length]) {
      const payload = await receive(async (connection) => {
        for (let at = 0; at < whole.length; at += step) {
          connection.send(whole.slice(at, at + step));
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      expect(payload).toMatchObject({
        bytes: FULL.length,
        isChecked: true,
        wasStreamed: true,
        isEmpty: false,
      });
      expect(stored().equals(FULL)).toBe(true);
      expect(reader.release(() => undefined).length).toBe(0);
      reader.socket.destroy();
    }
  });

  it('takes a large one, and it is on disk when it is done', async () => {
    fs.put('/data/temp.rdb', new Uint8Array(LARGE.length + 1));
    await receive((peer) => peer.send(`$EOF:${MARK}\r\n${text(LARGE)}${MARK}`));
    expect(stored().equals(LARGE)).toBe(true);
    const calls = fs.calls.filter((call) => call.endsWith(' temp.rdb'));
    const lastWrite = calls.findLastIndex((call) => call.startsWith('write'));
    expect(calls.findLastIndex((call) => call.startsWith('sync'))).toBeGreaterThan(lastWrite);
  });

  it('takes one larger than what may wait, in either framing, at its own pace', async () => {
    const body = Array.from({ length: 700_000 }, (_, i) => String(i).padStart(8, '0')).join('');
    const large = rdb(`${AUX}\xfe\x00${body}\xff`);
    for (const [head, end, rest] of [
      [`$${large.length}\r\n`, '', '*1\r\n'],
      [`$EOF:${MARK}\r\n`, MARK, ''],
    ] as const) {
      const payload = await receive(
        (peer) => peer.send(`${head}${text(large)}${end}${rest}`),
        () => new Promise((resolve) => setTimeout(resolve, 2)),
      );
      expect(payload).toMatchObject({ bytes: large.length, isChecked: true });
      expect(stored().equals(large)).toBe(true);
      const all = head.length + large.length + end.length + rest.length;
      await expect.poll(() => reader.socket.bytesRead).toBe(all);
      expect(text(Buffer.from(reader.release(() => undefined)))).toBe(rest);
      reader.socket.destroy();
    }
  });

  it('tells an empty dataset', async () => {
    expect((await receive((peer) => peer.send(`$${EMPTY.length}\r\n${text(EMPTY)}`))).isEmpty).toBe(
      true,
    );
  });

  it('refuses what does not sum up, in either framing', async () => {
    const broken = Buffer.from(LARGE);
    broken[1000] = (broken[1000] ?? 0) ^ 1;
    await expect(receive((p) => p.send(`$${broken.length}\r\n${text(broken)}`))).rejects.toThrow(
      'checksum of the RDB is wrong',
    );
    reader.close('next');
    await expect(receive((p) => p.send(`$EOF:${MARK}\r\n${text(broken)}${MARK}`))).rejects.toThrow(
      'checksum of the RDB is wrong',
    );
  });

  it.each([
    ['half of the sum is wrong', wrongHalf('0010', 0)],
    ['the other half of it is', wrongHalf('0010', 4)],
    ['half of it is zero', rdb('\xff', '0010', Buffer.from([0, 0, 0, 0, 1, 2, 3, 4]))],
    ['the first version that has one is', wrongHalf('0005', 0)],
  ])('refuses it when %s', async (_what, broken) => {
    const sent = receive((p) => p.send(`$${broken.length}\r\n${text(broken)}`));
    await expect(sent).rejects.toThrow('checksum of the RDB is wrong');
  });

  it('takes a zero for a dataset without a checksum, and old versions that have none', async () => {
    const unchecked = rdb('\xff', '0010', Buffer.alloc(8));
    await receive((p) => p.send(`$${unchecked.length}\r\n${text(unchecked)}`));
    reader.close('next');
    const old = Buffer.from('REDIS0003\xfe\x00\x00\x01k\x08valvalue\xff', 'latin1');
    await receive((p) => p.send(`$${old.length}\r\n${text(old)}`));
  });

  it.each([
    ['-ERR no snapshot\r\n', 'MASTER aborted replication with an error: ERR no snapshot'],
    ['+OK\r\n', 'Bad protocol from MASTER'],
    ['$12x\r\n', 'Bad protocol from MASTER'],
    [`$EOF:${MARK.slice(1)}\r\n`, 'Bad protocol from MASTER'],
    ['$5\r\nHELLO', 'what it sent is no RDB'],
  ])('refuses %j', async (sent, message) => {
    await expect(receive((connection) => connection.send(sent))).rejects.toThrow(message);
  });

  it('fails when the link breaks or the disk is full', async () => {
    const half = `$${FULL.length}\r\n${text(FULL).slice(0, 20)}`;
    await expect(
      receive((connection) => {
        connection.socket.end(half, 'latin1');
      }),
    ).rejects.toThrow('closed');
    reader.close('next');
    fs.spaceBytes = 1000;
    await expect(receive((p) => p.send(`$${LARGE.length}\r\n${text(LARGE)}`))).rejects.toThrow(
      'ENOSPC',
    );
  });
});

describe('the head of an RDB', () => {
  it('tells the version', () => {
    expect(snapshotVersion(EMPTY)).toBe(10);
    expect(snapshotVersion(Buffer.from('VALKEY080'))).toBe(80);
    expect(snapshotVersion(Buffer.from('REDIS001'))).toBe(null);
    expect(snapshotVersion(Buffer.from('RADIS0010'))).toBe(null);
  });

  it.each([
    ['auxiliary fields only', AUX, true],
    ['nothing at all', '', true],
    ['a field of 300 bytes', `\xfa\x41\x2c${'n'.repeat(300)}\x00`, true],
    ['a field of 32-bit length', `\xfa\x80\x00\x00\x00\x02ab\x00`, true],
    ['a field of 14-bit length that is short', '\xfa\x40\x05abcde\x00', true],
    ['a field of a 16-bit integer', '\xfa\x01a\xc1\x01\x02', true],
    ['a length that is cut', '\xfa\x80\x00', false],
    ['a database', `${AUX}\xfe\x00\xff`, false],
    ['a function', `${AUX}\xf5\x03abc`, false],
    ['a field that goes on and on', `\xfa\x80\x00\x10\x00\x00ab`, false],
    ['a compressed field', `\xfa\xc3\x01\x01a\x00`, false],
  ])('knows %s', (_what, body, empty) => {
    for (const head of ['REDIS0010', 'VALKEY080']) {
      expect(isEmptySnapshot(Buffer.from(`${head}${body}\xff`, 'latin1'))).toBe(empty);
    }
  });

  it('does not take for empty what goes on after it', () => {
    expect(isEmptySnapshot(Buffer.from(`REDIS0010${AUX}`, 'latin1'))).toBe(false);
  });
});
