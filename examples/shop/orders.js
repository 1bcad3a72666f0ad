/**
 * Orders as a stream that several groups read, each at its own pace, each order handled by one
 * consumer of a group: a small Kafka. What a consumer was given and has not acknowledged stays
 * pending; when it dies, another one claims it.
 *
 *     XADD orders        ->  group billing   ->  consumers billing-1, billing-2
 *                        ->  group shipping  ->  consumer shipping-1
 */

/**
 * @typedef {import('ioredis').Redis} Redis
 * @typedef {{ user: string, product: string, count: number }} Order
 * @typedef {{ id: string, order: Order }} Message
 * @typedef {[id: string, fields: string[]]} Entry
 */

const stream = 'orders';
/** Older orders go when there are about so many. */
const ordersMax = 100_000;

/** @type {(entry: Entry) => Message} */
function messageOf([id, fields]) {
  /** @type {(name: string) => string} */
  const field = (name) => fields[fields.indexOf(name) + 1] ?? '';
  const count = Number(field('count'));
  return { id, order: { user: field('user'), product: field('product'), count } };
}

export class Orders {
  /** @param {Redis} redis */
  constructor(redis) {
    this.redis = redis;
  }

  /**
   * Adds an order; gives its id.
   * @param {Order} order
   */
  async place({ user, product, count }) {
    const fields = ['user', user, 'product', product, 'count', count];
    return await this.redis.xadd(stream, 'MAXLEN', '~', ordersMax, '*', ...fields);
  }

  /**
   * Makes a group that reads all orders from the first one on.
   * @param {string} group
   */
  async createGroup(group) {
    await this.redis.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
  }

  /**
   * The next orders of a group, for one consumer.
   * @param {string} group
   * @param {string} consumer
   * @param {number} count
   * @returns {Promise<Message[]>}
   */
  async take(group, consumer, count) {
    const from = /** @type {const} */ (['STREAMS', stream, '>']);
    const reply = await this.redis.xreadgroup('GROUP', group, consumer, 'COUNT', count, ...from);
    const [[, entries] = ['', []]] = /** @type {[string, Entry[]][]} */ (reply ?? []);
    return entries.map(messageOf);
  }

  /**
   * Orders are handled; gives how many were pending.
   * @param {string} group
   * @param {Message[]} messages
   */
  done(group, messages) {
    return this.redis.xack(stream, group, ...messages.map(({ id }) => id));
  }

  /**
   * Takes over what others were given at least `idleMs` ago and have not handled.
   * @param {string} group
   * @param {string} consumer
   * @param {number} idleMs
   * @returns {Promise<Message[]>}
   */
  async reclaim(group, consumer, idleMs) {
    const reply = await this.redis.xautoclaim(stream, group, consumer, idleMs, '0', 'COUNT', 100);
    const [, entries] = /** @type {[string, Entry[], string[]]} */ (reply);
    return entries.map(messageOf);
  }

  /**
   * How many orders a group was given and has not handled.
   * @param {string} group
   */
  async pending(group) {
    const [count] = await this.redis.xpending(stream, group);
    return Number(count);
  }
}
