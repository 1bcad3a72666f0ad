/**
 * FUNCTION commands of a primary's stream. No command of that name is known here, since no engine
 * runs libraries; they are kept with the dataset all the same (kept-functions.ts), and the AOF gets
 * the command as it came.
 */
import type { Args } from '../../core/resp/args.ts';
import { RdbError } from '../../persistence/rdb/rdb-error.ts';
import type { DatasetLoader } from './dataset-loader.ts';
import { isFunction, isScriptCache, KeptFunctions } from './kept-functions.ts';
import type { PersistenceDeps } from './persistence-deps.ts';

/** What needs no database to be selected. */
const NO_DATABASE = -1;

export class StreamedFunctions {
  private readonly loader: DatasetLoader;
  private readonly deps: Pick<PersistenceDeps, 'keyspace' | 'propagator'>;

  constructor(loader: DatasetLoader, deps: Pick<PersistenceDeps, 'keyspace' | 'propagator'>) {
    this.loader = loader;
    this.deps = deps;
  }

  /**
   * Does what a command says, as far as libraries are kept, and logs it. False for any but
   * FUNCTION, and for one that does not bring what it should. What changes the cache of scripts is
   * passed over.
   */
  take(args: Args): boolean {
    if (isScriptCache(args)) return true;
    if (!isFunction(args)) return false;
    const kept = new KeptFunctions(this.loader.functions);
    try {
      if (!kept.take(args)) return false;
    } catch (error) {
      if (error instanceof RdbError) return false;
      throw error;
    }
    this.loader.functions = kept.sources;
    const { keyspace, propagator } = this.deps;
    keyspace.dirty++;
    propagator.beginUnit(false);
    propagator.command(NO_DATABASE, args);
    propagator.endUnit();
    return true;
  }
}
