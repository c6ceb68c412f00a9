/**
 * Finished trials wait here, on the participant's disk, until the server has them on its own.
 * A trial is also noted before it begins, so that after a crash it is known as seen and never shown again.
 */

/** @typedef {{trial: number, body: object}} Finished */

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {IDBTransaction} transaction */
const committed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(undefined);
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });

/** Another tab has taken over. */
export class Elsewhere extends Error {}

export class Outbox {
  /** @param {IDBDatabase} database */
  constructor(database) {
    this.database = database;
    this.owner = 0;
  }

  /** @param {string} session names the database; one per session */
  static async open(session) {
    const request = indexedDB.open(`rapidvision-${session}`, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("finished", { keyPath: "trial" });
      request.result.createObjectStore("begun", { keyPath: "trial" });
      request.result.createObjectStore("owner");
    };
    return new Outbox(await done(request));
  }

  /** Become the tab that may begin trials; older ones find out at their next step. */
  async claim() {
    const transaction = this.#write(["owner"]);
    const store = transaction.objectStore("owner");
    this.owner = ((await done(store.get("tab"))) ?? 0) + 1;
    store.put(this.owner, "tab");
    await committed(transaction);
  }

  /** @param {number} trial about to begin; refused when another tab has taken over or the trial was begun before */
  async begin(trial) {
    const transaction = this.#write(["owner", "begun"]);
    const finished = committed(transaction);
    finished.catch(() => {});
    if ((await done(transaction.objectStore("owner").get("tab"))) !== this.owner) {
      transaction.abort();
      throw new Elsewhere();
    }
    transaction.objectStore("begun").add({ trial });
    await finished;
  }

  /**
   * Keep a trial; the first content stays.
   * @param {number} trial
   * @param {object} body
   */
  async add(trial, body) {
    const transaction = this.#write(["finished"]);
    const store = transaction.objectStore("finished");
    if ((await done(store.get(trial))) === undefined) store.add({ trial, body });
    await committed(transaction);
  }

  /** @param {number} trial that the server has stored */
  async remove(trial) {
    const transaction = this.#write(["finished"]);
    transaction.objectStore("finished").delete(trial);
    await committed(transaction);
  }

  /** @returns {Promise<Finished[]>} in order */
  waiting() {
    return done(this.database.transaction("finished").objectStore("finished").getAll());
  }

  /** @returns {Promise<number[]>} every trial that was begun in this browser */
  async begun() {
    return /** @type {number[]} */ (await done(this.database.transaction("begun").objectStore("begun").getAllKeys()));
  }

  /** @param {string[]} stores */
  #write(stores) {
    return this.database.transaction(stores, "readwrite", { durability: "strict" });
  }
}

/**
 * A secret that stays in this browser and lets a session go on in it.
 * @param {string} study path of the study, so that studies on one server do not share it
 */
export function resumeKey(study) {
  const name = `rapidvision:${study}`;
  const found = localStorage.getItem(name);
  if (found) return found;
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  localStorage.setItem(name, made);
  return made;
}
