/**
 * Walks over the entries of a table, each once while the table stays as it is. It keeps the entries
 * of the buckets that it is at, so other walks over the same table may run in between.
 */
import { collectAhead } from '../struct/dict-ahead.ts';
import { ENTRIES_AHEAD, type HashTable } from './hash-table.ts';

export class TableCursor {
  private table: HashTable | null = null;
  private cursor = 0;
  private last = false;
  private readonly held: number[] = [];
  private heldCount = 0;
  private heldAt = 0;

  start(table: HashTable): void {
    this.table = table;
    this.cursor = 0;
    this.last = false;
    this.heldCount = 0;
    this.heldAt = 0;
  }

  /** Address of the next entry, 0 at the end. */
  next(): number {
    while (this.heldAt === this.heldCount) {
      if (this.last || this.table === null) {
        this.table = null;
        return 0;
      }
      const { arena, dict } = this.table;
      this.cursor = collectAhead(dict, arena, this.cursor, ENTRIES_AHEAD);
      this.last = this.cursor === 0;
      this.heldCount = dict.collectedCount;
      this.heldAt = 0;
      for (let i = 0; i < this.heldCount; i++) this.held[i] = dict.collected[i]!;
    }
    return this.held[this.heldAt++]!;
  }
}
