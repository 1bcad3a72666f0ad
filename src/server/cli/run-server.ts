/**
 * `cairn-server` as a process: from its arguments to a server that runs, and to its end.
 *
 *     arguments -> configuration -> (background) -> log -> listen -> signals -> close -> exit
 *
 * Exit codes: 0 after an orderly end, and for --version; 1 for everything that keeps the server
 * from starting, and for --help, as redis-server has it.
 *
 * The server itself is made by an injected function, so that this file knows nothing about it, and
 * tests can put something small in its place.
 */
import { SnapshotHelper } from '../../persistence/snapshot/snapshot-helper.ts';
import type { CairnServer } from '../cairn-server.ts';
import { ConfigFileError, ConfigOpenError } from '../config/conf-file.ts';
import { Config } from '../config/config.ts';
import type { ConfigSource } from '../config/config-load.ts';
import { CAIRN_VERSION, REDIS_VERSION } from '../config/version.ts';
import { GONE_FOLDER, isNotUtf8, NOT_UTF8, workingFolder } from '../config/working-folder.ts';
import { fileSink, ServerLog, standardOutputSink } from '../log.ts';
import { rehearseSoon } from '../persistence/rehearse-soon.ts';
import { checkSystem } from './check-system.ts';
import { isDaemonChild, receiveSource, reportToParent, startDaemon } from './daemon.ts';
import { fitMaxClients, openFilesMax } from './open-files.ts';
import { PID_FILE_DEFAULT, writePidFile } from './pid-file.ts';
import { keepOomScore, keepProcessTitle } from './process-look.ts';
import { parseServerArguments, SERVER_USAGE } from './server-arguments.ts';
import { handleSignals } from './signals.ts';
import { logCrash, logMode, logStart, logStartFailure } from './start-log.ts';

/** What a server is made from. */
export interface CreateServerOptions {
  readonly config: Config;
  readonly log: ServerLog;
  /** Called when the sockets are bound, before the dataset is loaded. */
  readonly onBound: () => void;
  /** Called when REPLICAOF or a failover turns the server into the other role. */
  readonly onRole: (role: 'primary' | 'replica') => void;
  /** Called when SHUTDOWN has ended the server. */
  readonly exit: (code: number) => void;
  /** The child process that snapshots are written by. */
  readonly snapshotHelper: SnapshotHelper;
}

export type CreateServer = (options: CreateServerOptions) => CairnServer;

export interface RunOptions {
  readonly create: CreateServer;
  /** Other defaults, given the options of the command line; only without a configuration file. */
  readonly defaults?: (optionLines: string) => string;
}

/** Runs the program; resolves with an exit code, or undefined when a server runs. */
export async function runServer(
  args: readonly string[],
  options: RunOptions,
): Promise<number | undefined> {
  const parsed = parseServerArguments(args);
  switch (parsed.kind) {
    case 'help':
      process.stderr.write(SERVER_USAGE);
      return 1;
    case 'version':
      process.stdout.write(`${versionLine()}\n`);
      return 0;
    case 'check-system':
      return checkSystem((text) => process.stdout.write(text), workingFolder()) ? 0 : 1;
    case 'refused':
      process.stderr.write(parsed.message);
      return 1;
  }
  if (isDaemonChild()) return startInBackground(await receiveSource(), options);
  const defaults = parsed.file === undefined ? readDefaults(parsed.options ?? '', options) : '';
  if (defaults === undefined) return 1;
  const source: ConfigSource = {
    ...(parsed.file === undefined ? { defaults } : { file: parsed.file }),
    ...(parsed.stdin ? { stdin: await readStandardInput() } : {}),
    ...(parsed.options === undefined ? {} : { options: parsed.options }),
  };
  const config = readConfig(source);
  if (config === undefined) return 1;
  if (config.values.daemonize) return leaveToDaemon(source);
  return (await start(config, source, options)) ? undefined : 1;
}

/** What `--version` prints: `v=` is what tools look for, and take for a version of Redis. */
function versionLine(): string {
  const node = process.versions.node;
  return `Cairn server v=${REDIS_VERSION} cairn=${CAIRN_VERSION} node=${node} bits=64`;
}

/** The other defaults, or undefined after telling why they cannot be had. */
function readDefaults(optionLines: string, options: RunOptions): string | undefined {
  try {
    return options.defaults?.(optionLines) ?? '';
  } catch (error) {
    tellConfigError(error);
    return undefined;
  }
}

async function readStandardInput(): Promise<string> {
  process.stdin.setEncoding('latin1');
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  return text;
}

const NO_FOLDER =
  'The folder that the server was started in is gone. Start elsewhere, or name a folder with dir';

/** The configuration, or undefined after telling what is wrong with it. */
function readConfig(source: ConfigSource): Config | undefined {
  const config = new Config();
  try {
    config.load(source);
    const { dir } = config.values;
    if (dir === GONE_FOLDER) throw new ConfigFileError(NO_FOLDER);
    if (isNotUtf8(dir)) throw new ConfigFileError(`${dir}: ${NOT_UTF8}`);
    return config;
  } catch (error) {
    tellConfigError(error);
    return undefined;
  }
}

function tellConfigError(error: unknown): void {
  if (error instanceof ConfigFileError) process.stderr.write(error.report());
  else if (error instanceof ConfigOpenError) new ServerLog({ role: 'C' }).warning(error.message);
  else throw error;
}

async function leaveToDaemon(source: ConfigSource): Promise<number> {
  const report = await startDaemon(source);
  if ('ready' in report) return 0;
  process.stderr.write(`${report.error}\n`);
  return 1;
}

async function startInBackground(
  source: ConfigSource,
  options: RunOptions,
): Promise<number | undefined> {
  const config = readConfig(source);
  if (config !== undefined && (await start(config, source, options))) {
    await reportToParent({ ready: true });
    return undefined;
  }
  const { logfile } = config?.values ?? { logfile: '' };
  const where = logfile === '' ? 'run it with daemonize no to see why' : `see ${logfile}`;
  await reportToParent({ error: `The server could not start: ${where}` });
  return 1;
}

/** Makes and starts the server; false after telling why it does not start. */
async function start(config: Config, source: ConfigSource, options: RunOptions): Promise<boolean> {
  const log = openLog(config);
  logStart(log, config, source.file !== undefined || source.options !== undefined);
  if (config.values.port === 0 && config.values.unixsocket === '') {
    log.warning('Configured to not listen anywhere, exiting.');
    return false;
  }
  log.role = config.values.replicaof === undefined ? 'M' : 'S';
  const filesMax = openFilesMax();
  if (filesMax !== undefined && !fitMaxClients(config, log, filesMax)) return false;
  process.on('uncaughtExceptionMonitor', (error) => logCrash(log, error));
  const snapshotHelper = new SnapshotHelper();
  const applyOomScore = keepOomScore(config, log, () => log.role === 'S', snapshotHelper);
  const onTerminal = process.stdout.isTTY === true && config.values.logfile === '';
  let bound = false;
  const onBound = (): void => {
    if (bound) return;
    bound = true;
    logMode(log, config, config.values.alwaysShowLogo || onTerminal);
    const pidFile = pidFileOf(config);
    if (pidFile !== undefined) writePidFile(pidFile, log);
  };
  const onRole = (role: 'primary' | 'replica'): void => {
    log.role = role === 'primary' ? 'M' : 'S';
    applyOomScore();
  };
  try {
    const exit = (code: number): void => {
      if (code === 0) log.warning('Cairn is now ready to exit, bye bye...');
      process.exit(code);
    };
    const server = options.create({ config, log, onBound, onRole, exit, snapshotHelper });
    handleSignals(server, config, log, exit);
    await server.listen();
    void rehearseSoon(() => server.isSaving, config);
  } catch (error) {
    if (error instanceof ConfigFileError) process.stderr.write(error.report());
    else logStartFailure(log, error);
    return false;
  }
  onBound();
  keepProcessTitle(config);
  return true;
}

function openLog(config: Config): ServerLog {
  const { loglevel, logFormat, logfile } = config.values;
  const log = new ServerLog({
    level: loglevel,
    format: logFormat,
    role: 'C',
    sink: logfile === '' ? standardOutputSink : (line) => fileSink(config.path(logfile))(line),
  });
  config.onChange('loglevel', (level) => {
    log.setLevel(level);
    return undefined;
  });
  config.onChange('log-format', (format) => {
    log.setFormat(format);
    return undefined;
  });
  return log;
}

function pidFileOf(config: Config): string | undefined {
  const { pidfile, daemonize } = config.values;
  if (pidfile !== '') return config.path(pidfile);
  return daemonize ? PID_FILE_DEFAULT : undefined;
}
