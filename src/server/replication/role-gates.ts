/**
 * What the role means to clients: which of their commands are refused, and by whom keys expire.
 *
 *     replica   readonly    writes, unless `replica-read-only no`
 *               stale       while it is out of step, what would read, with
 *                           `replica-serve-stale-data no`
 *               expiry      the primary's, but for keys that were written here
 *     primary   replicas    writes, while fewer than `min-replicas-to-write` replicas are good
 *
 * A gate is looked at only while it is held. So it is seen which are to be held whenever the role,
 * the link, the replicas or a parameter changes, and once a second for `replicas`: a replica goes
 * bad in silence.
 */
import type { Primary } from '../../replication/primary.ts';
import { readonlyGate, replicasGate, staleGate } from '../dispatch/gates.ts';
import type { Services } from '../services.ts';
import type { Turn } from '../turn/turn.ts';

/** The parameters that they depend on. */
const ROLE_SETTINGS = [
  'replica-read-only',
  'replica-serve-stale-data',
  'replica-ignore-disk-write-errors',
  'min-replicas-to-write',
  'min-replicas-max-lag',
] as const;

interface Role {
  /** Whether this server follows a primary. */
  readonly isReplica: boolean;
  /** Whether the dataset is in step with the primary's, or this is a primary. */
  readonly isFresh: boolean;
}

export class RoleGates {
  private readonly services: Services;
  private readonly turn: Turn;
  private readonly primary: Primary;
  private readonly role: Role;

  constructor(services: Services, turn: Turn, primary: Primary, role: Role) {
    this.services = services;
    this.turn = turn;
    this.primary = primary;
    this.role = role;
    const again = (): undefined => void this.apply();
    for (const name of ROLE_SETTINGS) services.config.onChange(name, again);
  }

  /** Does what follows from the role, the state of the link, and the settings for replicas. */
  apply(): void {
    const { activeExpiry, desk, config } = this.services;
    const { isFresh, isReplica } = this.role;
    const { replicaIgnoreDiskWriteErrors, replicaReadOnly, replicaServeStaleData } = config.values;
    this.turn.ignoresLogErrors = isReplica && replicaIgnoreDiskWriteErrors;
    activeExpiry.own.follow(isReplica, !replicaReadOnly);
    desk.gates.hold('readonly', isReplica && replicaReadOnly, readonlyGate);
    desk.gates.hold('stale', !isFresh && !replicaServeStaleData, staleGate);
    this.countReplicas();
  }

  /** Holds writes back while too few replicas are good. */
  countReplicas(): void {
    const { config, desk } = this.services;
    const { minReplicasToWrite, minReplicasMaxLag } = config.values;
    const wanted = minReplicasToWrite > 0 && minReplicasMaxLag > 0 && !this.role.isReplica;
    const missing = wanted && this.primary.goodReplicas(Date.now()) < minReplicasToWrite;
    desk.gates.hold('replicas', missing, replicasGate);
  }
}
