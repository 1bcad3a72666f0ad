/**
 * The servers and clients of a test, on disks that it holds still or breaks: it makes as many as it
 * wants, waits for what it wants to see of them, and all are gone at its end.
 *
 *     const scene = new InProcessScene();
 *     afterEach(() => scene.end());
 */
import type { FaultyFileSystem } from './faulty-file-system.ts';
import { InProcessServer } from './in-process-server.ts';
import type { RawClient } from './raw-client.ts';
import { ReplyError } from './resp-reader.ts';

export type SceneSettings = Readonly<Record<string, string | number | boolean>>;

const LOOK_EVERY_MS = 5;
const LOOKS_MAX = 12_000;

export class InProcessScene {
  readonly #servers: InProcessServer[] = [];
  readonly #clients: RawClient[] = [];
  readonly #settings: SceneSettings;

  /** What all servers of the scene are set to, unless they are told otherwise. */
  constructor(settings: SceneSettings = {}) {
    this.#settings = settings;
  }

  async start(disk: FaultyFileSystem, settings: SceneSettings = {}): Promise<InProcessServer> {
    const server = await InProcessServer.start(disk, { ...this.#settings, ...settings });
    this.#servers.push(server);
    return server;
  }

  async connect(server: InProcessServer): Promise<RawClient> {
    const client = await server.connect();
    this.#clients.push(client);
    return client;
  }

  /** Ends all, the last that was started first. */
  async end(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    for (const { fs } of this.#servers) fs.releaseSyncs();
    for (const server of this.#servers.splice(0).reverse()) await server.abandon();
  }
}

/** The plain value of a reply, an error as its text. */
export async function ask(client: RawClient, ...words: (string | number)[]): Promise<unknown> {
  const value = await client.value(...words);
  return value instanceof ReplyError ? value.error : value;
}

/** Waits until it holds; throws, naming `what`, when that never comes. */
export async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let i = 0; i < LOOKS_MAX; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`never: ${what}`);
}
