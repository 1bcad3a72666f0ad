/**
 * What an online shop keeps in a server such as Cairn, each part in a few commands:
 *
 *     product:ID          string   a product as JSON, for a while (SETEX)
 *     cart:USER           hash     how many of each product (HINCRBY, HGETALL)
 *     viewed:USER         list     the last products looked at (LPUSH, LTRIM)
 *     sold:DAY            zset     products by number sold (ZINCRBY, ZRANGE REV)
 *     active:DAY          string   who was there, counted to about 0.81 % (PFADD, PFCOUNT)
 *     rate:CLIENT:SECOND  string   requests in this span of time (INCR, EXPIRE)
 *     window:CLIENT       zset     requests of the last so many milliseconds, by time
 *     prices              channel  prices that changed (PUBLISH)
 *     orders              stream   every order, read by groups of consumers (orders.js)
 */

/**
 * @typedef {import('ioredis').Redis} Redis
 * @typedef {{ name: string, price: number }} Product
 * @typedef {{ product: string, sold: number }} Sales
 */

const viewedMax = 10;

/**
 * Results of a transaction; what failed in it is an error here.
 * @type {(results: [Error | null, unknown][] | null) => unknown[]}
 */
function resultsOf(results) {
  return (results ?? []).map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
}

export class Shop {
  /** @param {Redis} redis */
  constructor(redis) {
    this.redis = redis;
  }

  /**
   * A product from the cache; what is not there is loaded and stays for `seconds`.
   * @param {string} id
   * @param {(id: string) => Promise<Product>} load
   * @param {number} seconds
   * @returns {Promise<Product>}
   */
  async product(id, load, seconds) {
    const cached = await this.redis.get(`product:${id}`);
    if (cached !== null) return JSON.parse(cached);
    const product = await load(id);
    await this.redis.setex(`product:${id}`, seconds, JSON.stringify(product));
    return product;
  }

  /**
   * Puts so many of a product into a cart, or takes them out; gives how many are in it now.
   * @param {string} user
   * @param {string} product
   * @param {number} count
   */
  async addToCart(user, product, count) {
    const now = await this.redis.hincrby(`cart:${user}`, product, count);
    if (now <= 0) await this.redis.hdel(`cart:${user}`, product);
    return Math.max(0, now);
  }

  /**
   * How many of each product are in a cart.
   * @param {string} user
   * @returns {Promise<Record<string, number>>}
   */
  async cart(user) {
    const fields = await this.redis.hgetall(`cart:${user}`);
    return Object.fromEntries(Object.entries(fields).map(([id, count]) => [id, Number(count)]));
  }

  /**
   * Notes that a user looked at a product.
   * @param {string} user
   * @param {string} product
   */
  async view(user, product) {
    const key = `viewed:${user}`;
    const both = this.redis
      .multi()
      .lpush(key, product)
      .ltrim(key, 0, viewedMax - 1);
    resultsOf(await both.exec());
  }

  /**
   * The last products that a user looked at, the last one first.
   * @param {string} user
   */
  recentlyViewed(user) {
    return this.redis.lrange(`viewed:${user}`, 0, -1);
  }

  /**
   * Counts a sale.
   * @param {string} day
   * @param {string} product
   * @param {number} count
   */
  async sell(day, product, count) {
    await this.redis.zincrby(`sold:${day}`, count, product);
  }

  /**
   * What sold best on a day.
   * @param {string} day
   * @param {number} count
   * @returns {Promise<Sales[]>}
   */
  async topSellers(day, count) {
    const flat = await this.redis.zrange(`sold:${day}`, 0, count - 1, 'REV', 'WITHSCORES');
    const pairs = flat.filter((_, i) => i % 2 === 0);
    return pairs.map((product, i) => ({ product, sold: Number(flat[2 * i + 1]) }));
  }

  /**
   * Notes that users were there.
   * @param {string} day
   * @param {string[]} users
   */
  async visit(day, ...users) {
    await this.redis.pfadd(`active:${day}`, ...users);
  }

  /**
   * About how many different users were there on any of these days.
   * @param {string[]} days
   */
  activeUsers(...days) {
    return this.redis.pfcount(...days.map((day) => `active:${day}`));
  }

  /**
   * Whether a client may do one more request in this span of `seconds`.
   * @param {string} client
   * @param {{ limit: number, seconds: number, nowMs: number }} rate
   */
  async mayRequest(client, { limit, seconds, nowMs }) {
    const key = `rate:${client}:${Math.floor(nowMs / 1000 / seconds)}`;
    const [count] = resultsOf(await this.redis.multi().incr(key).expire(key, seconds).exec());
    return Number(count) <= limit;
  }

  /**
   * Whether a client may do one more request, with at most `limit` in any `windowMs`. `request`
   * names it; a request that is refused does not count.
   * @param {string} client
   * @param {string} request
   * @param {{ limit: number, windowMs: number, nowMs: number }} rate
   */
  async mayRequestNow(client, request, { limit, windowMs, nowMs }) {
    const key = `window:${client}`;
    const counted = this.redis
      .multi()
      .zremrangebyscore(key, '-inf', nowMs - windowMs)
      .zadd(key, nowMs, request)
      .zcard(key)
      .pexpire(key, windowMs);
    const [, , count] = resultsOf(await counted.exec());
    if (Number(count) <= limit) return true;
    await this.redis.zrem(key, request);
    return false;
  }

  /**
   * Tells all who listen; gives how many do.
   * @param {string} product
   * @param {number} price
   */
  announcePrice(product, price) {
    return this.redis.publish('prices', JSON.stringify({ product, price }));
  }

  /**
   * Listens to prices on a connection of its own, which is given and to be closed at the end.
   * @param {(change: { product: string, price: number }) => void} listener
   */
  async onPrice(listener) {
    const subscriber = this.redis.duplicate();
    subscriber.on('message', (_, text) => listener(JSON.parse(text)));
    await subscriber.subscribe('prices');
    return subscriber;
  }
}
