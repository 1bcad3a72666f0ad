/**
 * The gate that refuses writes while the disk fails: the AOF cannot be written or synced, or a save
 * that is wanted fails. It stands from the moment of the failure, so that no write runs whose fate
 * is unknown, and goes when the disk works again.
 *
 * While the AOF cannot be written, keys whose time has come are hidden instead of deleted: a
 * deletion would be a write, and the read that found the key would wait with it for the disk.
 */
import { EXPIRY_DELETE, EXPIRY_HIDE, type Keyspace } from '../../core/keyspace.ts';
import type { Aof } from '../../persistence/aof/aof.ts';
import { errorReason } from '../config/system-error.ts';
import { SNAPSHOT_FAILED } from '../errors.ts';
import { diskGate, type Gates } from '../gates.ts';
import type { RdbService } from './rdb-service.ts';

export class DiskWatch {
  private readonly gates: Gates;
  private readonly keyspace: Keyspace;
  private readonly rdb: RdbService;
  private readonly aof: Aof;
  /** Whether writes would not be kept. */
  isBroken = false;
  private hidesExpired = false;

  constructor(gates: Gates, keyspace: Keyspace, rdb: RdbService, aof: Aof) {
    this.gates = gates;
    this.keyspace = keyspace;
    this.rdb = rdb;
    this.aof = aof;
  }

  /** Looks how the disk is, and sets or clears the gate. */
  look(): void {
    this.hideExpired(this.aof.lastError !== undefined);
    const broken = this.rdb.isBroken || this.aof.lastError !== undefined;
    if (broken === this.isBroken) return;
    this.isBroken = broken;
    this.gates.hold(
      'disk',
      broken,
      diskGate(() => this.reason()),
    );
  }

  /** Replicas and paused servers hide them anyway; that is left to those who see to it. */
  private hideExpired(hide: boolean): void {
    const { keyspace } = this;
    if (hide && !this.hidesExpired && keyspace.expiryMode === EXPIRY_DELETE) {
      this.hidesExpired = true;
      keyspace.expiryMode = EXPIRY_HIDE;
    } else if (!hide && this.hidesExpired) {
      this.hidesExpired = false;
      if (keyspace.expiryMode === EXPIRY_HIDE) keyspace.expiryMode = EXPIRY_DELETE;
    }
  }

  private reason(): string {
    const error = this.aof.lastError;
    if (error === undefined) return SNAPSHOT_FAILED;
    return `MISCONF Errors writing to the AOF file: ${errorReason(error)}`;
  }
}
