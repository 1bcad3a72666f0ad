/** Turns that wait for the disk: what is queued is written, once, whatever came before. */
import { describe, expect, it } from 'vitest';
import {
  encodeTurn,
  TURN_EXTRA_BYTES_MAX,
  TurnQueue,
} from '../../../src/persistence/aof/aof-queue.ts';
import { DurableFile } from '../../../src/persistence/durable-file.ts';
import { freshDriver as fresh, recover } from '../../support/aof-driver.ts';
import { FaultyFileSystem } from '../../support/faulty-file-system.ts';

describe('the queue', () => {
  it('keeps all turns of a group that grows, and of one that follows on it', async () => {
    const { fs, driver } = await fresh('always');
    driver.turn();
    await driver.pass(100);
    driver.turn(999);
    await driver.pass(100);
    for (let round = 0; round < 3; round++) {
      fs.holdSyncs(/incr/);
      for (let i = 0; i < 1000; i++) driver.turn();
      fs.releaseSyncs();
      await driver.pass(100);
    }
    expect(driver.acknowledged).toBe(4000);
    expect(await recover(fs.kill())).toBe(4000);
  });

  it('loses nothing to a write that ends when its file has failed', async () => {
    const { fs, driver } = await fresh('everysec');
    driver.turn();
    await driver.aof.prepareRewrite(0);
    fs.holdSyncs(/a\.1\.incr/);
    await driver.pass(100);
    fs.failSyncOf = /a\.1\.incr/;
    driver.turn();
    driver.beginPrepared();
    driver.turn();
    fs.releaseSyncs();
    await driver.pass(100);
    expect(driver.aof.lastError?.message).toMatch(/fsync of/);
    await driver.finish();
    driver.turn();
    await driver.pass(2000);
    expect(driver.acknowledged).toBe(4);
    expect(await recover(fs.kill())).toBe(4);
  });
});

describe('the memory of the queue', () => {
  const MIB = 1024 * 1024;

  function queued() {
    const disk = new FaultyFileSystem();
    disk.put('/data/.keep', new Uint8Array(0));
    const file = new DurableFile(disk.openSync('/data/f', 'replace'));
    const returned: number[] = [];
    // What is given back is soon another's.
    const queue = new TurnQueue((buffers) => {
      for (const buffer of buffers) returned.push(new Uint8Array(buffer).fill(0).length);
    });
    const add = (bytes: Uint8Array) => queue.add(file, bytes, 0, bytes.length, 1, true, -1);
    const forget = () => queue.dropFile(file);
    const head = () => queue.head!;
    return { queue, returned, add, forget, head };
  }

  it('is given back where it is large, once nobody reads it any more', () => {
    const { queue, returned, add, forget, head } = queued();
    add(Buffer.from('a'));
    add(Buffer.alloc(100_000, 'b'));
    expect(queue.bytes).toBeGreaterThan(100_000);
    forget();
    expect([queue.isEmpty, queue.bytes]).toEqual([true, 0]);
    const turn = Buffer.alloc(5 * MIB, 'x');
    const encoded = new Uint8Array(turn.length + TURN_EXTRA_BYTES_MAX);
    const bytes = encodeTurn(encoded, 0, turn, 0, turn.length, true, -1);
    add(turn);
    const before = head().buf.length;
    expect(returned).toEqual([]);
    add(turn);
    expect(returned).toEqual([before]);
    const found = Buffer.from(head().buf.subarray(0, head().len));
    const wanted = encoded.subarray(0, bytes);
    expect(found.equals(Buffer.concat([wanted, wanted]))).toBe(true);
    const after = head().buf.length;
    queue.remove(head());
    expect([returned, queue.bytes]).toEqual([[before, after], 0]);
  });

  it('is used again where it is small', () => {
    const { queue, returned, add, head } = queued();
    add(Buffer.from('a'));
    const { buf } = head();
    queue.remove(head());
    add(Buffer.from('b'));
    expect(head().buf).toBe(buf);
    queue.remove(head());
    add(Buffer.alloc(2 * MIB, 'c'));
    queue.remove(head());
    add(Buffer.from('d'));
    expect(head().buf.length).toBe(buf.length);
    expect(returned).toEqual([]);
  });

  it('is not asked for without end in one piece', () => {
    const { queue, add, head } = queued();
    add(Buffer.alloc(17 * MIB, 'x'));
    const first = head();
    const { len } = first;
    add(Buffer.from('b'));
    expect(first.len).toBe(len);
    queue.remove(first);
    expect(head().len).toBeLessThan(100);
    queue.clear();
    expect([queue.isEmpty, queue.bytes]).toEqual([true, 0]);
  });
});
