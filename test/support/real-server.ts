/**
 * The real `redis-server`, the oracle of the differential and compatibility tests.
 *
 * `REDIS_SERVER` names another executable than the one on PATH. Where none is found a test skips
 * and says so on standard error; with CI=true it fails instead, since a silent skip there would
 * pass a build that compared nothing.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type ServerOptions, ServerProcess } from './server-process.ts';

/** The path of a real tool (`redis-server`, `redis-cli`, ...) on PATH, or null. */
export function findTool(name: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && existsSync(path)) return path;
  }
  return null;
}

/**
 * The real server's path, or null after a loud warning; throws when CI=true and there is none.
 * Use: `describe.skipIf(requireRedisServer() === null)(...)`.
 */
export function requireRedisServer(): string | null {
  const path = process.env.REDIS_SERVER ?? findTool('redis-server');
  if (path !== null && path !== '') return path;
  const hint = 'redis-server is not on PATH: install it (apt-get install redis-server)';
  if (process.env.CI === 'true') throw new Error(`${hint}; with CI=true this is a failure`);
  process.stderr.write(`\n*** SKIPPED, nothing was compared: ${hint} ***\n\n`);
  return null;
}

/** The real server's version, such as `7.0.15`. */
export function realServerVersion(path: string): string {
  const text = execFileSync(path, ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(text)?.[1] ?? 'unknown';
}

/**
 * Starts a real server; the caller has checked `requireRedisServer`. It sorts by the locale of its
 * environment, so that is always the same.
 */
export function startRealServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const path = requireRedisServer();
  if (path === null) throw new Error('check requireRedisServer() before startRealServer()');
  const env = { LC_ALL: 'C', ...options.env };
  return ServerProcess.start('redis', { program: path, prefix: [] }, { ...options, env });
}
