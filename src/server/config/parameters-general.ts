/** The process: how it starts and ends, its log, and its place in the operating system. */
import { choice, flag, INT_MAX, integer, optionalText, special, text } from './parameter.ts';
import { oomValuesType, shutdownFlagsType } from './special-type.ts';
import { checkTitleTemplate } from './title-template.ts';

const CPU_AFFINITY = 'threads are not pinned to processors';
const NO_SYSLOG = 'there is no syslog: use logfile, or standard output and log-format json';
const NO_CRASH_LOG = 'a crash prints its stack on standard error';

export const generalParameters = [
  flag('daemonize', false, 'Run in the background.', { immutable: true }),
  choice(
    'supervised',
    ['upstart', 'systemd', 'auto', 'no'],
    'no',
    'The service manager to report to.',
    {
      immutable: true,
      check: (value) =>
        value === 'no' || value === 'auto'
          ? undefined
          : `there is no ${value} notification: say "supervised no", and use a simple service`,
    },
  ),
  optionalText('pidfile', 'File to write the process number to.', { immutable: true }),
  choice(
    'loglevel',
    ['debug', 'verbose', 'notice', 'warning', 'nothing'],
    'notice',
    'The least important messages that are logged.',
  ),
  text('logfile', '', 'File to log to; empty is standard output.', { immutable: true }),
  choice(
    'log-format',
    ['text', 'json'],
    'text',
    'Lines for people, or a JSON object on each line.',
  ),
  flag('syslog-enabled', false, 'Log to syslog.', {
    immutable: true,
    check: (value) => (value ? NO_SYSLOG : undefined),
  }),
  text('syslog-ident', 'redis', 'Name in syslog.', { immutable: true, inert: NO_SYSLOG }),
  choice(
    'syslog-facility',
    ['user', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
    'local0',
    'Facility of syslog.',
    { immutable: true, inert: NO_SYSLOG },
  ),
  integer('databases', [1, INT_MAX], 16, 'Number of databases.', { immutable: true }),
  flag('always-show-logo', false, 'Log the logo even where nobody looks.', { immutable: true }),
  flag('set-proc-title', true, 'Show what the server does in the process list.', {
    immutable: true,
  }),
  text(
    'proc-title-template',
    '{title} {listen-addr} {server-mode}',
    'The title in the process list.',
    {},
    { check: checkTitleTemplate },
  ),
  integer('shutdown-timeout', [0, INT_MAX], 10, 'Seconds to wait for replicas at the end.'),
  special('shutdown-on-sigint', shutdownFlagsType, [], 'How SIGINT ends the server.'),
  special('shutdown-on-sigterm', shutdownFlagsType, [], 'How SIGTERM ends the server.'),
  choice(
    'oom-score-adj',
    ['no', 'yes', 'absolute'],
    'no',
    "Set the kernel's readiness to kill this process.",
    { synonyms: { relative: 'yes' } },
  ),
  special('oom-score-adj-values', oomValuesType, [0, 200, 800], 'For primary, replica and child.'),
  flag('disable-thp', true, 'Switch transparent huge pages off for the process.', {
    immutable: true,
    inert: 'no page is ever copied on write, so huge pages do no harm',
  }),
  flag('crash-log-enabled', true, 'Log a report at a crash.', { inert: NO_CRASH_LOG }),
  flag('crash-memcheck-enabled', true, 'Test the memory at a crash.', { inert: NO_CRASH_LOG }),
  flag('use-exit-on-panic', false, 'Exit instead of abort at a panic.', {
    hidden: true,
    inert: NO_CRASH_LOG,
  }),
  integer('watchdog-period', [0, INT_MAX], 0, 'Milliseconds after which a stall is logged.', {
    hidden: true,
    inert: 'stalls are seen with LATENCY',
  }),
  text('locale-collate', '', 'Locale of SORT with ALPHA.', {
    check: (value) =>
      ['', 'C', 'POSIX'].includes(value)
        ? undefined
        : 'text is compared byte by byte: only "", C and POSIX are possible',
  }),
  optionalText('server-cpulist', 'Processors of the main thread.', {
    alias: 'server_cpulist',
    immutable: true,
    inert: CPU_AFFINITY,
  }),
  optionalText('bio-cpulist', 'Processors of background threads.', {
    alias: 'bio_cpulist',
    immutable: true,
    inert: CPU_AFFINITY,
  }),
  optionalText('aof-rewrite-cpulist', 'Processors of the AOF rewrite.', {
    alias: 'aof_rewrite_cpulist',
    immutable: true,
    inert: CPU_AFFINITY,
  }),
  optionalText('bgsave-cpulist', 'Processors of background saving.', {
    alias: 'bgsave_cpulist',
    immutable: true,
    inert: CPU_AFFINITY,
  }),
] as const;
