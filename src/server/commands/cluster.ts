/**
 * READONLY, READWRITE, ASKING and CLUSTER on a server that is no part of a cluster: all are known
 * and all are refused, in the words that clients look for when they find out what they talk to.
 * redis-cli, for one, sends READONLY before it scans, and gives up on any other error.
 */
import {
  ADMIN,
  type Command,
  type CommandTraits,
  command,
  FAST,
  LOADING,
  NO_ASYNC_LOADING,
  NOSCRIPT,
  STALE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';

const CHANGES = ADMIN | STALE | NO_ASYNC_LOADING;
const VARIES = { tips: ['nondeterministic_output'] } as const;
const PER_NODE = 'O(N) where N is the total number of cluster nodes';
const PER_SLOT = 'O(N) where N is the total number of hash slot arguments';
const PER_RANGE =
  'O(N) where N is the total number of the slots between the start slot and end slot arguments.';
const PER_REPORT = 'O(N) where N is the number of failure reports';
const PER_BYTE = 'O(N) where N is the number of bytes in the key';
const PER_KEY = 'O(N) where N is the number of requested keys';
const PER_REPLICA = 'O(N) where N is the number of replicas.';
const PER_KNOWN =
  'O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.';
const RANGES = 'range={start-slot:integer end-slot:integer}...';

function refuse(c: Context): void {
  c.reply.error('ERR This instance has cluster support disabled');
}

type More = Partial<Pick<CommandTraits, 'tips' | 'complexity' | 'history' | 'deprecated'>>;

/** A subcommand: `call` is its name and arguments, in the notation of command-syntax.ts. */
function sub(
  call: string,
  arity: number,
  flags: number,
  since: string,
  summary: string,
  more: More = {},
): Command {
  const [name = '', ...rest] = call.split(' ');
  const syntax = rest.length === 0 ? undefined : rest.join(' ');
  const traits = { arity, flags, since, summary, syntax, complexity: 'O(1)', ...more };
  return command(`cluster|${name}`, 'cluster', traits, refuse);
}

const clusterSubcommands: readonly Command[] = [
  sub('addslots slot:integer...', -3, CHANGES, '3.0.0', 'Gives slots to this node.', {
    complexity: PER_SLOT,
  }),
  sub(`addslotsrange ${RANGES}`, -4, CHANGES, '7.0.0', 'Gives ranges of slots to this node.', {
    complexity: PER_RANGE,
  }),
  sub('bumpepoch', 2, CHANGES, '3.0.0', 'Advances the epoch.', VARIES),
  sub('count-failure-reports node-id', 3, ADMIN | STALE, '3.0.0', 'Who thinks a node failed.', {
    ...VARIES,
    complexity: PER_REPORT,
  }),
  sub('countkeysinslot slot:integer', 3, STALE, '3.0.0', 'Counts the keys of a slot.'),
  sub('delslots slot:integer...', -3, CHANGES, '3.0.0', 'Takes slots from this node.', {
    complexity: PER_SLOT,
  }),
  sub(`delslotsrange ${RANGES}`, -4, CHANGES, '7.0.0', 'Takes ranges of slots from this node.', {
    complexity: PER_RANGE,
  }),
  sub('failover [options=(FORCE|TAKEOVER)]', -2, CHANGES, '3.0.0', 'Takes over from the primary.'),
  sub('flushslots', 2, CHANGES, '3.0.0', 'Takes all slots from this node.'),
  sub('forget node-id', 3, CHANGES, '3.0.0', 'Forgets a node.'),
  sub('getkeysinslot slot:integer count:integer', 4, STALE, '3.0.0', 'Names keys of a slot.', {
    ...VARIES,
    complexity: PER_KEY,
  }),
  sub('help', 2, LOADING | STALE, '5.0.0', 'Shows the subcommands.'),
  sub('info', 2, STALE, '3.0.0', 'Describes the state of this node.', VARIES),
  sub('keyslot key', 3, STALE, '3.0.0', 'Says which slot a key is in.', { complexity: PER_BYTE }),
  sub('links', 2, STALE, '7.0.0', 'Describes the links to other nodes.', {
    ...VARIES,
    complexity: PER_NODE,
  }),
  sub(
    'meet ip port:integer [cluster-bus-port:integer@4.0.0]',
    -4,
    CHANGES,
    '3.0.0',
    'Greets another node.',
    { history: [['4.0.0', 'Takes the port of the bus.']] },
  ),
  sub('myid', 2, STALE, '3.0.0', 'Returns the id of this node.'),
  sub('myshardid', 2, STALE, '7.2.0', 'Returns the id of the shard of this node.', VARIES),
  sub('nodes', 2, STALE, '3.0.0', 'Describes all nodes.', { ...VARIES, complexity: PER_NODE }),
  sub('replicas node-id', 3, ADMIN | STALE, '5.0.0', 'Names the replicas of a node.', {
    ...VARIES,
    complexity: PER_REPLICA,
  }),
  sub('replicate node-id', 3, CHANGES, '3.0.0', 'Makes this node a replica of another.'),
  sub(
    'reset [reset-type=(HARD|SOFT)]',
    -2,
    ADMIN | STALE | NOSCRIPT,
    '3.0.0',
    'Makes this node forget the cluster.',
    { complexity: PER_KNOWN },
  ),
  sub('saveconfig', 2, CHANGES, '3.0.0', 'Saves the file of the nodes.'),
  sub('set-config-epoch config-epoch:integer', 3, CHANGES, '3.0.0', 'Sets the epoch.'),
  sub(
    'setslot slot:integer ' +
      'subcommand=(IMPORTING importing~node-id|MIGRATING migrating~node-id|' +
      'NODE node~node-id|STABLE)',
    -4,
    CHANGES,
    '3.0.0',
    'Moves a slot.',
  ),
  sub('shards', 2, LOADING | STALE, '7.0.0', 'Describes the shards and their slots.', {
    ...VARIES,
    complexity: PER_NODE,
  }),
  sub('slaves node-id', 3, ADMIN | STALE, '3.0.0', 'Names the replicas of a node.', {
    ...VARIES,
    complexity: PER_REPLICA,
    deprecated: { since: '5.0.0', replacedBy: '`CLUSTER REPLICAS`' },
  }),
  sub('slots', 2, LOADING | STALE, '3.0.0', 'Describes which nodes have which slots.', {
    ...VARIES,
    complexity: PER_NODE,
    deprecated: { since: '7.0.0', replacedBy: '`CLUSTER SHARDS`' },
    history: [
      ['4.0.0', 'Shows ids of nodes.'],
      ['7.0.0', 'Shows more of how to reach them.'],
    ],
  }),
];

/** One of the commands of a connection to a node. */
function ofConnection(name: string, flags: number, summary: string): Command {
  const acl = ['connection'];
  const traits = { arity: 1, flags, acl, since: '3.0.0', complexity: 'O(1)', summary };
  return command(name, 'cluster', traits, refuse);
}

export const clusterCommands: readonly Command[] = [
  command(
    'cluster',
    'cluster',
    {
      arity: -2,
      flags: 0,
      since: '3.0.0',
      complexity: 'Depends on subcommand.',
      summary: 'About the cluster, if there were one.',
      subcommands: clusterSubcommands,
    },
    refuse,
  ),
  ofConnection('asking', FAST, 'Follows a redirection to a slot that moves.'),
  ofConnection('readonly', FAST | LOADING | STALE, 'Lets a replica answer reads.'),
  ofConnection('readwrite', FAST | LOADING | STALE, 'Lets a replica redirect reads again.'),
];
