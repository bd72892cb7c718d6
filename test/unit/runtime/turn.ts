/** Lets everything that is ready run, without moving any clock. */
export async function turn(): Promise<void> { for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve)); }
