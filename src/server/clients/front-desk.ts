/**
 * The front desk: everything about clients that stands beside their commands, put together and made
 * to follow the configuration. Who they are (access), what they listen to (pubsub, tracking,
 * monitors), what holds them back (gates, pause, output limits), and what is noted of their
 * commands (slow log, latency).
 *
 * What nobody uses costs nothing: the dispatcher's hooks are set while somebody wants them.
 */
import { AccessControl } from '../acl/acl.ts';
import { FAST, SKIP_SLOWLOG } from '../dispatch/command.ts';
import type { Dispatcher } from '../dispatch/dispatch.ts';
import { Gates, listenerGate, subscriberGate } from '../dispatch/gates.ts';
import { NOTIFY_KEYEVENT, NOTIFY_KEYSPACE } from '../dispatch/notify-classes.ts';
import { InfoSources } from '../info/info-lines.ts';
import { Rates } from '../info/rates.ts';
import { LatencyMonitor } from '../latency/latency-monitor.ts';
import { SlowLog } from '../latency/slow-log.ts';
import { Migrations } from '../migration/migrations.ts';
import type { Services } from '../services.ts';
import type { Client } from './client.ts';
import { ClientPause } from './client-pause.ts';
import { evictClients } from './client-upkeep.ts';
import { ExpiryHolds } from './expiry-holds.ts';
import { Monitors } from './monitors.ts';
import { OutputLimits } from './output-limits.ts';
import { PubSub } from './pubsub.ts';
import { Tracking } from './tracking.ts';

export class FrontDesk {
  readonly access: AccessControl;
  readonly gates: Gates;
  readonly expiry: ExpiryHolds;
  readonly pause: ClientPause;
  readonly migrations: Migrations;
  readonly pubsub: PubSub;
  readonly tracking: Tracking;
  readonly monitors: Monitors;
  readonly slowLog: SlowLog;
  readonly latency: LatencyMonitor;
  readonly limits: OutputLimits;
  /** Lines of INFO that other rooms provide. */
  readonly info = new InfoSources();
  readonly rates = new Rates();
  private replicas = 0;
  private readonly services: Services;
  private readonly dispatcher: Dispatcher;

  /** `publishes` is told the classes of keyspace events: 0 while neither K nor E is among them. */
  constructor(services: Services, dispatcher: Dispatcher, publishes: (classes: number) => void) {
    const { config, commands, clients } = services;
    this.services = services;
    this.dispatcher = dispatcher;
    const owner = {
      clients,
      config,
      listClient: (client: Client) => services.listClient(client),
      closeClient: (client: Client, how: 'after-reply' | 'now') =>
        services.closeClient(client, how),
      isExecuting: (client: Client) => dispatcher.isRunning && dispatcher.context.client === client,
      afterThis: (task: () => void) => dispatcher.afterThis(task),
      scheduleTurn: () => services.endTurnSoon(),
      executing: () => (dispatcher.isRunning ? dispatcher.context.client : null),
    };
    this.access = new AccessControl(config, commands, owner);
    this.gates = new Gates(dispatcher);
    this.expiry = new ExpiryHolds(services.keyspace);
    this.pause = new ClientPause(services, this.expiry);
    this.migrations = new Migrations(services);
    this.pubsub = new PubSub(owner);
    this.tracking = new Tracking(owner);
    config.onChange('maxmemory-clients', () => {
      process.nextTick(() => evictClients(services, Date.now()));
      return undefined;
    });
    config.onChange('tracking-table-max-keys', (max) => {
      this.tracking.limit(max);
      return undefined;
    });
    this.monitors = new Monitors(dispatcher, owner.listClient);
    this.slowLog = new SlowLog(config);
    this.latency = new LatencyMonitor(config);
    this.limits = new OutputLimits(services);
    this.holdGates();
    this.watchCommands();
    this.followEvents(publishes);
  }

  /** Notes how many replicas are attached; they may not touch keys. */
  replicasChanged(count: number): void {
    this.replicas = count;
    this.holdListeners();
  }

  /** Forgets a client that has gone. */
  gone(client: Client): void {
    this.pubsub.leave(client);
    this.tracking.stop(client);
    this.pause.forget(client);
    this.limits.forget(client);
    if (client.monitor) this.monitors.remove(client);
  }

  /** Lets go of timers and sockets, when the server ends. */
  stop(): void {
    this.pause.stop();
    this.migrations.sockets.stop();
  }

  private holdListeners(): void {
    this.gates.hold('listener', this.monitors.size > 0 || this.replicas > 0, listenerGate);
  }

  private holdGates(): void {
    const { access, gates, migrations, monitors, pause, pubsub } = this;
    const limited = (): void => {
      const { isLimiting } = access;
      gates.hold('acl', isLimiting, (client, command, args) =>
        access.refusal(client, command, args),
      );
      this.dispatcher.recheck = isLimiting
        ? (client, command, args) => access.lateRefusal(client, command, args)
        : null;
    };
    limited();
    access.onChange = limited;
    pubsub.onChange = () => gates.hold('subscriber', pubsub.subscribers > 0, subscriberGate);
    monitors.onChange = () => this.holdListeners();
    pause.onChange = () =>
      gates.hold('pause', pause.isPaused, (client, command, args) =>
        pause.admit(client, command, args),
      );
    migrations.onChange = () => {
      gates.hold('held', migrations.holds, (client, command, args) =>
        migrations.stops(client, command, args) ? pause.postpone(client, args) : null,
      );
      pause.resumeWaiting();
    };
  }

  /** Slow log and latency monitor hear only of commands that may concern them. */
  private watchCommands(): void {
    const { config } = this.services;
    const { dispatcher, slowLog, latency } = this;
    const follow = (): undefined => {
      const { slowlogLogSlowerThan, latencyMonitorThreshold, latencyTracking } = config.values;
      const slow = slowlogLogSlowerThan < 0 ? Number.POSITIVE_INFINITY : slowlogLogSlowerThan;
      const late =
        latencyMonitorThreshold === 0 ? Number.POSITIVE_INFINITY : latencyMonitorThreshold * 1000;
      dispatcher.slowMicroseconds = Math.min(slow, late);
      dispatcher.histograms = latencyTracking;
    };
    follow();
    config.onChange('slowlog-log-slower-than', follow);
    config.onChange('latency-monitor-threshold', follow);
    config.onChange('latency-tracking', follow);
    dispatcher.watcher = {
      called: (client, command, args, microseconds) => {
        const slow = config.values.slowlogLogSlowerThan;
        if (slow >= 0 && microseconds >= slow && (command.flags & SKIP_SLOWLOG) === 0) {
          slowLog.add(client, args, microseconds, dispatcher.redacted);
        }
        const kind = (command.flags & FAST) !== 0 ? 'fast-command' : 'command';
        latency.sample(kind, microseconds / 1000);
      },
    };
  }

  private followEvents(publishes: (classes: number) => void): void {
    const { config } = this.services;
    const follow = (classes: number): undefined => {
      this.pubsub.eventClasses = classes;
      publishes((classes & (NOTIFY_KEYSPACE | NOTIFY_KEYEVENT)) === 0 ? 0 : classes);
    };
    follow(config.values.notifyKeyspaceEvents);
    config.onChange('notify-keyspace-events', follow);
  }
}
