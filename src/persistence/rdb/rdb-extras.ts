/**
 * What an RDB holds beside databases and keys, as loading takes it, or refuses it:
 *
 *     AUX            a name and a value                    kept as text
 *     FUNCTION2      the source of a function library      kept
 *     SLOT_INFO      the sizes of a cluster's slot         a hint that nothing here needs
 *     MODULE_AUX     what a module wrote                   refused: there are no modules
 *     others         of pre-releases, of unfinished moves, of servers to come     refused
 */
import { ByteView } from '../../core/value.ts';
import * as rdb from './rdb-format.ts';
import type { RdbReader } from './rdb-reader.ts';

/** Where it is kept. */
interface Extras {
  /** The AUX fields, as latin1 text. */
  readonly aux: Map<string, string>;
  /** The sources of the function libraries. */
  readonly functions: Uint8Array[];
}

/** Reads what stands behind an opcode. Throws an `RdbError` for what is refused. */
export function readExtra(reader: RdbReader, opcode: number, { aux, functions }: Extras): void {
  switch (opcode) {
    case rdb.OP_AUX: {
      const name = readString(reader).latin1();
      aux.set(name, readString(reader).latin1());
      return;
    }
    case rdb.OP_FUNCTION2:
      functions.push(readString(reader).copy());
      return;
    case rdb.OP_SLOT_INFO:
      for (let i = 0; i < 3; i++) reader.length();
      return;
    case rdb.OP_FUNCTION_PRE_GA:
      throw reader.fail('a function in the form of a pre-release of Redis 7: save it anew there');
    case rdb.OP_SLOT_IMPORT:
      throw reader.fail('slots that are being imported: save anew when the import is over');
    case rdb.OP_MODULE_AUX: {
      const name = rdb.moduleName(reader.wideLength());
      throw reader.fail(`data of the module '${name}', which this server cannot load`);
    }
    default:
      throw reader.fail(`the unknown opcode ${opcode}`);
  }
}

/** The next string, borrowed from the reader. */
function readString(reader: RdbReader): ByteView {
  const view = new ByteView();
  reader.string(view);
  return view;
}
