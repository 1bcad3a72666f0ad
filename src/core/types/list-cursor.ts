/**
 * Walks over the elements of a list, in either direction and from any index, without allocating.
 *
 *     cursor.start(keyspace, address, 0, true);
 *     while (cursor.next()) use(cursor.element);
 *
 * The list must not change in between; other walks may run. Compressed nodes are read through a
 * scratch of the cursor's own and stay compressed.
 */
import type { Keyspace } from '../keyspace.ts';
import { equalBytes } from '../memory/copy.ts';
import { DirectoryPath } from '../struct/directory-path.ts';
import type { ListDirectory } from '../struct/list-directory.ts';
import { lpFirst, lpLast, lpNext, lpPrev, lpSeek } from '../struct/listpack.ts';
import { NODE_PLAIN, NodeReader } from '../struct/quicklist-node.ts';
import { ElementView } from './element-view.ts';
import { listLength, listQuicklist } from './list.ts';

const NO_BYTES = new Uint8Array(0);
/** In place of a position: a plain element, which is all of its node. */
const WHOLE = -1;

export class ListCursor {
  readonly element = new ElementView();
  private directory: ListDirectory | null = null;
  private readonly path = new DirectoryPath();
  private readonly reader = new NodeReader();
  private keyspace: Keyspace | null = null;
  private forward = true;
  private bytes: Uint8Array = NO_BYTES;
  private base = 0;
  /** Position of the next element in the node or listpack, 0 when there is none left in it. */
  private at = 0;

  /**
   * Stands before the element with this index, or behind it when going backward. Nothing follows
   * if there is none.
   */
  start(keyspace: Keyspace, address: number, index: number, forward: boolean): void {
    const list = listQuicklist(keyspace, address);
    this.keyspace = keyspace;
    this.forward = forward;
    this.at = 0;
    this.directory = null;
    if (index < 0 || index >= listLength(keyspace, address)) return;
    if (list === null) {
      this.bytes = keyspace.arena.bytes(keyspace.valueBlock(address));
      this.base = keyspace.valueOffset(address);
      this.at = lpSeek(this.bytes, this.base, index);
      return;
    }
    this.directory = list.nodes.directory;
    const within = this.directory.seek(this.path, index);
    this.open();
    if (this.at !== WHOLE) this.at = lpSeek(this.bytes, this.base, within);
  }

  /** Shows the next element. False at the end. */
  next(): boolean {
    if (this.at === 0 && !this.nextNode()) return false;
    const { at, base, bytes } = this;
    if (at === WHOLE) {
      this.element.show(bytes, base, this.path.bytes);
      this.at = 0;
      return true;
    }
    this.element.showListpack(bytes, base, at);
    this.at = this.forward ? lpNext(bytes, base, at) : lpPrev(bytes, base, at);
    return true;
  }

  /** Whether the element that is shown is this value. */
  shows(value: Uint8Array, offset: number, length: number): boolean {
    const { element } = this;
    if (element.length !== length) return false;
    return equalBytes(element.bytes, element.offset, value, offset, length);
  }

  private nextNode(): boolean {
    const { directory, path } = this;
    if (directory === null) return false;
    if (!(this.forward ? directory.next(path) : directory.prev(path))) {
      this.directory = null;
      return false;
    }
    this.open();
    if (this.at === WHOLE) return true;
    this.at = this.forward ? lpFirst(this.bytes, this.base) : lpLast(this.bytes, this.base);
    return true;
  }

  /** Opens the path's node. */
  private open(): void {
    const { keyspace, path, reader } = this;
    if (keyspace === null) return;
    reader.open(keyspace.arena, path);
    this.bytes = reader.bytes;
    this.base = reader.base;
    this.at = (path.kind & NODE_PLAIN) !== 0 ? WHOLE : 0;
  }
}
