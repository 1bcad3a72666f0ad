/**
 * The cluster mode, which does not exist here: switching it on is refused. Its other parameters are
 * kept, so that a file that carries them beside `cluster-enabled no` loads.
 */
import {
  choice,
  flag,
  INT_MAX,
  INT64_MAX,
  integer,
  optionalText,
  port,
  size,
  type Traits,
  text,
  UINT64_MAX,
} from './parameter.ts';

const INERT = { inert: 'there is no cluster mode' } as const;

const HOSTNAME_LENGTH_MAX = 256;

const hostname: Traits<string> = {
  ...INERT,
  check: (value) => {
    if (value.length >= HOSTNAME_LENGTH_MAX) return 'Hostnames must be less than 256 characters';
    if (/^[A-Za-z0-9.-]*$/.test(value)) return undefined;
    return 'Hostnames may only contain alphanumeric characters, hyphens or dots';
  },
};

export const clusterParameters = [
  flag('cluster-enabled', false, 'Be a node of a cluster.', {
    immutable: true,
    check: (value) =>
      value ? 'there is no cluster mode: remove this line, or say cluster-enabled no' : undefined,
  }),
  text('cluster-config-file', 'nodes.conf', 'File of the nodes.', { immutable: true, ...INERT }),
  integer(
    'cluster-node-timeout',
    [0, INT64_MAX],
    15000,
    'Milliseconds until a node is lost.',
    INERT,
  ),
  port('cluster-port', 0, 'Port of the bus.', { immutable: true, ...INERT }),
  optionalText('cluster-announce-ip', 'Address to announce.', INERT),
  port('cluster-announce-port', 0, 'Port to announce.', INERT),
  port('cluster-announce-tls-port', 0, 'TLS port to announce.', INERT),
  port('cluster-announce-bus-port', 0, 'Bus port to announce.', INERT),
  optionalText('cluster-announce-hostname', 'Host name to announce.', hostname),
  optionalText('cluster-announce-human-nodename', 'Name to announce.', hostname),
  choice(
    'cluster-preferred-endpoint-type',
    ['ip', 'hostname', 'unknown-endpoint'],
    'ip',
    'What clients are redirected to.',
    INERT,
  ),
  integer('cluster-replica-validity-factor', [0, INT_MAX], 10, 'Age of a candidate.', {
    alias: 'cluster-slave-validity-factor',
    ...INERT,
  }),
  integer('cluster-migration-barrier', [0, INT_MAX], 1, 'Replicas that stay.', INERT),
  flag('cluster-allow-replica-migration', true, 'Let replicas move.', INERT),
  flag('cluster-require-full-coverage', true, 'Need all slots.', INERT),
  flag('cluster-replica-no-failover', false, 'Never take over.', {
    alias: 'cluster-slave-no-failover',
    ...INERT,
  }),
  flag('cluster-allow-reads-when-down', false, 'Read while down.', INERT),
  flag('cluster-allow-pubsubshard-when-down', true, 'Publish while down.', INERT),
  size('cluster-link-sendbuf-limit', [0, UINT64_MAX], 0, 'Bytes that a link may hold.', INERT),
] as const;
