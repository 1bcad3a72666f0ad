/**
 * The biggest of all that is offered, greatest first, and of equals those that came first.
 *
 *     found   [ kept, in order | came since ]     at most twice as many as are wanted
 *
 * When it is full it is sorted and its lesser half goes; what is no bigger than the least that was
 * kept is not let in any more. So an offer takes about the same however many are wanted: kept in
 * order all the time, a hundred thousand of 400,000 took minutes.
 */
export class Biggest<Found> {
  readonly #found: { readonly size: number; readonly one: Found }[] = [];
  readonly #wanted: number;
  #least = Number.NEGATIVE_INFINITY;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** `make` is called for what may be among them only. */
  offer(size: number, make: () => Found): void {
    if (this.#wanted === 0 || size <= this.#least) return;
    this.#found.push({ size, one: make() });
    if (this.#found.length === 2 * this.#wanted) this.#sort();
  }

  all(): Found[] {
    this.#sort();
    return this.#found.map(({ one }) => one);
  }

  #sort(): void {
    const found = this.#found;
    found.sort((a, b) => b.size - a.size);
    if (found.length < this.#wanted) return;
    found.length = this.#wanted;
    this.#least = found.at(-1)?.size ?? this.#least;
  }
}
