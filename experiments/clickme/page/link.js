// The socket: opens again when it breaks, waits longer each time, and says when somebody else took over.

const UNKNOWN_PLAYER = 4401;

export class Link {
  /**
   * @param {string} address
   * @param {{message: (message: any) => void, open: () => void, lost: () => void, unknown: () => void}} on
   */
  constructor(address, on) {
    this.address = address;
    this.on = on;
    this.tries = 0;
    this.over = false;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.connect();
  }

  connect() {
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.onopen = () => {
      this.tries = 0;
      this.on.open();
    };
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "moved") this.over = true;
      this.on.message(message);
    };
    socket.onclose = (event) => {
      this.socket = null;
      if (event.code === UNKNOWN_PLAYER) {
        this.over = true;
        this.on.unknown();
      }
      if (this.over) return;
      this.on.lost();
      const wait = Math.min(5000, 150 * 2 ** this.tries) * (0.7 + 0.6 * Math.random());
      this.tries += 1;
      setTimeout(() => this.connect(), wait);
    };
  }

  /** @param {object} message @returns {boolean} whether it went out */
  send(message) {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }
}
