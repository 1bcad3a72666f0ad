/** Cairn as a library: what its users are told when something is wrong. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer as createPeer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CairnServer,
  type CreateServerOptions,
  createServer,
  type Settings,
} from '../../src/server/index.ts';
import { ServerLog } from '../../src/server/log.ts';
import { removeFolder } from '../support/remove-folder.ts';

const BUILT = fileURLToPath(new URL('../../dist/run/index.js', import.meta.url));

let folder: string;
let servers: CairnServer[];
let lines: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-library-'));
  servers = [];
  lines = [];
});

afterEach(async () => {
  for (const server of servers) await server.close();
  removeFolder(folder);
});

function made(settings: Settings = {}, create = createServer): CairnServer {
  const server = create({
    settings: { port: 0, bind: '127.0.0.1', dir: folder, save: '', ...settings },
    log: new ServerLog({ sink: (line) => lines.push(line) }),
  });
  servers.push(server);
  return server;
}

/** Resolves when somebody listens there. */
async function connected(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect').finally(() => socket.destroy());
}

it('listens once', async () => {
  const server = made();
  await server.listen();
  await expect(server.listen()).rejects.toThrow('a server listens once: create another one');
});

it('listens no more once it is closed, even while it is about to', async () => {
  const server = made();
  const [listened] = await Promise.allSettled([server.listen(), server.close()]);
  expect(listened).toMatchObject({ reason: { message: 'the server ended before it listened' } });
  await expect(connected(server.port)).rejects.toThrow('ECONNREFUSED');
  const other = made();
  await other.close();
  await expect(other.listen()).rejects.toThrow('a server listens once: create another one');
  expect(other.port).toBe(0);
});

it('listens nowhere when it cannot listen everywhere', async () => {
  const free = made();
  await free.listen();
  const { port } = free;
  await free.close();
  for (const settings of [{ bind: '127.0.0.1 192.0.2.1' }, { unixsocket: '/nowhere/s' }]) {
    await expect(made({ port, ...settings }).listen()).rejects.toThrow('Failed listening');
    await expect(connected(port)).rejects.toThrow('ECONNREFUSED');
  }
});

it('says why it cannot listen, and what to do', async () => {
  const server = made();
  await server.listen();
  const { port } = server;
  await expect(made({ port }).listen()).rejects.toMatchObject({
    message:
      `Failed listening on port ${port} (TCP), aborting. ` +
      'Another server listens there: end it, or choose another port',
    cause: { code: 'EADDRINUSE' },
  });
  expect(lines.at(-1)).toContain(
    `# Could not create server TCP listening socket 127.0.0.1:${port}: bind: ` +
      'Address already in use\n',
  );
});

it.each([
  [{ bind: '192.0.2.1' }, /^Failed .* \(TCP\), aborting\. This machine has no such address: bind/],
  [{ unixsocket: '/nowhere/s' }, /^Failed .* \(unix\), aborting\. Its folder must be there/],
  [{ unixsocket: '/proc' }, /^Failed .* \(unix\), aborting\. What has this name cannot be removed/],
  [
    { unixsocket: `/tmp/${'s'.repeat(103)}` },
    /^Failed .* \(unix\), aborting\. The system takes 107/,
  ],
])('says so of %j, too', async (settings, text) => {
  await expect(made(settings).listen()).rejects.toThrow(text);
  expect(lines.at(-1)).toMatch(
    /bind: (Cannot assign|Permission denied|Address already in use|File name too long)/,
  );
});

describe('an AOF folder', () => {
  /** As `made`, but built: that finds its child, which writes snapshots. */
  async function built(settings: Settings = {}): Promise<CairnServer> {
    const library: { createServer: typeof createServer } = await import(BUILT);
    return made({ appendonly: true, ...settings }, library.createServer);
  }
  const waits = (): number => lines.filter((line) => line.includes('Waiting for process')).length;

  it('is for one server of a program, too, until that is closed', async () => {
    const first = await built();
    await first.listen();
    const second = await built();
    await expect(second.listen()).rejects.toThrow(
      `the AOF folder ${folder}/appendonlydir is held by process ${process.pid} `,
    );
    expect(waits()).toBe(1);
    await made().listen();
    await first.close();
    for (let i = 0; i < 3; i++) {
      const next = await built();
      await next.listen();
      await next.close();
    }
    expect(waits()).toBe(1);
  });

  it('is let go by a server that is closed before it serves, or listens nowhere', async () => {
    const first = await built();
    await Promise.allSettled([first.listen(), first.close()]);
    const second = await built({ unixsocket: '/nowhere/s' });
    await expect(second.listen()).rejects.toThrow('Failed listening');
    await (await built()).listen();
  });

  it('is let go by a server that is closed just when it was switched on', async () => {
    const first = await built({ appendonly: false });
    await first.listen();
    const client = connect(first.port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('CONFIG SET appendonly yes\r\n');
    await once(client, 'data');
    await first.close(['force']);
    client.destroy();
    await (await built()).listen();
    expect(waits()).toBe(0);
  });
});

it('says what to do about a snapshot that is not sound', async () => {
  writeFileSync(join(folder, 'dump.rdb'), 'REDIS0011\xfa', 'latin1');
  await expect(made().listen()).rejects.toThrow(
    `${folder}/dump.rdb: the RDB ends too early, at byte 10. Nothing was changed. "cairn check-rdb`,
  );
});

it('says what to do about a manifest that is not sound', async () => {
  const manifest = join(folder, 'appendonlydir', 'appendonly.aof.manifest');
  mkdirSync(join(folder, 'appendonlydir'));
  writeFileSync(manifest, 'nonsense\n');
  await expect(made({ appendonly: true }).listen()).rejects.toThrow(
    `${manifest}: Invalid AOF manifest file format (line 1 of the AOF manifest: 'nonsense'). ` +
      'Nothing was changed. Mend the line, or restore the folder from a backup',
  );
});

it.each([
  [{ port: 0 }, "there is no option 'port': parameters of redis.conf go into `settings`"],
  ['/tmp', 'the options of a server are an object, not /tmp'],
  [{ settings: null }, '`settings` are an object, not null'],
  [{ settings: [] }, '`settings` are an object, not a list'],
  [{ settings: { requirepass: undefined } }, "setting 'requirepass': neither text nor a number"],
  [{ settings: { port: [0] } }, "setting 'port': neither text nor a number, nor true or false"],
  [{ exit: 1 }, "option 'exit' is a function, not 1"],
  [{ settings: { user: 'ann on' } }, "'user' is a line of a configuration file, no setting: put"],
  [{ log: console }, '`log` has no method named verbose'],
])('refuses the options %j, which no types can keep out of JavaScript', (options, text) => {
  expect(() => createServer(options as CreateServerOptions)).toThrow(text);
});

it('takes options that are there but not given', () => {
  const absent: object = { settings: undefined, log: undefined, exit: undefined };
  expect(createServer(absent).port).toBe(0);
});

it.each([
  ['nosave', "close takes a list as ['nosave'], not nosave"],
  [['no-save'], "close knows no 'no-save', but save, nosave, now, force"],
  [['save', 'nosave'], "close cannot both 'save' and 'nosave'"],
])('refuses to end by %j, and goes on', async (flags, text) => {
  const server = made();
  await server.listen();
  await expect(server.close(flags as never)).rejects.toThrow(text);
  await connected(server.port);
});

it('says why it cannot close, goes on, and closes when told to do without', async () => {
  const server = made();
  await server.listen();
  rmSync(folder, { recursive: true });
  await expect(server.close(['save'])).rejects.toMatchObject({
    message: expect.stringMatching(/^closing was given up, the server goes on: .*ENOENT/),
    cause: expect.any(Error),
  });
  await connected(server.port);
  await server.close();
});

const run = promisify(execFile);

/** A program that has a server do something that takes long, and closes it. */
function program(...commands: readonly string[]): string {
  return `
    import { connect } from 'node:net';
    import { createServer } from '${BUILT}';
    const settings = { port: 0, bind: '127.0.0.1', dir: '${folder}', save: '' };
    const server = createServer({ settings });
    await server.listen();
    const client = connect(server.port, '127.0.0.1');
    client.on('error', () => {});
    let answers = '';
    const begun = new Promise((resolve) => {
      client.on('data', (text) => {
        answers += text;
        if (answers.endsWith('+PONG\\r\\n')) resolve();
      });
    });
    client.write(${JSON.stringify([...commands, 'PING'].join('\r\n'))} + '\\r\\n');
    await Promise.race([begun, new Promise((resolve) => setTimeout(resolve, 500))]);
    await server.close();
    client.destroy();`;
}

it('keeps no program alive once it is closed, whatever it was doing', async () => {
  const connections: Socket[] = [];
  const silent = createPeer((socket) => connections.push(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  for (const commands of [
    ['CLIENT PAUSE 3600000'],
    ['SET k v', `MIGRATE 127.0.0.1 ${port} k 0 3600000`],
  ]) {
    const args = ['--input-type=module', '-e', program(...commands)];
    await run(process.execPath, args, { timeout: 60_000 });
  }
  for (const socket of connections) socket.destroy();
  silent.close();
});
