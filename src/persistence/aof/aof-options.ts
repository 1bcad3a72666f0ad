/**
 * What the AOF is told by the configuration, and what it tells the server.
 */

export type FsyncPolicy = 'always' | 'everysec' | 'no';

export type LogLevel = 'notice' | 'warning';

/** What the disk side needs from its surroundings. */
export type AofDiskOptions = {
  readonly policy: FsyncPolicy;
  /** A monotonic clock; the same one whose time `tick` is given. */
  readonly nowMs: () => number;
  readonly log: (level: LogLevel, text: string) => void;
  /** `releasableBytes` may have moved, outside of a call of `append`. */
  readonly onProgress: () => void;
  /** Takes large buffers that nobody uses any more. */
  readonly giveBack: (buffers: ArrayBuffer[]) => void;
  /** How many replies wait to be released, those of the turn that ends included. */
  readonly waitingReplies: () => number;
  /** `lastError` was set, in the very call that failed, or is over. */
  readonly onErrorChange: () => void;
  /** Under `always`, a write or an fsync failed: the process must end. Called once. */
  readonly onFatal: (error: Error) => void;
};

/** What appending needs beside. */
export type AppenderOptions = AofDiskOptions & {
  /** `aof-checksum`: whether each turn carries a checksum line. */
  readonly checksum: boolean;
  /** `aof-timestamp-enabled`: whether the first turn of each second carries a time line. */
  readonly timestamps: boolean;
  readonly unixSeconds: () => number;
};

/** What the whole AOF needs. */
export type AofOptions = AppenderOptions & {
  /** `auto-aof-rewrite-percentage` and `auto-aof-rewrite-min-size`. */
  readonly rewritePercentage: number;
  readonly rewriteMinSizeBytes: number;
  /** `aof-disable-auto-gc`: keep the files that a rewrite replaced. */
  readonly keepHistory: boolean;
};
