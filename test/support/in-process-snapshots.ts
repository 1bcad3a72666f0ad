/**
 * Writes snapshots in the test's own process and through its own file system, so that a disk which
 * fails or loses power fails and loses them too. It takes the place of the child process, whose
 * work the server's own writer does, in the same order.
 */
import type { FileSystem } from '../../src/persistence/file-system.ts';
import { SnapshotHelper } from '../../src/persistence/snapshot/snapshot-helper.ts';
import { SnapshotHere } from '../../src/persistence/snapshot/snapshot-here.ts';

export class InProcessSnapshots extends SnapshotHelper {
  readonly #here: SnapshotHere;

  constructor(fs: FileSystem) {
    super('no child is started');
    this.#here = new SnapshotHere(fs);
    this.begin = this.#here.begin.bind(this.#here);
    this.data = this.#here.data.bind(this.#here);
    this.end = this.#here.end.bind(this.#here);
    this.leave = this.#here.leave.bind(this.#here);
  }

  override warm(): void {}

  override close(): void {
    this.leave();
  }

  override resume(): void {}
}
