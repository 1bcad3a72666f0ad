/**
 * How many refs of elements a command remembers in a Set. V8 has none of more than 2^24, and ends
 * with an error at the next; where there would be more, commands take a way that needs no Set.
 */
export const refSets = { refsMax: 2 ** 23 };
