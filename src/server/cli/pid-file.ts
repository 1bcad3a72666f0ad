/** The file with the process number: written at the start, removed at the end of the process. */
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { errorReason } from '../config/system-error.ts';
import type { Logger } from '../log.ts';

/** Where it is when nothing is said and the server runs in the background. */
export const PID_FILE_DEFAULT = '/var/run/cairn.pid';

/** Writes the file; one that cannot be written does not stop the server. */
export function writePidFile(path: string, log: Logger): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch (error) {
    log.notice(`Failed to write PID file: ${errorReason(error)}`);
    return;
  }
  process.once('exit', () => removePidFile(path, log));
}

/** Removes the file unless another process has taken it over. */
function removePidFile(path: string, log: Logger): void {
  try {
    if (readFileSync(path, 'utf8') !== `${process.pid}\n`) return;
    log.notice('Removing the pid file.');
    unlinkSync(path);
  } catch (error) {
    log.notice(`Could not remove the pid file: ${errorReason(error)}`);
  }
}
