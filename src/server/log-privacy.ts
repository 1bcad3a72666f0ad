/**
 * What of the users' own words the log shows. Keys and the names of clients and users tell of the
 * people that they stand for, and logs go further than data: `hide-user-data-from-log` keeps them
 * out. Commands that somebody gave the server itself, as CONFIG SET or REPLICAOF, are no such.
 */

/** Stands where something is not shown; Valkey's word. */
export const HIDDEN = '*redacted*';

/** The configuration, as far as it is asked. */
export interface LogPrivacy {
  readonly values: { readonly hideUserDataFromLog: boolean };
}

/** A key, or any text of a user's, as the log may show it. */
export function userText({ values }: LogPrivacy, text: string): string {
  return values.hideUserDataFromLog ? HIDDEN : text;
}

/** An error reply as the log may show it: behind its first word it may quote arguments. */
export function errorInLog({ values }: LogPrivacy, error: string): string {
  return values.hideUserDataFromLog ? error.replace(/ .*/s, ` ${HIDDEN}`) : error;
}
