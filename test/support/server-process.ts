/**
 * A server process of a test: started on a free loopback port in a folder of its own, waited for
 * with a bound, stopped by its own PID, killed like a power switch, started again on the same
 * files.
 *
 *   folder/            made under the system's temporary folder, removed by `close`
 *     server.log       standard output and error of all runs, in order
 *     redis.conf       only when the options give `configText`
 *     ...              whatever the server writes (`dir` points here)
 *
 * A process that a test forgot is killed when the test worker ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawClient, type RawClientOptions } from './raw-client.ts';
import { removeFolder } from './remove-folder.ts';
import { ReplyError } from './resp-reader.ts';

/** What to execute: a program and the arguments that come before the server's own. */
export type Executable = { readonly program: string; readonly prefix: readonly string[] };

export type ServerOptions = {
  /** Directives, given as `--name value...`; an array gives several values. */
  readonly config?: Readonly<Record<string, string | number | readonly string[]>>;
  /** Written to `redis.conf` in the folder and passed as the first argument. */
  readonly configText?: string;
  /** An existing folder to run in; it is not removed. Default: a new temporary one. */
  readonly dir?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Environment variables beside those of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long the server may take to answer PING; default 60,000. */
  readonly readyTimeoutMs?: number;
};

/** How a run ended. */
export type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
process.once('SIGTERM', () => process.exit(1));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Test files that run at the same time take ports of their own: every other one. */
const PORT_STEP = 4;
const PORT_OFFSET = Number(process.env.VITEST_POOL_ID ?? 0) % PORT_STEP;

/** A port nobody listens on, below the range the system gives to outgoing connections. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = 12_000 + PORT_STEP * Math.floor(Math.random() * 5000) + PORT_OFFSET;
    if (await canListen(port)) return port;
  }
  throw new Error('found no free loopback port in 200 attempts');
}

function configArguments(config: NonNullable<ServerOptions['config']>): string[] {
  const args: string[] = [];
  for (const [name, value] of Object.entries(config)) {
    args.push(`--${name}`, ...(typeof value === 'object' ? value : [String(value)]));
  }
  return args;
}

/** One server: a folder, a port, and the process that serves them now. */
export class ServerProcess {
  readonly name: string;
  readonly port: number;
  readonly dir: string;
  readonly #ownsDir: boolean;
  readonly #executable: Executable;
  #options: ServerOptions;
  #child: ChildProcess | null = null;
  #ending: Promise<Ending> = Promise.resolve({ code: null, signal: null });

  private constructor(name: string, executable: Executable, port: number, options: ServerOptions) {
    this.name = name;
    this.port = port;
    this.#ownsDir = options.dir === undefined;
    this.dir = options.dir ?? mkdtempSync(join(tmpdir(), `${name}-`));
    this.#executable = executable;
    this.#options = options;
  }

  /** Starts a server and waits until it answers PING. */
  static async start(
    name: string,
    executable: Executable,
    options: ServerOptions = {},
  ): Promise<ServerProcess> {
    for (let attempt = 1; ; attempt++) {
      const port = options.port ?? (await freePort());
      const server = new ServerProcess(name, executable, port, options);
      try {
        await server.startAgain();
        return server;
      } catch (error) {
        const taken = /in use|EADDRINUSE/i.test(server.logText);
        await server.close();
        if (attempt === 5 || options.port !== undefined || !taken) throw error;
      }
    }
  }

  /** The running process's PID; throws when none runs. */
  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.name} does not run`);
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  /** Everything the server printed so far, over all runs. */
  get logText(): string {
    try {
      return readFileSync(join(this.dir, 'server.log'), 'utf8');
    } catch {
      return '';
    }
  }

  /** Starts the process in the folder; `options` replaces config, configText and env when given. */
  async startAgain(options: Partial<ServerOptions> = {}): Promise<void> {
    this.launch(options);
    await this.#waitReady(this.#options.readyTimeoutMs ?? 60_000);
  }

  /** Starts the process without waiting for it: for tests of a start that must fail. */
  launch(options: Partial<ServerOptions> = {}): void {
    if (this.#child !== null) throw new Error(`${this.name} runs already`);
    this.#options = { ...this.#options, ...options };
    const { config = {}, configText, env = {} } = this.#options;
    const first: string[] = [];
    if (configText !== undefined) {
      writeFileSync(join(this.dir, 'redis.conf'), configText);
      first.push(join(this.dir, 'redis.conf'));
    }
    const basic = { bind: '127.0.0.1', dir: this.dir, daemonize: 'no', port: this.port };
    const saves = configText === undefined && config.save === undefined ? ['--save', ''] : [];
    const args = [...first, ...configArguments(basic), ...saves, ...configArguments(config)];
    const log = openSync(join(this.dir, 'server.log'), 'a');
    const child = spawn(this.#executable.program, [...this.#executable.prefix, ...args], {
      cwd: this.dir,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    running.add(child);
    this.#child = child;
    this.#ending = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null) => {
        running.delete(child);
        if (this.#child === child) this.#child = null;
        resolve({ code, signal });
      };
      child.once('exit', ended);
      child.once('error', () => ended(null, null));
    });
  }

  async #waitReady(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    let last = 'it never accepted a connection';
    while (Date.now() < deadline) {
      if (this.#child === null) {
        throw new Error(`${this.name} ended while starting; its log:\n${this.logText}`);
      }
      try {
        last = await this.#ping();
        if (/^(PONG|NOAUTH|MASTERDOWN|DENIED)/.test(last)) return;
      } catch (error) {
        last = String(error);
      }
      await sleep(15);
    }
    throw new Error(
      `${this.name} did not answer PING in ${timeoutMs} ms (${last})\n${this.logText}`,
    );
  }

  /** The answer to PING as text; it must come from this process, not from a stranger's. */
  async #ping(): Promise<string> {
    const client = await RawClient.connect(this.port, { timeoutMs: 10_000 });
    try {
      const value = await client.value('PING');
      const answer = value instanceof ReplyError ? value.error : String(value);
      const info = await client.value('INFO', 'server');
      const pid = typeof info === 'string' ? /^process_id:(\d+)/m.exec(info)?.[1] : undefined;
      if (pid === undefined || Number(pid) === this.#child?.pid) return answer;
      return `process ${pid} listens on port ${this.port}, too`;
    } finally {
      client.close();
    }
  }

  /** Waits for the process to end by itself. */
  async waitEnd(timeoutMs = 60_000): Promise<Ending> {
    const late = sleep(timeoutMs).then(() => null);
    const ending = await Promise.race([this.#ending, late]);
    if (ending === null) throw new Error(`${this.name} still runs after ${timeoutMs} ms`);
    return ending;
  }

  /** Ends the process with SIGTERM and, when it does not obey in time, with SIGKILL. */
  async stop(timeoutMs = 60_000): Promise<Ending> {
    if (this.#child === null) return this.#ending;
    this.#child.kill('SIGTERM');
    try {
      return await this.waitEnd(timeoutMs);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** Ends the process as `kill -9` does. */
  async kill(): Promise<Ending> {
    this.#child?.kill('SIGKILL');
    return this.#ending;
  }

  /** Stops the process and starts it on the same files. */
  async restart(options: Partial<ServerOptions> = {}): Promise<void> {
    await this.stop();
    await this.startAgain(options);
  }

  /** A raw client of this server. */
  connect(options: RawClientOptions = {}): Promise<RawClient> {
    return RawClient.connect(this.port, options);
  }

  /** Kills the process and removes the folder when it is this server's own. */
  async close(): Promise<void> {
    await this.kill();
    if (this.#ownsDir) removeFolder(this.dir);
  }
}
