/** The server as a process: its log, exit codes, signals, pid file, and life in the background. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { backlogWarning, nodeWarning } from '../../../src/server/cli/check-system.ts';
import { fitMaxClients, openFilesMax } from '../../../src/server/cli/open-files.ts';
import { oomScore, processTitle } from '../../../src/server/cli/process-look.ts';
import { logCrash, logStart } from '../../../src/server/cli/start-log.ts';
import { Config } from '../../../src/server/config/config.ts';
import { CAIRN_VERSION } from '../../../src/server/config/version.ts';
import { ServerLog } from '../../../src/server/log.ts';
import { freePort } from '../../support/server-process.ts';

const program = fileURLToPath(new URL('./fake-program.js', import.meta.url));

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-cli-'));
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs to the end. */
function runToEnd(args: readonly string[], input = ''): Ended {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    input,
    encoding: 'utf8',
    timeout: 60_000,
  });
}

class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out = '';

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [program, ...args], { cwd: folder });
    children.push(this.child);
    this.child.stdout?.on('data', (data) => (this.out += data));
    this.child.stderr?.on('data', (data) => (this.out += data));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Waits until the output has a text. */
  async shows(text: string): Promise<void> {
    await waitFor(
      () => this.out.includes(text),
      () => `no '${text}' in:\n${this.out}`,
    );
  }
}

async function waitFor(condition: () => boolean, otherwise: () => string): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Sends a text and gives back what is answered. */
function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (data) => (answer += data));
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('a start', () => {
  it('from a folder that is gone wants another one', async () => {
    const script = 'mkdir gone; cd gone; rmdir ../gone; exec "$0" "$@"';
    const start = (...args: string[]): Ended =>
      spawnSync('sh', ['-c', script, process.execPath, program, ...args], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 60_000,
      });
    const refused = start();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/\nThe folder that the server was started in is gone\. Start/);
    expect(start('--dir', folder, '--port', '0').stdout).toContain('Configured to not listen');
    expect(start('none.conf').stdout).toContain("can't open config file");
  });

  it('from a folder whose name is not UTF-8 is none: nothing could be saved there', () => {
    const script = 'd=$(printf "x\\377"); mkdir "$d"; cd "$d"; exec "$0" "$1"';
    const args = ['-c', script, process.execPath, program];
    const refused = spawnSync('sh', args, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
    expect(refused.stderr).toMatch(/\/x\ufffd: The name of this folder is not UTF-8/);
  });

  it('under a limit of addresses says which one to lift', () => {
    const script = 'ulimit -v 16000000; exec "$0" "$@"';
    const refused = spawnSync('sh', ['-c', script, process.execPath, program, '--port', '0'], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^Error: .*: lift the limit of virtual memory \(ulimit -v, /m);
  });

  it('logs what tools wait for, in this order', async () => {
    const port = await freePort();
    const server = new Running([
      '--port',
      String(port),
      '--dynamic-hz',
      'no',
      '--always-show-logo',
      'yes',
    ]);
    await server.shows('Ready to accept connections');
    const at = [
      'Cairn is starting',
      `Cairn version=${CAIRN_VERSION}, `,
      'Configuration loaded',
      "'dynamic-hz no' is kept, but has no effect: ",
      'Running in standalone mode',
      `Port: ${port}`,
      ` PID: ${server.pid}\n`,
      `Running mode=standalone, port=${port}.`,
      'Server initialized',
      'Ready to accept connections tcp',
    ].map((text) => server.out.indexOf(text));
    expect(at).not.toContain(-1);
    expect(at).toEqual([...at].sort((a, b) => a - b));
    expect(server.out).toMatch(new RegExp(` PID: ${server.pid}[\\s\\S]*Server initialized`));
    expect(server.out).toMatch(new RegExp(`^${server.pid}:C .* # Cairn is starting\n`));
    expect(server.out).toMatch(new RegExp(`\n${server.pid}:M .* # Server initialized\n`));
    expect(await ask(port, 'PING')).toBe('+PONG\r\n');
  });

  it('leaves itself as many open files as it needs, and clients the rest', () => {
    const config = new Config();
    const lines: string[] = [];
    const log = new ServerLog({ sink: (line) => lines.push(line) });
    expect(fitMaxClients(config, log, 64)).toBe(false);
    expect(fitMaxClients(config, log, 300)).toBe(true);
    expect(config.values.maxclients).toBe(236);
    expect(lines.join('')).toContain('maxclients has been reduced to 236');
    const set = (value: string) =>
      config.set([['maxclients', value]], { loading: false, local: true });
    expect(set('237')).toMatchObject({ error: expect.stringContaining('try with 236') });
    expect(set('100')).toEqual({ ok: true });
    expect(set('236')).toEqual({ ok: true });
    expect(openFilesMax()).toBeGreaterThan(0);
  });

  it('warns where systemd would wait in vain', () => {
    const lines: string[] = [];
    const log = new ServerLog({ sink: (line) => lines.push(line) });
    const config = new Config();
    config.applySettings({ supervised: 'auto' });
    logStart(log, config, true);
    vi.stubEnv('NOTIFY_SOCKET', '/run/notify');
    logStart(log, config, true);
    vi.unstubAllEnvs();
    expect(lines.filter((line) => line.includes('systemd waits'))).toHaveLength(1);
  });

  it('that ends for want of memory says what to do', () => {
    const lines: string[] = [];
    const log = new ServerLog({ sink: (line) => lines.push(line) });
    logCrash(log, new RangeError('Invalid count value'));
    expect(lines.join('')).toMatch(/ # Crashed: RangeError: Invalid count value\n(?: +at .*\n)*$/);
    logCrash(log, new RangeError('Array buffer allocation failed'));
    expect(lines.at(-1)).toMatch(/ # The system gave no more memory\. .* or set maxmemory to less/);
  });

  it('logs to a file, as JSON, relative to dir', async () => {
    const port = await freePort();
    const conf = join(folder, 'x.conf');
    writeFileSync(conf, `port ${port}\nlogfile a.log\nlog-format json\nloglevel warning\n`);
    const server = new Running([conf, '--dir', '..', '--dir', folder]);
    await waitFor(
      () => existsSync(join(folder, 'a.log')) && /initialized/.test(logText()),
      () => server.out,
    );
    const lines = logText().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(lines.map(() => 'warning'));
    expect(server.out).toBe('');
  });

  const logText = (): string => readFileSync(join(folder, 'a.log'), 'utf8');

  it('tells nobody its process number when it does not start', () => {
    const pidfile = join(folder, 'x.pid');
    const { status, stdout } = runToEnd(['--timeout', '78', '--pidfile', pidfile]);
    expect(status).toBe(1);
    expect(stdout).not.toContain('Server initialized');
    expect(stdout).not.toContain(' PID: ');
    expect(existsSync(pidfile)).toBe(false);
  });

  it.each([
    [['--port', '0'], 'Configured to not listen anywhere, exiting.'],
    [['--timeout', '78'], 'Fatal error loading the DB'],
    [
      ['--timeout', '79'],
      '# /x: Permission denied. Let the user of the server read and write there, or',
    ],
    [['nothing.conf'], "/nothing.conf': No such file or directory"],
  ])('%j fails with one line in the log', (args, line) => {
    const { status, stdout, stderr } = runToEnd(args);
    expect(stdout).toContain(line);
    expect(stderr).toBe('');
    expect(status).toBe(1);
  });

  it('with a wrong configuration prints the place', () => {
    const { status, stdout, stderr } = runToEnd(['-', '--hz', '5'], 'timeout 5\nhz x\n');
    expect(stderr).toBe(
      `\n*** FATAL CONFIG FILE ERROR (Cairn ${CAIRN_VERSION}) ***\n` +
        "Reading the configuration file, at line 2\n>>> 'hz x'\n" +
        "argument couldn't be parsed into an integer\n",
    );
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });
});

describe('without a server', () => {
  it('prints help, version and the state of the system', () => {
    expect(runToEnd(['--help'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Usage: cairn-server [/path/to/redis.conf]'),
    });
    const version = runToEnd(['--version']);
    expect(version.status).toBe(0);
    expect(version.stdout).toMatch(
      /^Cairn server v=7\.2\.4 cairn=\d+\.\d+\.\d+ node=\S+ bits=64\n$/,
    );
    const system = runToEnd(['--check-system']);
    expect(system.stdout).toContain('[node]...OK\n');
    expect(system.stdout).toContain('[fsync]...OK\n');
    expect(system.status).toBe(system.stdout.includes('WARNING') ? 1 : 0);
    expect(runToEnd(['--sentinel'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no Sentinel'),
    });
  });

  it('warns of what is bad', () => {
    expect(nodeWarning('18.1.0')).toContain('too old');
    expect(nodeWarning('20.0.0')).toBeUndefined();
    expect(backlogWarning('128')).toContain('sysctl');
    expect(backlogWarning('4096')).toBeUndefined();
    expect(backlogWarning(undefined)).toBeUndefined();
  });
});

describe('an end', () => {
  it.each([
    ['SIGTERM', ['--shutdown-on-sigterm', 'nosave', 'now'], "closing with 'nosave now'"],
    ['SIGINT', ['--shutdown-on-sigint', 'save'], "closing with 'save'"],
    ['SIGTERM', [], "closing with ''"],
  ] as const)('by %s %j is orderly', async (signal, args, line) => {
    const pidfile = join(folder, 'x.pid');
    const port = String(await freePort());
    const server = new Running(['--port', port, '--pidfile', pidfile, ...args]);
    await server.shows('Ready to accept connections');
    expect(readFileSync(pidfile, 'utf8')).toBe(`${server.pid}\n`);
    server.child.kill(signal);
    expect(await server.ended).toBe(0);
    expect(server.out).toContain(`# Received ${signal} scheduling shutdown...`);
    expect(server.out).toContain(line);
    expect(server.out).toContain('* Removing the pid file.');
    expect(server.out).toContain('# Cairn is now ready to exit, bye bye...');
    expect(existsSync(pidfile)).toBe(false);
  });

  it('that fails leaves a server that goes on', async () => {
    const port = await freePort();
    const server = new Running(['--port', String(port), '--timeout', '77']);
    await server.shows('Ready to accept connections');
    server.child.kill('SIGHUP');
    for (const signal of ['SIGALRM', 'SIGUSR1'] as const) {
      server.child.kill(signal);
      await server.shows(`Received ${signal}`);
    }
    expect(server.out).not.toContain('Debugger listening');
    server.child.kill('SIGTERM');
    await server.shows('errors trying to shut down the server: the disk is full');
    expect(await ask(port, 'PING')).toBe('+PONG\r\n');
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  it('by a command removes the pid file, too', async () => {
    const port = await freePort();
    const pidfile = join(folder, 'x.pid');
    const server = new Running(['--port', String(port), '--pidfile', pidfile]);
    await server.shows('Ready to accept connections');
    await ask(port, 'REPLICAOF');
    await server.shows('got REPLICAOF');
    expect(server.out).toMatch(new RegExp(`\n${server.pid}:S .* got REPLICAOF`));
    await ask(port, 'SHUTDOWN');
    expect(await server.ended).toBe(0);
    expect(existsSync(pidfile)).toBe(false);
  });

  it('leaves a pid file that belongs to another process', async () => {
    const pidfile = join(folder, 'x.pid');
    const server = new Running(['--port', String(await freePort()), '--pidfile', pidfile]);
    await server.shows('Ready to accept connections');
    writeFileSync(pidfile, '1\n');
    server.child.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    expect(readFileSync(pidfile, 'utf8')).toBe('1\n');
  });
});

describe('in the background', () => {
  it('serves when the parent has ended, with what came from standard input', async () => {
    const port = await freePort();
    const pidfile = join(folder, 'd.pid');
    const logfile = join(folder, 'd.log');
    const { status, stdout, stderr } = runToEnd(
      ['--daemonize', 'yes', '--pidfile', pidfile, '--logfile', logfile, '-'],
      `port ${port}\n`,
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    const pid = Number(readFileSync(pidfile, 'utf8'));
    try {
      expect(await ask(port, 'PING')).toBe('+PONG\r\n');
      expect(readFileSync(logfile, 'utf8')).toMatch(
        new RegExp(` PID: ${pid}[\\s\\S]*Server initial`),
      );
    } finally {
      process.kill(pid, 'SIGTERM');
    }
    await waitFor(
      () => !existsSync(pidfile),
      () => readFileSync(logfile, 'utf8'),
    );
  });

  it('that does not start is an error of the parent', () => {
    const logfile = join(folder, 'd.log');
    const failed = runToEnd(['--daemonize', 'yes', '--timeout', '78', '--logfile', logfile]);
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(failed.stderr).toBe(`The server could not start: see ${logfile}\n`);
    expect(readFileSync(logfile, 'utf8')).toContain('Fatal error loading the DB');
    const wrong = runToEnd(['--daemonize', 'yes', '--hz', 'x']);
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain(`>>> 'hz "x"'`);
  });
});

describe('the look of the process', () => {
  it('has a title', () => {
    const config = new Config();
    config.applySettings({ bind: '127.0.0.1 ::1', port: 7000 });
    expect(processTitle(config)).toBe('cairn-server 127.0.0.1:7000');
    config.applySettings({ port: 0, unixsocket: '/x.sock' });
    expect(processTitle(config)).toBe('cairn-server /x.sock');
  });

  it('has a score of the kernel', async () => {
    expect(oomScore('no', 5, 200)).toBe(5);
    expect(oomScore('yes', 5, 200)).toBe(205);
    expect(oomScore('absolute', 5, 200)).toBe(200);
    expect(oomScore('yes', 900, 800)).toBe(1000);
    if (process.platform !== 'linux') return;
    const start = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
    const server = new Running([
      ...['--port', String(await freePort())],
      ...['--oom-score-adj', 'absolute', '--oom-score-adj-values', '900', '950', '1000'],
    ]);
    await server.shows('Ready to accept connections');
    const score = Number(readFileSync(`/proc/${server.pid}/oom_score_adj`, 'utf8'));
    expect(score).toBe(Math.max(start, 900));
  });
});
