/**
 * The lines that are logged around the start of a server; its own are `Server initialized` when the
 * sockets are bound, and `Ready to accept connections`. Tools wait for some of them, Redis's own
 * test suite among them, so these words are Redis's: ` PID: <number>` before `Server initialized`.
 * A tool that has read it connects at once. And what is logged when a server ends suddenly.
 */
import { isError } from '../../persistence/file-system.ts';
import type { Config } from '../config/config.ts';
import { troubleText } from '../config/system-error.ts';
import { CAIRN_VERSION, REDIS_VERSION } from '../config/version.ts';
import type { Logger } from '../log.ts';

/** Logs what is known before anything is opened: versions, process id, configuration. */
export function logStart(log: Logger, config: Config, hasArguments: boolean): void {
  log.warning('Cairn is starting');
  log.warning(
    `Cairn version=${CAIRN_VERSION}, compatible with Redis ${REDIS_VERSION}, bits=64, ` +
      `node=${process.versions.node}, pid=${process.pid}, just started`,
  );
  if (hasArguments) log.warning('Configuration loaded');
  else {
    log.warning(
      'Warning: no config file specified, using the default config. ' +
        'In order to specify a config file use cairn-server /path/to/redis.conf',
    );
  }
  for (const notice of config.notices()) log.notice(notice);
  if (config.values.supervised === 'auto' && process.env.NOTIFY_SOCKET !== undefined) {
    log.warning(
      'systemd waits to be notified, which cannot be done here: a unit with Type=notify will be ' +
        'taken for one that did not start. Use Type=exec',
    );
  }
}

/** The mode and the process number, with the logo where someone looks at it: ports are bound. */
export function logMode(log: Logger, config: Config, showLogo: boolean): void {
  const { port } = config.values;
  if (showLogo) for (const line of logoLines(port)) log.notice(line);
  log.notice(`Running mode=standalone, port=${port}. PID: ${process.pid}`);
}

function logoLines(port: number): string[] {
  return [
    '           ___',
    `         _(___)_          Cairn ${CAIRN_VERSION} (Redis ${REDIS_VERSION} compatible, 64 bit)`,
    '        (_______)         Running in standalone mode',
    `      _(________)_        Port: ${port}`,
    `     (____________)_      PID: ${process.pid}`,
    '    (_______________)',
  ];
}

/** Logs why the server does not start, in the error's own words. */
export function logStartFailure(log: Logger, error: unknown): void {
  log.warning(`${troubleText(error)}${mayNot(error) ? RIGHTS : ''}`);
}

/** Logs what ends a server at once; nothing is done after it. */
export function logCrash(log: Logger, error: Error): void {
  log.warning(`Crashed: ${error.stack}`);
  if (isError(error) && error.name === 'RangeError' && /allocation failed/.test(error.message)) {
    log.warning(NO_MEMORY);
  }
}

const NO_MEMORY =
  'The system gave no more memory. Let the server have more (ulimit -v, its container), or set ' +
  'maxmemory to less than it has';

/** Whether a file or folder is closed to the user that the server runs as. */
function mayNot(error: unknown): boolean {
  if (!isError(error) || !('code' in error)) return false;
  return error.code === 'EACCES' || error.code === 'EPERM' || error.code === 'EROFS';
}

const RIGHTS = '. Let the user of the server read and write there, or name another folder with dir';
