/**
 * Sections of INFO that other rooms know best: persistence and replication tell their lines here,
 * and whoever keeps figures for a section adds its own.
 */

/** Names and values of a section, in the order in which they are shown. */
export type InfoLines = readonly (readonly [name: string, value: string | number])[];

export class InfoSources {
  private readonly sources = new Map<string, (() => InfoLines)[]>();

  /** The lines of `section`, behind those of earlier sources. */
  provide(section: string, lines: () => InfoLines): void {
    const known = this.sources.get(section);
    if (known === undefined) this.sources.set(section, [lines]);
    else known.push(lines);
  }

  /** What was provided for a section; empty when nobody knows about it. */
  linesOf(section: string): InfoLines {
    return (this.sources.get(section) ?? []).flatMap((lines) => lines());
  }
}
