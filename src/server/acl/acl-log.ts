/**
 * ACL LOG: what was refused, newest first. The same refusal within a minute is one entry that
 * counts, unless ten others came between: no more are looked through.
 */
import type { Client } from '../clients/client.ts';
import { describeClient } from '../clients/client-list.ts';
import type { Config } from '../config/config.ts';

const SAME_WITHIN_MS = 60_000;
const SAME_WITHIN_ENTRIES = 10;

export interface AclLogEntry {
  readonly id: number;
  count: number;
  readonly reason: 'auth' | 'command' | 'key' | 'channel';
  /** toplevel, multi, lua or module. */
  readonly context: string;
  /** The command, key or channel; for a wrong password the word of the command as it came. */
  readonly object: string;
  readonly username: string;
  clientInfo: string;
  readonly createdMs: number;
  updatedMs: number;
}

export class AclLog {
  readonly entries: AclLogEntry[] = [];
  /** Refusals of each reason, ever; for INFO. */
  readonly denied = { auth: 0, command: 0, key: 0, channel: 0 };
  private readonly config: Config;
  private nextId = 0;

  constructor(config: Config) {
    this.config = config;
  }

  add(
    reason: AclLogEntry['reason'],
    context: string,
    object: string,
    username: string,
    client: Client,
  ): void {
    this.denied[reason]++;
    const now = Date.now();
    const clientInfo = describeClient(client, now);
    const at = this.entries.findIndex(
      (one, i) =>
        i < SAME_WITHIN_ENTRIES &&
        one.reason === reason &&
        one.context === context &&
        one.object === object &&
        one.username === username &&
        now - one.updatedMs <= SAME_WITHIN_MS,
    );
    const known = this.entries[at];
    if (known === undefined) {
      const id = this.nextId++;
      const fresh = { id, count: 1, reason, context, object, username, clientInfo };
      this.entries.unshift({ ...fresh, createdMs: now, updatedMs: now });
    } else {
      known.count++;
      known.updatedMs = now;
      known.clientInfo = clientInfo;
      this.entries.splice(at, 1);
      this.entries.unshift(known);
    }
    this.entries.length = Math.min(this.entries.length, this.config.values.acllogMaxLen);
  }

  clear(): void {
    this.entries.length = 0;
  }
}
