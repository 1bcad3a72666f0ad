/**
 * `maxclients` and the kernel's limit of open files: each client is one. What the server keeps for
 * itself (its own files, pipes and sockets, those of a save, an AOF and replicas) no client may
 * take, or a crowd of them would keep it from saving.
 *
 * Node has raised the limit as far as it may when this is asked.
 */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log.ts';

/** 32 as in Redis, and what Node and the snapshot's processes have open from the start. */
const RESERVED_FILES = 64;

/** Files that this process may have open; undefined where nobody says. */
export function openFilesMax(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

/**
 * Lowers `maxclients` to what `filesMax` open files leave, and has later changes refused that would
 * go beyond; false after telling that they leave nothing.
 */
export function fitMaxClients(config: Config, log: Logger, filesMax: number): boolean {
  const clientsMax = filesMax - RESERVED_FILES;
  const asked = config.values.maxclients;
  if (clientsMax < 1) {
    log.warning(
      `Your current 'ulimit -n' of ${filesMax} is not enough for the server to start. ` +
        `Please increase your open file limit to at least ${asked + RESERVED_FILES}. Exiting.`,
    );
    return false;
  }
  if (asked > clientsMax) {
    config.applySettings({ maxclients: clientsMax });
    log.warning(
      `You requested maxclients of ${asked} requiring at least ${asked + RESERVED_FILES} ` +
        `max file descriptors.`,
    );
    log.warning(
      `Current maximum open files is ${filesMax}. maxclients has been reduced to ${clientsMax} ` +
        `to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.`,
    );
  }
  config.onChange('maxclients', (clients) =>
    clients <= clientsMax
      ? undefined
      : 'The operating system is not able to handle the specified number of clients, ' +
        `try with ${clientsMax}`,
  );
  return true;
}
