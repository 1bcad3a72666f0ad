/**
 * A real redis-server for the tests of one `describe`: started before them, ended after them.
 * Use it inside `describe.skipIf(noOracle)`.
 */
import { afterAll, beforeAll } from 'vitest';
import type { Argument, RawClient } from '../../support/raw-client.ts';
import { requireRedisServer, startRealServer } from '../../support/real-server.ts';
import { ReplyError, type ReplyValue } from '../../support/resp-reader.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** True where there is no real server to compare with; the reason is printed. */
export const noOracle = requireRedisServer() === null;

/** What the tests ask: all commands in pipelines, the plain values in order. */
export type Oracle = (commands: readonly (readonly Argument[])[]) => Promise<ReplyValue[]>;

const COMMANDS_A_WRITE = 500;

/** Registers the hooks and gives the function that asks the server. */
export function useOracle(): Oracle {
  let server: ServerProcess | undefined;
  let client: RawClient | undefined;
  beforeAll(async () => {
    server = await startRealServer();
    client = await server.connect();
  });
  afterAll(async () => {
    client?.close();
    await server?.close();
  });
  return async (commands) => {
    if (client === undefined) throw new Error('the server is not started yet');
    const values: ReplyValue[] = [];
    for (let i = 0; i < commands.length; i += COMMANDS_A_WRITE) {
      const replies = await client.pipeline(commands.slice(i, i + COMMANDS_A_WRITE));
      for (const reply of replies) values.push(reply.value);
    }
    return values;
  };
}

/** An error reply as its text, everything else as it is. */
export function plain(value: ReplyValue | undefined): ReplyValue | undefined {
  return value instanceof ReplyError ? value.error : value;
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** The text between guard bytes, so that reading outside of the range shows. */
export function guarded(text: string): { buf: Uint8Array; off: number; len: number } {
  const bytes = bytesOf(text);
  const buf = new Uint8Array(bytes.length + 14).fill(0x37);
  buf.set(bytes, 7);
  return { buf, off: 7, len: bytes.length };
}
