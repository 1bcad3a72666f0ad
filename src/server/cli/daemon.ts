/**
 * `daemonize yes`: the server runs in a child process of its own session, and the parent ends when
 * the child is up. A process cannot fork itself here, so the program is started again; the child
 * gets the configuration's sources from the parent, since standard input can be read only once.
 *
 *     parent                               child
 *     reads and checks the configuration
 *     starts the program again     ---->   waits for its sources
 *     sends them                   ---->   reads them, starts the server
 *     prints the error, ends with 1 <----  { error }   it could not start
 *     ends with 0                   <----  { ready }   it accepts connections
 *
 * After that nothing ties the two together: no channel, no terminal, no standard streams.
 */
import { spawn } from 'node:child_process';
import type { ConfigSource } from '../config/config-load.ts';

/** Marks the child; its parent is about to send a `ConfigSource`. */
const CHILD_MARK = 'CAIRN_DAEMON_CHILD';

export type DaemonReport = { readonly ready: true } | { readonly error: string };

/** Whether this process is the child of `startDaemon`. */
export function isDaemonChild(): boolean {
  return process.env[CHILD_MARK] === '1' && process.send !== undefined;
}

/** Starts this program again, with the same arguments; resolves with what became of it. */
export function startDaemon(source: ConfigSource): Promise<DaemonReport> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [CHILD_MARK]: '1' },
  });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ error: error.message }));
    child.once('exit', (code, signal) => {
      resolve({ error: `the server ended while it started (${signal ?? `exit code ${code}`})` });
    });
    child.once('message', (report: DaemonReport) => {
      child.disconnect();
      child.unref();
      resolve(report);
    });
    child.send(source);
  });
}

/** Resolves, in the child, with the configuration that the parent sends. */
export function receiveSource(): Promise<ConfigSource> {
  delete process.env[CHILD_MARK];
  return new Promise((resolve) => {
    process.once('message', (source: ConfigSource) => resolve(source));
  });
}

/** Tells the parent, from the child, how the start went, and lets go of it. */
export function reportToParent(report: DaemonReport): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) {
      resolve();
      return;
    }
    process.send(report, () => {
      if (process.connected) process.disconnect();
      resolve();
    });
  });
}
