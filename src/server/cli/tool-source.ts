/** What a tool reads: looked at before the work begins, so that the trouble is told in words. */
import { realFileSystem } from '../../persistence/file-system.ts';

/** Throws where there is nothing to read, or what is no file. */
export function refuseNoFile(path: string): void {
  const stat = realFileSystem.statSync(path);
  if (stat === undefined) throw new Error(`${path}: No such file or directory`);
  if (stat.kind === 'folder') throw new Error(`${path} is a folder`);
  const refusal = streamRefusal(path);
  if (refusal !== undefined) throw new Error(`${path}: ${refusal}`);
}

/**
 * Why a pipe, a socket or a device cannot be read, undefined for anything else. Its size is not
 * known, against which all lengths in a file are held: it would be judged as an empty file.
 */
export function streamRefusal(path: string): string | undefined {
  if (realFileSystem.statSync(path)?.kind !== 'other') return undefined;
  return 'it is no regular file: write what comes from it to one first';
}
