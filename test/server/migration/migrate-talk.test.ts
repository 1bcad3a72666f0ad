/**
 * What MIGRATE takes from its target's answers: which keys are there now, and when all is said once
 * more over another connection. A key that is called taken is deleted here.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { MigrateSockets } from '../../../src/server/migration/migrate-sockets.ts';
import {
  type MigrateOutcome,
  type MigrateRequest,
  migrate,
} from '../../../src/server/migration/migrate-talk.ts';

/** Ends the connection, in place of an answer. */
const CLOSE = null;

/** Answers the commands of each connection with what is written down for it, and then nothing. */
class Target {
  /** The commands that came over each connection. */
  readonly heard: string[][] = [];
  port = 0;
  private readonly scripts: (readonly (string | null)[])[];
  private readonly server: Server;
  private readonly sockets: Socket[] = [];

  constructor(...scripts: (readonly (string | null)[])[]) {
    this.scripts = scripts;
    this.server = createServer((socket) => this.serve(socket));
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const address = this.server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    return this;
  }

  private serve(socket: Socket): void {
    const commands: string[] = [];
    const answers = [...(this.scripts[this.heard.length] ?? [])];
    this.heard.push(commands);
    this.sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const names = bytes.toString('latin1').match(/(?<=\r\n)(SELECT|RESTORE|AUTH)(?=\r\n)/g);
      for (const name of names ?? []) {
        commands.push(name);
        const answer = answers.shift();
        if (answer === CLOSE) socket.destroy();
        else if (answer !== undefined && !socket.destroyed) socket.write(`${answer}\r\n`);
      }
    });
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

const sockets: MigrateSockets[] = [];
const targets: Target[] = [];
afterEach(() => {
  for (const one of sockets.splice(0)) one.stop();
  for (const one of targets.splice(0)) one.close();
});

/** Moves three keys, again and again over what connections are kept. */
async function mover(...scripts: (readonly (string | null)[])[]) {
  const source = new MigrateSockets();
  const target = await new Target(...scripts).open();
  sockets.push(source);
  targets.push(target);
  const move = (changed: Partial<MigrateRequest> = {}): Promise<MigrateOutcome> =>
    migrate(source, {
      host: '127.0.0.1',
      port: target.port,
      db: 3,
      timeoutMs: 60_000,
      credentials: [],
      replace: false,
      keys: ['a', 'b', 'c'].map((name) => ({
        name: Buffer.from(name),
        ttlMs: 0,
        payload: Buffer.from('payload'),
      })),
      ...changed,
    });
  return { source, target, move };
}

const SAID = ['SELECT', 'RESTORE', 'RESTORE', 'RESTORE'];
const BROKE = 'IOERR error or timeout reading to target instance';

it('takes the keys whose answers came before the connection broke, and says it once', async () => {
  const { target, move } = await mover(['+OK', '+OK', CLOSE]);
  expect(await move()).toEqual({ taken: [true], error: BROKE });
  expect(target.heard.length).toBe(1);
});

it('says all once more, and no more than that, where no key was answered for', async () => {
  const again = await mover(['+OK', CLOSE], ['+OK', '+OK', '+OK', '+OK']);
  expect(await again.move()).toEqual({ taken: [true, true, true], error: null });
  expect(again.target.heard[1]).toEqual(SAID);
  const never = await mover([CLOSE], [CLOSE], ['+OK', '+OK', '+OK', '+OK']);
  expect(await never.move()).toEqual({ taken: [], error: BROKE });
  expect(never.target.heard.length).toBe(2);
});

it('says nothing again when time was up', async () => {
  const { source, target, move } = await mover(['+OK'], ['+OK', '+OK', '+OK', '+OK']);
  expect(await move({ timeoutMs: 500 })).toEqual({ taken: [], error: BROKE });
  expect(target.heard.length).toBe(1);
  expect(source.size).toBe(0);
});

it('takes none that was refused, and selects anew after that', async () => {
  const { target, move } = await mover([
    ...['+OK', '+OK', '-BUSYKEY it is there', '+OK'],
    ...['+OK', '+OK', '+OK', '+OK'],
    ...['+OK', '+OK', '+OK'],
  ]);
  const error = 'ERR Target instance replied with error: BUSYKEY it is there';
  expect(await move()).toEqual({ taken: [true, false, true], error });
  for (let i = 0; i < 2; i++) {
    expect(await move()).toEqual({ taken: [true, true, true], error: null });
  }
  expect(target.heard).toEqual([[...SAID, ...SAID, ...SAID.slice(1)]]);
});

it('tells of the first refusal, whatever comes after it', async () => {
  const { target, move } = await mover(['+OK', '-BUSYKEY a', '-BUSYKEY b', CLOSE]);
  const error = 'ERR Target instance replied with error: BUSYKEY a';
  expect(await move()).toEqual({ taken: [false, false], error });
  expect(target.heard.length).toBe(1);
});

it.each([
  ['AUTH', ['-WRONGPASS no', '+OK']],
  ['SELECT', ['+OK', '-ERR no']],
])('takes nothing where %s was refused, whatever came of the rest', async (_what, first) => {
  const { move } = await mover([...first, '+OK', '+OK', '+OK']);
  const { taken, error } = await move({ credentials: [Buffer.from('word')] });
  expect(taken).toEqual([false, false, false]);
  expect(error).toMatch(/^ERR Target instance replied with error: (WRONGPASS|ERR) no$/);
});

it('gives each conversation a connection of its own, and keeps them all', async () => {
  const all = ['+OK', '+OK', '+OK', '+OK'];
  const { source, target, move } = await mover(all, all);
  expect((await move()).error).toBeNull();
  const held = move();
  await expect.poll(() => target.heard[0]).toEqual([...SAID, ...SAID.slice(1)]);
  expect(await move()).toEqual({ taken: [true, true, true], error: null });
  expect(target.heard[1]).toEqual(SAID);
  expect(source.size).toBe(2);
  source.stop();
  expect(await held).toEqual({ taken: [], error: expect.stringMatching(/^IOERR /) });
  expect(source.size).toBe(0);
  await expect(source.take('127.0.0.1', target.port, 1000)).rejects.toThrow('the server ended');
});
