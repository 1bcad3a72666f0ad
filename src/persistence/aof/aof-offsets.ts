/**
 * How far the AOF got, in bytes of commands over the life of the server, whatever file they went
 * to.
 *
 *   0 ......... synced ......... written ......... appended
 *               survives         survives          executed
 *               power loss       kill -9
 *
 *   invariant: synced <= written <= appended, and no figure goes back
 *
 * A gap opens when an fsync fails: bytes up to `written` may be missing on disk, and whatever is
 * written after them cannot be replayed without them. From then on the public figures stand still,
 * although work goes on below, until a new base holds everything up to a point behind the gap.
 */
export class AofOffsets {
  appended: number;
  #written: number;
  #synced: number;
  #frozen: { readonly written: number; readonly synced: number } | undefined;
  /** Everything before this offset will be in the base that is being made; -1: none is. */
  #coverOffset: number;

  constructor() {
    this.appended = 0;
    this.#written = 0;
    this.#synced = 0;
    this.#frozen = undefined;
    this.#coverOffset = -1;
  }

  get written(): number {
    return this.#frozen === undefined ? this.#written : this.#frozen.written;
  }

  get synced(): number {
    return this.#frozen === undefined ? this.#synced : this.#frozen.synced;
  }

  get hasGap(): boolean {
    return this.#frozen !== undefined;
  }

  /** Whether an fsync would make more bytes safe. */
  get isSyncUseful(): boolean {
    return this.#synced < this.#written;
  }

  get isAllSynced(): boolean {
    return this.#synced === this.appended;
  }

  /** The offset that an fsync beginning now will have made safe. */
  get syncTarget(): number {
    return this.#written;
  }

  wroteUpTo(offset: number): void {
    if (offset > this.#written) this.#written = offset;
    this.assertOrder();
  }

  syncedUpTo(offset: number): void {
    if (offset > this.#synced) this.#synced = offset;
    this.assertOrder();
  }

  /** Where nothing is promised (no file) everything counts as done. */
  skipAll(): void {
    this.#written = this.appended;
    this.#synced = this.appended;
    this.#frozen = undefined;
    this.#coverOffset = -1;
  }

  /** An fsync failed. `isCovered`: of bytes that the base being made will hold. */
  openGap(isCovered: boolean): void {
    this.#frozen ??= { written: this.#written, synced: this.#synced };
    if (!isCovered) this.#coverOffset = -1;
  }

  /** Notes that a base is being made of everything appended so far. */
  beginCover(): void {
    this.#coverOffset = this.appended;
  }

  get isCoverBegun(): boolean {
    return this.#coverOffset >= 0;
  }

  /** Gives up the base that is being made. */
  abortCover(): void {
    this.#coverOffset = -1;
  }

  /** Notes that the base is durable, and stands for everything written before it. */
  finishCover(): void {
    const cover = this.#coverOffset;
    if (cover < 0) return;
    this.#coverOffset = -1;
    this.#frozen = undefined;
    this.#written = Math.max(this.#written, cover);
    this.#synced = Math.max(this.#synced, cover);
    this.assertOrder();
  }

  assertOrder(): void {
    if (this.#synced > this.#written || this.#written > this.appended) {
      throw new Error(
        `AOF offsets out of order: ${this.#synced} <= ${this.#written} <= ${this.appended}`,
      );
    }
  }
}
