/**
 * Cairn as its users start it: `node bin/cairn-server.js` with redis-server's arguments, on the
 * built `dist/`. A missing build is an error that says what to run, never a skip.
 *
 * `CAIRN_SERVER` names another script to run, such as one of a build that no work disturbs.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ServerOptions, ServerProcess } from './server-process.ts';

const executable = fileURLToPath(new URL('../../bin/cairn-server.js', import.meta.url));
const built = fileURLToPath(new URL('../../dist/run', import.meta.url));

/** Starts Cairn and waits until it answers PING; `nodeArgs` go before the script. */
export function startCairnServer(
  options: ServerOptions = {},
  nodeArgs: readonly string[] = [],
): Promise<ServerProcess> {
  const script = process.env.CAIRN_SERVER ?? executable;
  if (!existsSync(script) || !existsSync(built)) {
    throw new Error('Cairn is not built: run `npm run build` before the tests');
  }
  const prefix = [...nodeArgs, script];
  return ServerProcess.start('cairn', { program: process.execPath, prefix }, options);
}
