/**
 * A shop on a server of its own, in this process, from start to end:
 *
 *     npm run example            or, after `npm run build`: node examples/shop.js
 *
 * Everything it does with the server stands in `shop/`. Ends by itself and leaves nothing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'cairn';
import { Redis } from 'ioredis';
import { Orders } from './shop/orders.js';
import { Shop } from './shop/shop.js';

const day = '2026-11-28';

/** @type {(what: string, value: unknown) => void} */
function tell(what, value) {
  process.stdout.write(`${what.padEnd(34)} ${JSON.stringify(value)}\n`);
}

/** @type {(shop: Shop) => Promise<void>} */
async function customers(shop) {
  const load = async (/** @type {string} */ id) => ({ name: `Product ${id}`, price: 19.9 });
  tell('a product, loaded', await shop.product('lamp', load, 60));
  tell('again, from the cache', await shop.product('lamp', load, 60));
  tell('two lamps in the cart', await shop.addToCart('ada', 'lamp', 2));
  await shop.addToCart('ada', 'desk', 1);
  tell('one lamp less', await shop.addToCart('ada', 'lamp', -1));
  tell('the cart', await shop.cart('ada'));
  for (let i = 1; i <= 12; i++) await shop.view('ada', `product-${i}`);
  tell('looked at', await shop.recentlyViewed('ada'));
}

/** @type {(shop: Shop) => Promise<void>} */
async function figures(shop) {
  await Promise.all(['lamp', 'desk', 'lamp', 'chair'].map((id, i) => shop.sell(day, id, i + 1)));
  tell('sold best', await shop.topSellers(day, 2));
  await shop.visit(day, ...Array.from({ length: 5000 }, (_, i) => `user-${i % 4000}`));
  tell('different users, of 4000', await shop.activeUsers(day));
}

/** @type {(shop: Shop) => Promise<void>} */
async function limits(shop) {
  const rate = { limit: 3, seconds: 60, windowMs: 60_000, nowMs: Date.now() };
  const tries = [1, 2, 3, 4, 5];
  tell('five requests, three a minute', [
    ...(await Promise.all(tries.map(() => shop.mayRequest('bob', rate)))),
  ]);
  tell('the same in a sliding window', [
    ...(await Promise.all(tries.map((i) => shop.mayRequestNow('bob', `request-${i}`, rate)))),
  ]);
}

/** @type {(shop: Shop) => Promise<void>} */
async function prices(shop) {
  /** @type {(value: unknown) => void} */
  let heard = () => {};
  const change = new Promise((resolve) => {
    heard = resolve;
  });
  const subscriber = await shop.onPrice((price) => heard(price));
  tell('listeners told of a price', await shop.announcePrice('lamp', 17.5));
  tell('what they heard', await change);
  subscriber.disconnect();
}

/** @type {(orders: Orders) => Promise<void>} */
async function logistics(orders) {
  await orders.createGroup('billing');
  await orders.createGroup('shipping');
  for (let count = 1; count <= 5; count++) {
    await orders.place({ user: 'ada', product: 'lamp', count });
  }
  const shipped = await orders.take('shipping', 'shipping-1', 10);
  tell('orders shipped', await orders.done('shipping', shipped));
  const given = await orders.take('billing', 'billing-1', 3);
  await orders.done('billing', given.slice(0, 1));
  tell('billing-1 dies; pending', await orders.pending('billing'));
  const claimed = await orders.reclaim('billing', 'billing-2', 0);
  const rest = await orders.take('billing', 'billing-2', 10);
  tell('billing-2 handles', await orders.done('billing', [...claimed, ...rest]));
  tell('pending at the end', await orders.pending('billing'));
}

const dir = mkdtempSync(join(tmpdir(), 'cairn-shop-'));
const server = createServer({ settings: { port: 0, dir, appendonly: true } });
await server.listen();
const redis = new Redis(server.port, '127.0.0.1');
try {
  const shop = new Shop(redis);
  await customers(shop);
  await figures(shop);
  await limits(shop);
  await prices(shop);
  await logistics(new Orders(redis));
} finally {
  redis.disconnect();
  await server.close(['nosave']);
  rmSync(dir, { recursive: true, force: true });
}
