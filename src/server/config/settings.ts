/** What users of the library say to a server; kept apart, so that its types need nothing else. */

/** Values as a program gives them: `{ port: 0, appendonly: true, save: '900 1' }`. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** How to end, as SHUTDOWN takes it. */
export type ShutdownFlag = 'save' | 'nosave' | 'now' | 'force';
