import type { Store } from 'rootcellar';

/** Counts a visit and resolves to how many there have been, also when many tabs count at once. */
export function countVisit(cellar: Store, page: string): Promise<number> {
  return cellar.merge(`visits:${page}`, 1, 'counter');
}

/** An order and what it counts for, together or not at all. */
export async function placeOrder(cellar: Store, id: string, order: { total: number }): Promise<void> {
  await cellar.batch([
    { type: 'set', key: `order:${id}`, value: order, ifAbsent: true },
    { type: 'merge', key: 'orders', operand: 1, operator: 'counter' },
    { type: 'merge', key: 'largest order', operand: order.total, operator: 'max' },
    { type: 'delete', key: 'cart' },
  ]);
}
