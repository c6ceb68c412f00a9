/** Answers that an earlier session of this browser could not send: a later page sends them. */

import { Outbox } from "./outbox.js";

/**
 * Send what other sessions left behind. What is refused or fails stays where it is, for the next page.
 * @param {string} own the session that sends for itself
 * @param {(token: string, trial: number, body: object) => Promise<any>} put
 */
export async function sendLeftovers(own, put) {
  for (const { name } of (await indexedDB.databases?.()) ?? []) {
    const session = name?.startsWith("rapidvision-") ? name.slice("rapidvision-".length) : "";
    if (!session || session === own || session === "probe") continue;
    const outbox = await Outbox.open(session);
    const token = await outbox.token();
    for (const { trial, body } of token ? await outbox.waiting() : []) {
      await put(token, trial, body);
      await outbox.remove(trial);
    }
    outbox.database.close();
  }
}
