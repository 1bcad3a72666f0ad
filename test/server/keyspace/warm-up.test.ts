/** The warm-up of conversions: begun by a high limit alone, and over by itself. */
import { expect, test, vi } from 'vitest';
import { EncodingLimits } from '../../../src/core/encoding-limits.ts';
import { Config } from '../../../src/server/config/config.ts';
import { followEncodingLimits } from '../../../src/server/keyspace/follow-encoding-limits.ts';
import { CONVERSIONS, ConversionWarmUp } from '../../../src/server/keyspace/warm-up.ts';

test('all conversions run, some time after they were asked for, and none twice', () => {
  vi.useFakeTimers();
  try {
    const warmUp = new ConversionWarmUp();
    warmUp.begin();
    warmUp.begin();
    expect(warmUp.conversions).toBe(0);
    expect(vi.getTimerCount()).toBe(1);
    vi.runAllTimers();
    expect(warmUp.conversions).toBe(CONVERSIONS);
    warmUp.begin();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a limit that allows of large listpacks begins it', async () => {
  vi.useFakeTimers();
  try {
    const config = new Config();
    const limits = new EncodingLimits();
    followEncodingLimits(config, limits);
    const client = { loading: false, local: true };
    await config.set([['zset-max-listpack-entries', '1024']], client);
    expect(vi.getTimerCount()).toBe(0);
    await config.set([['zset-max-listpack-entries', '1025']], client);
    expect(limits.zsetMaxListpackEntries).toBe(1025);
    expect(vi.getTimerCount()).toBe(1);
    followEncodingLimits(config, new EncodingLimits());
    expect(vi.getTimerCount()).toBe(2);
  } finally {
    vi.useRealTimers();
  }
});
