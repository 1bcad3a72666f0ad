/**
 * Makes random sequences of steps from families: each generator is chosen by its weight within its
 * family, families evenly; some drafts are damaged on purpose; a run of steps stays on one
 * connection so that pipelines form, and the second connection cuts in now and then.
 */
import { Random } from '../support/random.ts';
import type { Context, Draft, Family, Generator, Step } from './step.ts';
import { nonsense } from './values.ts';

const mangleProbability = 0.06;
const switchProbability = 0.12;

/**
 * A command with one argument missing, added, doubled or replaced. Replacements are never small
 * positive numbers: as a time to live one would expire in the middle of the run.
 */
function mangled(random: Random, draft: Draft): Draft {
  const args = [...draft.args];
  const at = random.between(1, Math.max(1, args.length - 1));
  switch (random.between(0, 4)) {
    case 0:
      args.pop();
      break;
    case 1:
      args.push(random.pick(nonsense));
      break;
    case 2:
      args.splice(at, 0, args[at] ?? '');
      break;
    case 3:
      args[0] = `${args[0]}${random.pick(['x', ' ', '-', '|', '|x'])}`;
      break;
    default:
      args[at] = random.pick(nonsense);
  }
  if (args.length === 0) return draft;
  // An entry that the server numbers by its clock is another one on each server.
  if (/^xadd$/i.test(args[0] ?? '') && args.includes('*')) return draft;
  return { ...draft, args };
}

function draftsOf(generator: Generator, context: Context): Draft[] {
  const made = generator.make(context);
  const drafts = Array.isArray(made) ? made : [made];
  return drafts.map((draft) => {
    const keep = generator.mangle === false || draft.loop !== undefined;
    return keep || !context.random.chance(mangleProbability)
      ? draft
      : mangled(context.random, draft);
  });
}

/** At least `count` steps; the same seed, families and protocol always give the same steps. */
export function generateSteps(
  families: readonly Family[],
  seed: number,
  count: number,
  protocol: 2 | 3,
): Step[] {
  const random = new Random(seed);
  const nested = families
    .map((family) => family.generators.filter((generator) => generator.alone !== true))
    .filter((generators) => generators.length > 0);
  const context: Context = {
    random,
    protocol,
    anything: () => draftsOf(random.weighted(random.pick(nested)), context),
  };
  const steps: Step[] = [];
  let connection: 0 | 1 = 0;
  while (steps.length < count) {
    if (random.chance(switchProbability)) connection = random.chance(0.7) ? 0 : 1;
    const generator = random.weighted(random.pick(families).generators);
    for (const draft of draftsOf(generator, context)) steps.push({ ...draft, connection });
  }
  return steps;
}
