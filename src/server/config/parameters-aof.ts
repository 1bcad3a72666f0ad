/** The append-only file: the log of writes, how often it reaches the disk, and its rewriting. */
import { choice, flag, INT_MAX, INT64_MAX, integer, size, text } from './parameter.ts';
import { plainName } from './parameters-snapshot.ts';

export const aofParameters = [
  flag('appendonly', false, 'Log every write.', { denyLoading: true }),
  text('appendfilename', 'appendonly.aof', 'What the names of its files begin with.', {
    immutable: true,
    ...plainName('appendfilename', 'filename', false),
  }),
  text('appenddirname', 'appendonlydir', 'Folder of its files, inside dir.', {
    immutable: true,
    ...plainName('appenddirname', 'dirname', false),
  }),
  choice(
    'appendfsync',
    ['everysec', 'always', 'no'],
    'everysec',
    'When the log is forced to the disk.',
  ),
  flag('no-appendfsync-on-rewrite', false, 'Do not force it to the disk during a rewrite.'),
  integer(
    'auto-aof-rewrite-percentage',
    [0, INT_MAX],
    100,
    'Growth since the last rewrite that starts the next one; 0 never.',
  ),
  size(
    'auto-aof-rewrite-min-size',
    [0, INT64_MAX],
    64 * 1024 * 1024,
    'Size below which no rewrite starts by itself.',
  ),
  flag('aof-rewrite-incremental-fsync', true, 'Write to the disk every 4 MB while rewriting.'),
  flag('aof-load-truncated', true, 'Load a log whose last write is incomplete.'),
  flag('aof-use-rdb-preamble', true, 'Rewrite into an RDB base instead of commands.'),
  flag('aof-timestamp-enabled', false, 'Note the time, so that the log can be cut at one.'),
  flag('aof-disable-auto-gc', false, 'Keep files that are no longer needed.'),
  flag('aof-checksum', true, 'Note a checksum of each batch, in a line that Redis skips.'),
] as const;
