/** Security: passwords, access lists, and commands that can harm. */
import { choice, INT64_MAX, integer, optionalText, text } from './parameter.ts';

const WHO = ['no', 'yes', 'local'] as const;

export const securityParameters = [
  optionalText('requirepass', 'Password of the default user.', { sensitive: true }),
  text('aclfile', '', 'File of users, in place of user lines.', { immutable: true }),
  integer('acllog-max-len', [0, INT64_MAX], 128, 'Entries of ACL LOG.'),
  choice(
    'acl-pubsub-default',
    ['allchannels', 'resetchannels'],
    'resetchannels',
    'Channels of a new user.',
  ),
  choice('enable-protected-configs', WHO, 'no', 'Who may change dir and dbfilename.', {
    immutable: true,
  }),
  choice('enable-debug-command', WHO, 'no', 'Who may use DEBUG.', { immutable: true }),
  choice('enable-module-command', WHO, 'no', 'Who may use MODULE.', {
    immutable: true,
    inert: 'there are no modules to load',
  }),
] as const;
