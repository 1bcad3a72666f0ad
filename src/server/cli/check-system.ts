/**
 * `--check-system`: what of this machine would make a server slow or unsafe, a line for each.
 *
 *     [node]...OK
 *     [somaxconn]...WARNING:
 *     /proc/sys/net/core/somaxconn is 128, so tcp-backlog 511 cannot be reached ...
 */
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { errorReason } from '../config/system-error.ts';

const NODE_MAJOR_MIN = 20;

/** Prints every check; true when none has a warning. */
export function checkSystem(print: (text: string) => void, folder: string): boolean {
  const checks: ReadonlyArray<readonly [name: string, warning: string | undefined]> = [
    ['node', nodeWarning(process.versions.node)],
    ['somaxconn', backlogWarning(readSystemFile('/proc/sys/net/core/somaxconn'))],
    ['fsync', fsyncWarning(folder)],
  ];
  for (const [name, warning] of checks) {
    print(warning === undefined ? `[${name}]...OK\n` : `[${name}]...WARNING:\n${warning}\n`);
  }
  return checks.every(([, warning]) => warning === undefined);
}

/** A file of the kernel, or undefined where there is none. */
function readSystemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

export function nodeWarning(version: string): string | undefined {
  const major = Number(version.split('.')[0]);
  if (major >= NODE_MAJOR_MIN) return undefined;
  return `Node.js ${version} is too old: install version ${NODE_MAJOR_MIN} or later.`;
}

const BACKLOG_DEFAULT = 511;

export function backlogWarning(somaxconn: string | undefined): string | undefined {
  if (somaxconn === undefined || Number(somaxconn) >= BACKLOG_DEFAULT) return undefined;
  return (
    `/proc/sys/net/core/somaxconn is ${somaxconn}, so tcp-backlog ${BACKLOG_DEFAULT} cannot be ` +
    `reached: set it with 'sysctl net.core.somaxconn=1024'.`
  );
}

/** Writes a file and forces it to the disk: where that fails, no write is safe. */
function fsyncWarning(folder: string): string | undefined {
  const path = join(folder, `.cairn-check-${process.pid}`);
  try {
    const file = openSync(path, 'wx');
    try {
      writeSync(file, 'check');
      fsyncSync(file);
    } finally {
      closeSync(file);
      rmSync(path);
    }
    return undefined;
  } catch (error) {
    return `A file in ${folder} cannot be forced to the disk: ${errorReason(error)}`;
  }
}
