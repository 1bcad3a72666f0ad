/**
 * How many entries a Set or Map may be given. V8 has none of more than 2^24, and ends with an error
 * at the next; where there would be more, there is a way that needs none, or the oldest go, or the
 * command that would add them is refused.
 */
export const entriesLimit = { max: 2 ** 23 };
