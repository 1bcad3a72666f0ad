/** The network: what to listen on, whom to let in, and how much a client may hold. */
import {
  flag,
  INT_MAX,
  INT64_MAX,
  integer,
  numeric,
  optionalText,
  port,
  size,
  special,
  text,
  UINT_MAX,
} from './parameter.ts';
import { bindType, outputBufferLimitsType } from './special-type.ts';

const MB = 1024 * 1024;

export const networkParameters = [
  special(
    'bind',
    bindType,
    ['*', '-::*'],
    'Addresses to listen on; one with a leading - may be missing on this machine.',
  ),
  optionalText('bind-source-addr', 'Local address of the connection to the primary.'),
  port('port', 6379, 'TCP port; 0 listens on none.'),
  integer('tcp-backlog', [0, INT_MAX], 511, 'Connections that may wait to be accepted.', {
    immutable: true,
  }),
  optionalText('unixsocket', 'Path of the Unix socket to listen on.', { immutable: true }),
  numeric(
    'octal',
    'unixsocketperm',
    [0, 0o777],
    0,
    "Permissions of the Unix socket; 0 leaves the process's own.",
    { immutable: true },
  ),
  flag('protected-mode', true, 'Without a password, serve clients of this machine only.'),
  integer('timeout', [0, INT_MAX], 0, 'Seconds until an idle client is disconnected; 0 is never.'),
  integer('tcp-keepalive', [0, INT_MAX], 300, 'Seconds between keepalive probes; 0 is none.'),
  integer('maxclients', [1, UINT_MAX], 10000, 'Clients that may be connected at a time.'),
  size(
    'client-query-buffer-limit',
    [MB, INT64_MAX],
    1024 * MB,
    'Bytes of unfinished commands that a client may send.',
  ),
  size('proto-max-bulk-len', [MB, INT64_MAX], 512 * MB, 'Longest single argument in bytes.'),
  special(
    'client-output-buffer-limit',
    outputBufferLimitsType,
    {
      normal: { hardBytes: 0, softBytes: 0, softSeconds: 0 },
      replica: { hardBytes: 256 * MB, softBytes: 64 * MB, softSeconds: 60 },
      pubsub: { hardBytes: 32 * MB, softBytes: 8 * MB, softSeconds: 60 },
    },
    'Replies that may wait for a slow client until it is disconnected.',
  ),
  integer('socket-mark-id', [0, UINT_MAX], 0, 'Mark of the packets of listening sockets.', {
    immutable: true,
    inert: 'sockets are not marked',
  }),
  integer('io-threads', [1, 128], 1, 'Threads that read and write sockets.', {
    immutable: true,
    inert: 'one thread reads and writes all sockets',
  }),
  flag('io-threads-do-reads', false, 'Let I/O threads read and parse, too.', {
    immutable: true,
    inert: 'one thread reads and writes all sockets',
  }),
  text('ignore-warnings', '', 'Start-up warnings that need not stop the server.', {
    inert: 'no start-up warning stops this server',
  }),
] as const;
