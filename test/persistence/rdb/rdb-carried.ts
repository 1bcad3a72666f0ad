/** Files of one server that another loads: Cairn and the real server, both ways. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { startCairnServer } from '../../support/cairn-server.ts';
import type { Argument, RawClient } from '../../support/raw-client.ts';
import { startRealServer } from '../../support/real-server.ts';
import type { ServerProcess } from '../../support/server-process.ts';

/** `startRealServer` or `startCairnServer`. */
export type Start = typeof startRealServer;

type Carried = {
  readonly from: Start;
  readonly to: Start;
  /** Directives of the one and the other. */
  readonly saving: object;
  readonly loading: object;
  readonly commands: readonly (readonly Argument[])[];
};

/** Servers that end with each test of a describe block. */
export class Servers {
  readonly #all: ServerProcess[] = [];

  constructor() {
    afterEach(async () => {
      for (const server of this.#all.splice(0)) await server.close();
    });
  }

  async start(start: Start, config: object): Promise<ServerProcess> {
    const server = await start({ config: { 'enable-debug-command': 'yes', ...config } });
    this.#all.push(server);
    return server;
  }

  /** Starts a server from the file that another has written. */
  async startFrom(first: ServerProcess, start: Start, config: object): Promise<ServerProcess> {
    const server = await this.start(start, config);
    await server.kill();
    copyFileSync(join(first.dir, 'dump.rdb'), join(server.dir, 'dump.rdb'));
    await server.startAgain();
    return server;
  }

  /**
   * Fills one server, gives its file to another, and expects `keys` keys there, the same data, and
   * that again after a reload. Returns a client of the other.
   */
  async carry({ from, to, saving, loading, commands }: Carried, keys: number): Promise<RawClient> {
    const first = await this.start(from, saving);
    const client = await first.connect();
    for (const command of commands) await client.send(...command);
    expect(await client.value('SAVE')).toBe('OK');
    const other = await (await this.startFrom(first, to, loading)).connect();
    const digest = await client.value('DEBUG', 'DIGEST');
    expect(await other.value('DBSIZE')).toBe(keys);
    expect(await other.value('DEBUG', 'DIGEST')).toBe(digest);
    expect(await other.value('DEBUG', 'RELOAD')).toBe('OK');
    expect(await other.value('DEBUG', 'DIGEST')).toBe(digest);
    return other;
  }
}

/** Has a server of the first kind, with some directives, write what one of the second loads. */
type Carry = (from: Start, to: Start, saving: object, loading: object) => Promise<void>;

/** Declares the tests of files that go both ways, also to a server whose limits are smaller. */
export function itCarriesFiles(carried: Carry, small: object): void {
  it('of the real server load here', () => carried(startRealServer, startCairnServer, {}, {}));

  it('of the real server load here, with smaller limits', () =>
    carried(startRealServer, startCairnServer, {}, small));

  it('of Cairn load in the real server', () => carried(startCairnServer, startRealServer, {}, {}));

  it('of Cairn load in the real server, with smaller limits', () =>
    carried(startCairnServer, startRealServer, {}, small));

  it('of Cairn in the plainest version load in the real server', () =>
    carried(startCairnServer, startRealServer, { 'rdb-save-version': '9' }, {}));

  it('of Cairn in the newest version load here', () =>
    carried(startCairnServer, startCairnServer, { 'rdb-save-version': '11' }, {}));
}
