/**
 * The texts that C's `strerror` gives for the errors that files and sockets meet in practice: what
 * logs and CONFIG SET answers say, and what operators search for.
 */
import { isError } from '../../persistence/file-system.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EAFNOSUPPORT: 'Address family not supported by protocol',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
};

/** The reason of a failed system call, or the message of any other error. */
export function errorReason(error: unknown): string {
  if (!isError(error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return REASONS[code] ?? error.message;
}

/** What went wrong, in words: of a system call the file and the reason, not the call. */
export function troubleText(error: unknown): string {
  const reason = errorReason(error);
  if (!isError(error) || reason === error.message) return reason;
  return 'path' in error ? `${error.path}: ${reason}` : reason;
}
