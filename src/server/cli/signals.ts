/**
 * Signals of a running server: SIGTERM and SIGINT end it as `shutdown-on-sigterm` and
 * `shutdown-on-sigint` say; a second SIGINT ends it at once, without its last save. SIGHUP means
 * nothing, and SIGALRM, with which 7.2 is asked where it stands, is only told of; so is SIGUSR1, at
 * which Node would open a port to any debugger.
 */
import { errorText } from '../../persistence/file-system.ts';
import type { Config } from '../config/config.ts';
import type { ShutdownFlag } from '../config/settings.ts';
import type { Logger } from '../log.ts';

export interface ClosableServer {
  close(flags?: readonly ShutdownFlag[]): Promise<void>;
  dropSnapshot(): void;
}

type EndingSignal = 'SIGTERM' | 'SIGINT';

/** Listens for signals until the process ends; `exit` ends it when the server is closed. */
export function handleSignals(
  server: ClosableServer,
  config: Config,
  log: Logger,
  exit: (code: number) => void,
): void {
  let closing = false;
  const end = async (signal: EndingSignal): Promise<void> => {
    if (closing) {
      if (signal !== 'SIGINT') return;
      log.warning('You insist... exiting now.');
      server.dropSnapshot();
      process.exit(1);
    }
    closing = true;
    log.warning(`Received ${signal} scheduling shutdown...`);
    const { shutdownOnSigint, shutdownOnSigterm } = config.values;
    try {
      await server.close(signal === 'SIGINT' ? shutdownOnSigint : shutdownOnSigterm);
    } catch (error) {
      closing = false;
      log.warning(
        `${signal} received but errors trying to shut down the server: ${errorText(error)}`,
      );
      return;
    }
    exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void end(signal));
  }
  process.on('SIGHUP', () => log.debug('SIGHUP is ignored'));
  for (const signal of ['SIGALRM', 'SIGUSR1'] as const) {
    process.on(signal, () => log.warning(`Received ${signal}`));
  }
}
