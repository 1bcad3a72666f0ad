/** Parameters of the AOF that CONFIG SET changes while it is in use. */
import type { Aof } from '../../persistence/aof/aof.ts';
import type { Config } from '../config/config.ts';

export function followAofConfig(config: Config, aof: Aof): void {
  config.onChange('appendfsync', (policy) => {
    aof.disk.setPolicy(policy);
    return undefined;
  });
  config.onChange('auto-aof-rewrite-percentage', (percentage) => {
    aof.schedule.percentage = percentage;
    return undefined;
  });
  config.onChange('auto-aof-rewrite-min-size', (bytes) => {
    aof.schedule.minSizeBytes = bytes;
    return undefined;
  });
  config.onChange('aof-disable-auto-gc', (keep) => aof.setKeepHistory(keep).then(() => undefined));
  config.onChange('aof-checksum', (on) => {
    aof.appender.checksum = on;
    return undefined;
  });
  config.onChange('aof-timestamp-enabled', (on) => {
    aof.appender.timestamps = on;
    return undefined;
  });
}
