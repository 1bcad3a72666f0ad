/**
 * A whole server inside the test, on a disk of the test's: it can run full, fail, and lose power.
 * Clients reach it over a real socket.
 *
 *     const server = await InProcessServer.start(fs, { appendfsync: 'always' });
 *     ... server.port, server.connect() ...
 *     const next = fs.cutPower(seed, 'some');       the machine ends in this moment
 *     await server.abandon();                       what is left of the process goes
 *     const again = await InProcessServer.start(next, ...);
 */
import { tmpdir } from 'node:os';
import { Config } from '../../src/server/config/config.ts';
import type { Settings } from '../../src/server/config/settings.ts';
import { ServerLog } from '../../src/server/log.ts';
import { Server } from '../../src/server/server.ts';
import { FaultyFileSystem } from './faulty-file-system.ts';
import { InProcessSnapshots } from './in-process-snapshots.ts';
import { RawClient, type RawClientOptions } from './raw-client.ts';

/**
 * The data folder: it exists on the machine too, since `dir` must, but nothing is written there.
 */
export const DATA_FOLDER = tmpdir();

/** An empty disk with a data folder. */
export function emptyDisk(): FaultyFileSystem {
  const fs = new FaultyFileSystem();
  fs.put(`${DATA_FOLDER}/.keep`, new Uint8Array(0));
  return fs;
}

export class InProcessServer {
  readonly server: Server;
  readonly fs: FaultyFileSystem;
  readonly log: string[];
  /** The code with which the process would have ended, as soon as it would have. */
  exitCode: number | undefined;

  private constructor(fs: FaultyFileSystem, settings: Settings) {
    const config = new Config();
    const all = { dir: DATA_FOLDER, port: 0, bind: '127.0.0.1', save: '', appendonly: true };
    config.applySettings({ ...all, ...settings });
    const log: string[] = [];
    this.log = log;
    this.fs = fs;
    this.server = new Server({
      config,
      log: new ServerLog({ level: 'notice', sink: (line) => log.push(line) }),
      anyPort: true,
      fs,
      snapshotHelper: new InProcessSnapshots(fs),
      exit: (code) => {
        this.exitCode ??= code;
        void this.abandon();
      },
    });
  }

  /** Starts a server on what the disk holds. Rejects when it would not start. */
  static async start(fs: FaultyFileSystem, settings: Settings = {}): Promise<InProcessServer> {
    const one = new InProcessServer(fs, settings);
    await one.server.start();
    return one;
  }

  get port(): number {
    return this.server.port;
  }

  connect(options: RawClientOptions = {}): Promise<RawClient> {
    return RawClient.connect(this.port, options);
  }

  /** Closes connections and timers, as the end of a process would; saves nothing. */
  async abandon(): Promise<void> {
    await this.server.stop();
  }
}
