/**
 * What DEBUG changes in rooms that know nothing of DEBUG: each reads its own switch, or puts a
 * function here that does what is asked.
 */
export class DebugHooks {
  /** AOF-FLUSH-SLEEP: microseconds to sleep before each write of the AOF. */
  aofFlushSleepUs = 0;
  /**
   * SET-SKIP-CHECKSUM-VALIDATION: take RDB files and RESTORE's payloads whatever their checksum.
   */
  skipChecksums = false;
  /** PAUSE-CRON: stops what is done again and again, or goes on with it. */
  pauseCron: (paused: boolean) => void = () => {};
  /** OBJECT: bytes of an entry's value in an RDB file, its type not counted. */
  serializedLength: (address: number) => number = () => 0;
}
