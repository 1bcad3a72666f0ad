/**
 * How much disk space a dump or a base will need, asked before it is begun: a file that fills the
 * disk half way would also take the space of the AOF's next append, and stop the writes.
 *
 *     after a first one   the memory of the dataset, times what the last file of this form took for
 *                         each byte of it
 *     before              the least that such a file takes: a tenth of the memory when it is
 *                         compressed, 3/10 when not, half for commands
 *
 * With `disk-space-check no` nothing is checked: the file is tried.
 */
import type { Keyspace } from '../../core/keyspace.ts';
import type { Config } from '../config/config.ts';

/** A dump, or a base of commands. */
export type FileForm = 'rdb' | 'commands';

const SHARE_COMPRESSED = 0.1;
const SHARE_PLAIN = 0.3;
const SHARE_COMMANDS = 0.5;
/** What the files of a change take beside the base: the manifest, the new increment's start. */
const REWRITE_SPARE_BYTES = 1 << 20;

export class DiskSpace {
  private readonly config: Config;
  private readonly keyspace: Keyspace;
  /** Bytes of file for each byte of memory, as the last one had it; 0 before. */
  private readonly shares: Record<FileForm, number> = { rdb: 0, commands: 0 };

  constructor(config: Config, keyspace: Keyspace) {
    this.config = config;
    this.keyspace = keyspace;
  }

  /** A file of this form took `bytes` bytes when the dataset took `usedBytes`. */
  note(form: FileForm, bytes: number, usedBytes: number): void {
    if (usedBytes > 0) this.shares[form] = bytes / usedBytes;
  }

  /** What the next file of this form will take; 0 when space is not to be checked. */
  expectedBytes(form: FileForm): number {
    const { diskSpaceCheck, rdbcompression } = this.config.values;
    if (!diskSpaceCheck) return 0;
    const plain = rdbcompression ? SHARE_COMPRESSED : SHARE_PLAIN;
    const share = this.shares[form] || (form === 'commands' ? SHARE_COMMANDS : plain);
    return Math.ceil(this.keyspace.arena.usedBytes * share);
  }

  /** What the next rewrite of the AOF will take; 0 when space is not to be checked. */
  get expectedRewriteBytes(): number {
    const { aofUseRdbPreamble, diskSpaceCheck } = this.config.values;
    if (!diskSpaceCheck) return 0;
    return this.expectedBytes(aofUseRdbPreamble ? 'rdb' : 'commands') + REWRITE_SPARE_BYTES;
  }
}
