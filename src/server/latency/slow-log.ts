/**
 * The slow log: commands that took `slowlog-log-slower-than` microseconds or longer, newest first,
 * at most `slowlog-max-len` of them.
 *
 * An entry keeps 32 arguments at most, each cut off after 128 bytes; the last words tell how much
 * is missing.
 */
import type { Args } from '../../core/resp/args.ts';
import type { Client } from '../clients/client.ts';
import type { Config } from '../config/config.ts';

const WORDS_MAX = 32;
const WORD_BYTES_MAX = 128;
/** Stands for what is not to be shown. */
export const REDACTED = '(redacted)';

export interface SlowEntry {
  readonly id: number;
  /** Unix seconds. */
  readonly time: number;
  readonly microseconds: number;
  /** The command's words as byte strings. */
  readonly words: readonly string[];
  readonly address: string;
  readonly name: string;
}

export class SlowLog {
  readonly entries: SlowEntry[] = [];
  private readonly config: Config;
  private nextId = 0;

  constructor(config: Config) {
    this.config = config;
  }

  /** Notes a command; `redacted` are the arguments that must not be shown. */
  add(client: Client, args: Args, microseconds: number, redacted: readonly number[]): void {
    const max = this.config.values.slowlogMaxLen;
    if (max === 0) {
      // A log that holds nothing counts nothing either.
      this.clear();
      return;
    }
    this.entries.unshift({
      id: this.nextId++,
      time: Math.floor(Date.now() / 1000),
      microseconds: Math.round(microseconds),
      words: shorten(args, redacted),
      address: client.address,
      name: client.name,
    });
    if (this.entries.length > max) this.entries.length = max;
  }

  clear(): void {
    this.entries.length = 0;
  }
}

function shorten(args: Args, redacted: readonly number[]): string[] {
  const words: string[] = [];
  const count = Math.min(args.count, WORDS_MAX);
  for (let i = 0; i < count; i++) {
    if (i === WORDS_MAX - 1 && args.count > WORDS_MAX) {
      words.push(`... (${args.count - WORDS_MAX + 1} more arguments)`);
    } else if (redacted.includes(i)) {
      words.push(REDACTED);
    } else if (args.lengths[i]! > WORD_BYTES_MAX) {
      const more = args.lengths[i]! - WORD_BYTES_MAX;
      // No slice of the whole, which would keep it: half a gigabyte for each entry.
      words.push(`${args.text(i, WORD_BYTES_MAX)}... (${more} more bytes)`);
    } else {
      words.push(args.text(i));
    }
  }
  return words;
}
