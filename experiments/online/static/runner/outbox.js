/**
 * Finished trials wait here, on the participant's disk, until the server has them on its own.
 * A trial is also noted before it begins, so that after a crash it is known as seen and never shown again.
 */

/** @typedef {{trial: number, body: object, refused?: {code: string, text: string}}} Finished */

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
    /** What the disk did not take (it is full): kept as long as the page is there. @type {Map<number, Finished>} */
    this.memory = new Map();
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

  /**
   * Become the tab that may begin trials; older ones find out at their next step. What was refused is tried once more.
   * @param {string} [token] with which a later page can send what waits here
   */
  async claim(token = "") {
    for (const { trial, body, refused } of await this.waiting()) if (refused) await this.#put({ trial, body });
    const transaction = this.#write(["owner"]);
    const store = transaction.objectStore("owner");
    this.owner = ((await done(store.get("tab"))) ?? 0) + 1;
    store.put(this.owner, "tab");
    if (token) store.put(token, "token");
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
    try {
      await this.#first(trial, body);
    } catch (error) {
      console.error(error);
      if (!this.memory.has(trial)) this.memory.set(trial, { trial, body });
    }
  }

  /** @param {number} trial @param {object} body */
  async #first(trial, body) {
    const transaction = this.#write(["finished"]);
    const store = transaction.objectStore("finished");
    if ((await done(store.get(trial))) === undefined) store.add({ trial, body });
    await committed(transaction);
  }

  /** @param {number} trial that the server has stored */
  async remove(trial) {
    this.memory.delete(trial);
    const transaction = this.#write(["finished"]);
    transaction.objectStore("finished").delete(trial);
    await committed(transaction);
  }

  /**
   * Set a trial aside that the server refused: it is not sent again by this page, and it is not lost.
   * @param {number} trial @param {{code: string, text: string}} refused
   */
  async setAside(trial, refused) {
    const found = (await this.waiting()).find((each) => each.trial === trial);
    if (found) await this.#put({ ...found, refused });
  }

  /** @returns {Promise<Finished[]>} in order, what was refused too */
  async waiting() {
    const kept = await done(this.database.transaction("finished").objectStore("finished").getAll());
    const all = new Map([...kept.map((/** @type {Finished} */ each) => /** @type {const} */ ([each.trial, each])), ...this.memory]);
    return [...all.values()].sort((a, b) => a.trial - b.trial);
  }

  /** @returns {Promise<string>} the token of the last page, or nothing */
  async token() {
    return (await done(this.database.transaction("owner").objectStore("owner").get("token"))) ?? "";
  }

  /** @param {Finished} entry */
  async #put(entry) {
    if (this.memory.has(entry.trial)) return void this.memory.set(entry.trial, entry);
    const transaction = this.#write(["finished"]);
    transaction.objectStore("finished").put(entry);
    await committed(transaction);
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

