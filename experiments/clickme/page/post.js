// The same messages as over a socket, by POST: `say` sends what is waiting, in order; `hear` waits for the server's word.
// Whatever is sent twice because an answer was lost is harmless to the server.

import { ask } from "./ask.js";

const MOST_AT_ONCE = 32;
const PAUSE_MS = 400;
const MOST_FAILURES = 5;

const pause = () => new Promise((done) => setTimeout(done, PAUSE_MS));

export class Post {
  /**
   * @param {URL} address
   * @param {{message: (message: any) => void, closed: () => void}} on
   */
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.over = false;
    /** @type {object[]} */
    this.waiting = [];
    this.saying = false;
  }

  /** @returns {Promise<Post | "unknown" | null>} null where the server does not answer */
  static async open(root, on) {
    const answer = await ask(new URL("api/links", root), {});
    if (answer?.status === 401) return "unknown";
    if (answer?.status !== 201) return null;
    return new Post(new URL(`api/links/${answer.value.link}/`, root), on);
  }

  send(message) {
    if (this.over) return false;
    this.waiting.push(message);
    this.say();
    return true;
  }

  async say() {
    if (this.saying) return;
    this.saying = true;
    let failures = 0;
    while (this.waiting.length && !this.over) {
      const part = this.waiting.slice(0, MOST_AT_ONCE);
      const answer = await ask(new URL("say", this.address), { messages: part });
      if (answer?.status === 200) {
        this.waiting.splice(0, part.length);
        failures = 0;
      } else if ((answer !== null && ![429, 503].includes(answer.status)) || ++failures > MOST_FAILURES) {
        this.close();
      } else {
        await pause();
      }
    }
    this.saying = false;
  }

  async listen() {
    let after = 0;
    let failures = 0;
    while (!this.over) {
      const answer = await ask(new URL("hear", this.address), { after });
      if (answer?.status === 200) {
        after = answer.value.last;
        failures = 0;
        for (const message of answer.value.messages) if (!this.over) this.on.message(message);
      } else if ((answer !== null && answer.status !== 429) || ++failures > MOST_FAILURES) {
        this.close();
      } else {
        await pause();
      }
    }
  }

  close() {
    if (this.over) return;
    this.over = true;
    this.on.closed();
  }
}
