/**
 * What only Valkey 8 and 9 and Redis 8 have in their configuration files, so that theirs load as
 * they are. CONFIG GET shows them by their exact names only, as the Redis that this server is
 * compatible with does not have them.
 */
import { choice, flag, INT64_MAX, integer, type Range, size } from './parameter.ts';

const ONE_LINK = 'the snapshot and the stream of a full sync share one connection';
const NO_COMMANDLOG = 'there is no log of large requests and replies';
const LOG_SIZES: Range = [-1, INT64_MAX];
const LOG_LENGTHS: Range = [0, INT64_MAX];

export const valkeyParameters = [
  flag('hide-user-data-from-log', false, 'Show no names of keys, clients and users in the log.', {
    hidden: true,
  }),
  choice(
    'rdb-version-check',
    ['strict', 'relaxed'],
    'strict',
    'Which versions of the RDB format load.',
    {
      hidden: true,
      check: (value) =>
        value === 'strict'
          ? undefined
          : 'no RDB of an unknown version is loaded on trial: say "rdb-version-check strict". ' +
            'Those of Redis up to 8 and Valkey up to 9 are known',
    },
  ),
  flag('dual-channel-replication-enabled', false, 'Send the stream beside the snapshot.', {
    hidden: true,
    inert: ONE_LINK,
  }),
  flag('extended-redis-compatibility', false, 'Answer as Redis would.', {
    hidden: true,
    inert: 'every answer is as Redis gives it',
  }),
  size('commandlog-request-larger-than', LOG_SIZES, 1 << 20, 'Bytes of a request to log.', {
    hidden: true,
    inert: NO_COMMANDLOG,
  }),
  integer('commandlog-large-request-max-len', LOG_LENGTHS, 128, 'Entries of large requests.', {
    hidden: true,
    inert: NO_COMMANDLOG,
  }),
  size('commandlog-reply-larger-than', LOG_SIZES, 1 << 20, 'Bytes of a reply to log.', {
    hidden: true,
    inert: NO_COMMANDLOG,
  }),
  integer('commandlog-large-reply-max-len', LOG_LENGTHS, 128, 'Entries of large replies.', {
    hidden: true,
    inert: NO_COMMANDLOG,
  }),
] as const;
