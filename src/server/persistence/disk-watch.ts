/**
 * The gate that refuses writes while the disk fails: the AOF cannot be written or synced, or a save
 * that is wanted fails. It stands from the moment of the failure, so that no write runs whose fate
 * is unknown, and goes when the disk works again.
 */
import type { Aof } from '../../persistence/aof.ts';
import { errorReason } from '../config/system-error.ts';
import { SNAPSHOT_FAILED } from '../errors.ts';
import { diskGate, type Gates } from '../gates.ts';
import type { RdbService } from './rdb-service.ts';

export class DiskWatch {
  private readonly gates: Gates;
  private readonly rdb: RdbService;
  private readonly aof: Aof;
  /** Whether writes would not be kept. */
  isBroken = false;

  constructor(gates: Gates, rdb: RdbService, aof: Aof) {
    this.gates = gates;
    this.rdb = rdb;
    this.aof = aof;
  }

  /** Looks how the disk is, and sets or clears the gate. */
  look(): void {
    const broken = this.rdb.isBroken || this.aof.lastError !== undefined;
    if (broken === this.isBroken) return;
    this.isBroken = broken;
    this.gates.hold(
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
