/**
 * What is queued between MULTI and EXEC: comes back as it went in, whatever its lengths, and is
 * counted as what it takes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Arena } from '../../../src/core/memory/arena.ts';
import { OfferedBuffers } from '../../../src/core/memory/offered-buffers.ts';
import { Args } from '../../../src/core/resp/args.ts';
import {
  SpareTransactions,
  Transaction,
  TransactionCursor,
} from '../../../src/server/clients/transaction.ts';
import { ALL_COMMANDS } from '../../../src/server/commands/all.ts';
import { startCairnServer } from '../../support/cairn-server.ts';
import { encodeCommand } from '../../support/raw-client.ts';

const LARGE = 100_000;
const COMMANDS = 10_000;
const ping = ALL_COMMANDS.find(({ name }) => name === 'ping')!;
const echo = ALL_COMMANDS.find(({ name }) => name === 'echo')!;

/** Words of a transaction as the cursor gives them back, and the names of its commands. */
function readBack(transaction: Transaction): { names: string[]; commands: Buffer[][] } {
  const cursor = new TransactionCursor(transaction);
  const args = new Args();
  const names: string[] = [];
  const commands: Buffer[][] = [];
  for (let one = cursor.next(args); one !== null; one = cursor.next(args)) {
    names.push(one.name);
    commands.push(Array.from({ length: args.count }, (_, i) => Buffer.from(args.copy(i))));
  }
  return { names, commands };
}

describe('the queue of a transaction', () => {
  const length = fc.oneof(
    { weight: 8, arbitrary: fc.nat(40) },
    { weight: 2, arbitrary: fc.integer({ min: 200, max: 600 }) },
    { weight: 1, arbitrary: fc.integer({ min: 65_500, max: 65_560 }) },
    { weight: 1, arbitrary: fc.constant(LARGE) },
  );
  const words = fc.array(length, { minLength: 1, maxLength: 6 });

  it('gives back what was put in, held arguments among it', () => {
    fc.assert(
      fc.property(fc.array(words, { maxLength: 60 }), (lengths) => {
        const buffers = new OfferedBuffers(new Arena());
        const transaction = new Transaction();
        let filled = 0;
        const expected = lengths.map((one) =>
          one.map((size) => {
            const isOffered = size === LARGE;
            const bytes = isOffered ? buffers.take(size) : new Uint8Array(size + 3);
            return bytes.fill(++filled);
          }),
        );
        expected.forEach((one, i) => {
          const args = new Args();
          one.forEach((bytes, k) => {
            const size = lengths[i]![k]!;
            args.push(bytes, size === LARGE ? 0 : 3, size);
          });
          transaction.add(i % 2 === 0 ? ping : echo, args, buffers);
        });

        const { names, commands } = readBack(transaction);

        expect(names).toEqual(lengths.map((_, i) => (i % 2 === 0 ? 'ping' : 'echo')));
        expect(commands.map((one) => one.map((word) => [word.length, word[0]]))).toEqual(
          expected.map((one, i) =>
            one.map((bytes, k) => {
              const size = lengths[i]![k]!;
              return [size, size === 0 ? undefined : bytes[0]];
            }),
          ),
        );
        expect(transaction.takeHeld()).toHaveLength(
          lengths.flat().filter((size) => size === LARGE).length,
        );
      }),
      { numRuns: 60 },
    );
  });

  it('keeps small commands together, and counts what they take', () => {
    const transaction = new Transaction();
    const args = new Args();
    args.push(Buffer.from('PING'), 0, 4);
    const buffers = new OfferedBuffers(new Arena());
    for (let i = 0; i < COMMANDS; i++) transaction.add(ping, args, buffers);

    expect(transaction.pages.length).toBeLessThan(20);
    expect(transaction.memoryBytes).toBeGreaterThan(COMMANDS * 20);
    expect(transaction.memoryBytes).toBeLessThan(COMMANDS * 30);
  });

  it('is used again when it was small, and is empty then', () => {
    const spare = new SpareTransactions();
    const buffers = new OfferedBuffers(new Arena());
    const args = new Args();
    args.push(Buffer.from('ECHO'), 0, 4);
    args.push(Buffer.from('first'), 0, 5);
    const first = spare.take();
    first.add(echo, args, buffers);
    first.spoiled = true;
    spare.giveBack(first);

    const second = spare.take();
    const empty = readBack(second);
    const { bytes, flags, lacking, spoiled } = second;
    second.add(ping, args, buffers);

    expect(second).toBe(first);
    expect(empty.names).toEqual([]);
    expect({ bytes, flags, lacking, spoiled }).toEqual({
      bytes: 0,
      flags: 0,
      lacking: 0,
      spoiled: false,
    });
    expect(readBack(second)).toEqual({
      names: ['ping'],
      commands: [[Buffer.from('ECHO'), Buffer.from('first')]],
    });
  });

  it('is not used again when it has grown, or held arguments', () => {
    const spare = new SpareTransactions();
    const buffers = new OfferedBuffers(new Arena());
    const small = new Args();
    small.push(Buffer.from('PING'), 0, 4);
    const large = new Args();
    large.push(buffers.take(LARGE), 0, LARGE);
    for (const fill of [
      (one: Transaction) => {
        for (let i = 0; i < COMMANDS; i++) one.add(ping, small, buffers);
      },
      (one: Transaction) => one.add(echo, large, buffers),
    ]) {
      const one = spare.take();
      fill(one);
      spare.giveBack(one);

      expect(spare.take()).not.toBe(one);
    }
  });

  it('counts for its client', async () => {
    const server = await startCairnServer();
    const [client, other] = [await server.connect(), await server.connect()];
    const id = String(await client.value('CLIENT', 'ID'));
    await client.send('MULTI');
    client.write(Buffer.concat(Array(COMMANDS).fill(encodeCommand(['PING']))));
    for (let i = 0; i < COMMANDS; i++) await client.read();

    const line = String(await other.value('CLIENT', 'LIST', 'ID', id));

    expect(line).toContain(`multi=${COMMANDS} `);
    expect(Number(/tot-mem=(\d+)/.exec(line)?.[1])).toBeGreaterThan(COMMANDS * 20);
    for (const one of [client, other]) one.close();
    await server.close();
  });
});
