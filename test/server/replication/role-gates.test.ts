/**
 * Which gates the role holds, and that each change of a parameter that they depend on is seen.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Primary } from '../../../src/replication/primary.ts';
import { RoleGates } from '../../../src/server/replication/role-gates.ts';
import { InProcessScene, type SceneSettings } from '../../support/in-process-scene.ts';
import { emptyDisk } from '../../support/in-process-server.ts';

const PRIMARY = { isReplica: false, isFresh: true };
const REPLICA = { isReplica: true, isFresh: true };
const STALE = { isReplica: true, isFresh: false };

const scene = new InProcessScene({ appendonly: false });

afterEach(async () => {
  vi.restoreAllMocks();
  await scene.end();
});

/** The gates of a server in a role, which has so many good replicas, and what they hold. */
async function gatesOf(role: typeof PRIMARY, settings: SceneSettings = {}, good = 0) {
  const { server } = await scene.start(emptyDisk());
  server.config.applySettings(settings);
  const held: Record<string, boolean> = {};
  vi.spyOn(server.desk.gates, 'hold').mockImplementation((name, isHeld) => {
    held[name] = isHeld;
  });
  const follow = vi.spyOn(server.activeExpiry.own, 'follow').mockReturnValue(undefined);
  const primary: Partial<Primary> = { goodReplicas: () => good };
  const gates = new RoleGates(server, server.turn, primary as Primary, role);
  gates.apply();
  return { server, held, follow };
}

describe('the gates of a role', () => {
  it.each([
    ['readonly', REPLICA, { 'replica-read-only': true }, true],
    ['readonly', REPLICA, { 'replica-read-only': false }, false],
    ['readonly', PRIMARY, { 'replica-read-only': true }, false],
    ['stale', STALE, { 'replica-serve-stale-data': false }, true],
    ['stale', STALE, { 'replica-serve-stale-data': true }, false],
    ['stale', REPLICA, { 'replica-serve-stale-data': false }, false],
  ] as const)('hold %s: %j %j', async (name, role, settings, expected) => {
    expect((await gatesOf(role, settings)).held[name]).toBe(expected);
  });

  it.each([
    [PRIMARY, 2, 10, 1, true],
    [PRIMARY, 2, 10, 2, false],
    [PRIMARY, 0, 10, 0, false],
    [PRIMARY, 2, 0, 0, false],
    [REPLICA, 2, 10, 0, false],
  ])('hold writes back for lack of replicas: %j, %j within %j, %j', async (...one) => {
    const [role, least, lag, good, expected] = one;
    const settings = { 'min-replicas-to-write': least, 'min-replicas-max-lag': lag };
    expect((await gatesOf(role, settings, good)).held.replicas).toBe(expected);
  });

  it.each([
    [REPLICA, true, true],
    [REPLICA, false, false],
    [PRIMARY, true, false],
  ])('have a replica go on without its log: %j %j', async (role, ignores, expected) => {
    const { server } = await gatesOf(role, { 'replica-ignore-disk-write-errors': ignores });
    expect(server.turn.ignoresLogErrors).toBe(expected);
  });

  it.each([
    [REPLICA, true, [true, false]],
    [REPLICA, false, [true, true]],
    [PRIMARY, false, [false, true]],
  ])('leave expiry to the primary, but of own keys: %j %j', async (role, readOnly, expected) => {
    const { follow } = await gatesOf(role, { 'replica-read-only': readOnly });
    expect(follow).toHaveBeenLastCalledWith(...expected);
  });

  it.each([
    ['readonly', REPLICA, 'replica-read-only', false, false],
    ['stale', STALE, 'replica-serve-stale-data', false, true],
    ['replicas', PRIMARY, 'min-replicas-to-write', 0, false],
    ['replicas', PRIMARY, 'min-replicas-max-lag', 0, false],
  ])('of %s follow the configuration: %j %s', async (name, role, parameter, value, expected) => {
    const { server, held } = await gatesOf(role, { 'min-replicas-to-write': 1 });
    expect(held[name]).toBe(!expected);
    const client = { loading: false, local: true };
    await server.config.set([[parameter, value === false ? 'no' : `${value}`]], client);
    expect(held[name]).toBe(expected);
  });

  it('follow the configuration in what becomes of writes while the disk fails', async () => {
    const { server } = await gatesOf(REPLICA);
    expect(server.turn.ignoresLogErrors).toBe(false);
    const client = { loading: false, local: true };
    await server.config.set([['replica-ignore-disk-write-errors', 'yes']], client);
    expect(server.turn.ignoresLogErrors).toBe(true);
  });
});
