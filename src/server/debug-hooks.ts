/**
 * What DEBUG changes in rooms that know nothing of DEBUG: each reads its own switch, or puts a
 * function here that does what is asked. A function that is missing belongs to a room that this
 * server does not have.
 */
export class DebugHooks {
  /** AOF-FLUSH-SLEEP: microseconds to sleep before each write of the AOF. */
  aofFlushSleepUs = 0;
  /**
   * SET-SKIP-CHECKSUM-VALIDATION: take RDB files and RESTORE's payloads whatever their checksum.
   */
  skipChecksums = false;
  /** SET-DISABLE-DENY-SCRIPTS: let scripts call what is denied to them. */
  allowAllInScripts = false;
  /**
   * QUICKLIST-PACKED-THRESHOLD: bytes from which an element of a list has a node of its own; 0 is
   * the default.
   */
  packedThresholdBytes = 0;
  /** PAUSE-CRON. */
  pauseCron: ((paused: boolean) => void) | null = null;
  /** OBJECT: bytes of an entry's value in an RDB file, its type not counted. */
  serializedLength: ((address: number) => number) | null = null;
}
