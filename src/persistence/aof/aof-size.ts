/**
 * How large the AOF is, and was after its last rewrite: what it has grown by is what a rewrite by
 * itself looks at.
 *
 *   current = size of all loaded files, when they were measured
 *           + bytes written to files since then
 *
 * So the size can be asked at any time, and the disk is asked only when the files change.
 */
import type { AofDisk } from './aof-disk.ts';
import type { AofFolder } from './aof-folder.ts';

export class AofSize {
  readonly #folder: AofFolder;
  readonly #disk: AofDisk;
  /** Size of all loaded files when `disk.encodedBytes` was `#mark`. */
  #atMark: number;
  #mark: number;
  #afterRewrite: number;

  constructor(folder: AofFolder, disk: AofDisk) {
    this.#folder = folder;
    this.#disk = disk;
    this.#atMark = 0;
    this.#mark = 0;
    this.#afterRewrite = 0;
  }

  /** Size of the base and of all increments, in bytes. */
  get currentBytes(): number {
    return this.#atMark + this.#disk.encodedBytes - this.#mark;
  }

  /** `currentBytes` as it was after the last rewrite, or the size of the base that was loaded. */
  get afterRewriteBytes(): number {
    return this.#afterRewrite;
  }

  /** The files were loaded, and the last of them takes turns from now on. */
  async loaded(): Promise<void> {
    await this.#measure();
    const { fs, manifest } = this.#folder;
    const stat = manifest.base && (await fs.stat(this.#folder.pathOf(manifest.base.name)));
    this.#afterRewrite = stat?.size ?? 0;
  }

  /** A rewrite has changed the files. Rejects when one is missing: then it goes on from before. */
  async rewritten(): Promise<void> {
    try {
      await this.#measure();
    } finally {
      this.#afterRewrite = this.currentBytes;
    }
  }

  async #measure(): Promise<void> {
    const mark = this.#disk.encodedBytes;
    const files = await this.#folder.filesToLoad();
    this.#mark = mark;
    this.#atMark = files.reduce((sum, file) => sum + file.size, 0);
  }
}
