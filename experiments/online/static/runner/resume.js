/** The secret by which a browser finds its session again, and whether somebody used this browser before. */

/** @param {string} study path of the study, so that studies on one server do not share it @param {boolean} simulated */
const nameOf = (study, simulated) => `rapidvision:${study}${simulated ? ":simulated" : ""}`;

export class ResumeKey {
  /** @param {string} study @param {boolean} simulated the simulation has a secret of its own: it takes no person's session */
  constructor(study, simulated) {
    this.name = nameOf(study, simulated);
  }

  /** Whether a session was begun in this browser, and not by this very tab. */
  former() {
    return localStorage.getItem(this.name) !== null && sessionStorage.getItem(this.name) === null;
  }

  /** The secret; made anew for somebody else. */
  get() {
    const found = localStorage.getItem(this.name);
    if (found) return found;
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    const made = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    localStorage.setItem(this.name, made);
    return made;
  }

  /** This tab is the person's: it need not ask who is there when it is loaded again. */
  here() {
    sessionStorage.setItem(this.name, "here");
  }

  /** The session is over: who loads the page now may be somebody else. */
  leave() {
    sessionStorage.removeItem(this.name);
  }

  /** Somebody else is here. What the former person's session still has to send stays on the disk. */
  forget() {
    localStorage.removeItem(this.name);
  }
}

/** Whether the browser lets pages keep anything; some throw, some refuse quietly. @returns {Promise<boolean>} */
export async function storageWorks() {
  const name = "rapidvision-probe";
  try {
    for (const storage of [localStorage, sessionStorage]) {
      storage.setItem(name, "1");
      storage.removeItem(name);
    }
    await new Promise((resolve, reject) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => {
        request.result.close();
        resolve(indexedDB.deleteDatabase(name));
      };
      request.onerror = () => reject(request.error);
    });
    return true;
  } catch {
    return false;
  }
}
