/**
 * The gate that refuses writes while the disk fails: the AOF cannot be written or synced, or a save
 * that is wanted fails. It stands from the moment of the failure, so that no write runs whose fate
 * is unknown, and goes when the disk works again.
 *
 * While the AOF cannot be written, keys whose time has come are hidden instead of deleted: a
 * deletion would be a write, and the read that found the key would wait with it for the disk.
 */
import type { Aof } from '../../persistence/aof/aof.ts';
import type { FrontDesk } from '../clients/front-desk.ts';
import type { Config } from '../config/config.ts';
import { errorReason } from '../config/system-error.ts';
import { SNAPSHOT_FAILED } from '../dispatch/errors.ts';
import { diskGate } from '../dispatch/gates.ts';
import type { RdbService } from './rdb-service.ts';

export class DiskWatch {
  private readonly desk: Pick<FrontDesk, 'gates' | 'expiry'>;
  private readonly rdb: RdbService;
  private readonly aof: Aof;
  /** Whether the disk fails, so that writes would not be kept. */
  isBroken = false;
  private isAofBroken = false;

  constructor(
    desk: Pick<FrontDesk, 'gates' | 'expiry'>,
    config: Config,
    rdb: RdbService,
    aof: Aof,
  ) {
    this.desk = desk;
    this.rdb = rdb;
    this.aof = aof;
    // Which saves are wanted counts from the next command on.
    for (const name of ['save', 'stop-writes-on-bgsave-error'] as const) {
      config.onChange(name, () => {
        this.look();
        return undefined;
      });
    }
  }

  /** Looks how the disk is, and sets or clears the gate. */
  look(): void {
    const isAofBroken = this.aof.lastError !== undefined;
    if (isAofBroken !== this.isAofBroken) this.desk.expiry.hold('disk', isAofBroken);
    this.isAofBroken = isAofBroken;
    const broken = this.rdb.isBroken || isAofBroken;
    if (broken === this.isBroken) return;
    this.isBroken = broken;
    this.desk.gates.hold(
      'disk',
      broken,
      diskGate(() => this.reason()),
    );
  }

  private reason(): string {
    const error = this.aof.lastError;
    if (error === undefined) return SNAPSHOT_FAILED;
    return `MISCONF Errors writing to the AOF file: ${errorReason(error)}`;
  }
}
