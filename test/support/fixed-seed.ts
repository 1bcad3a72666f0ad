/**
 * Read before every test file: properties try the same cases in each run, so that no build fails
 * by chance. `FC_SEED=n` has others tried, `FC_SEED=clock` new ones each time; a property that
 * fails says with which seed.
 */
import fc from 'fast-check';

const given = process.env.FC_SEED ?? '20261128';

fc.configureGlobal({ seed: given === 'clock' ? Date.now() % 1_000_000_000 : Number(given) });
