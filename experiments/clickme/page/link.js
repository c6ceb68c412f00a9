// The line to the server: a socket, or POST where something between here and the server blocks sockets. It opens again
// when it breaks, waits longer each time, and says when another window took over.

import { Post } from "./post.js";

const UNKNOWN_PLAYER = 4401;
/** A socket that opens and stays mute for so long after the first question is blocked, too. */
const MUTE_MS = 5000;

export class Link {
  /**
   * @param {URL} root
   * @param {{message: (message: any) => void, open: () => void, lost: () => void, unknown: () => void}} on
   */
  constructor(root, on) {
    this.root = root;
    this.on = on;
    this.tries = 0;
    this.over = false;
    /** @type {WebSocket | Post | null} */
    this.line = null;
    this.connect();
  }

  /** @returns {string} how this page reaches the server: "socket", "post", or "" while it does not */
  get way() {
    return this.line === null ? "" : this.line instanceof Post ? "post" : "socket";
  }

  connect() {
    const address = new URL("api/play", this.root);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address.href);
    let heard = false;
    let mute = 0;
    socket.onopen = () => {
      this.line = socket;
      mute = setTimeout(() => socket.close(), MUTE_MS);
      this.opened();
    };
    socket.onmessage = (event) => {
      heard = true;
      clearTimeout(mute);
      this.receive(JSON.parse(event.data));
    };
    socket.onclose = (event) => {
      clearTimeout(mute);
      this.line = null;
      if (event.code === UNKNOWN_PLAYER) this.unknown();
      else if (heard) this.again();
      else this.byPost();
    };
  }

  /** The socket never spoke: when the server answers all the same, sockets are blocked here. */
  async byPost() {
    if (this.over) return;
    const post = await Post.open(this.root, {
      message: (message) => this.receive(message),
      closed: () => {
        this.line = null;
        this.again();
      },
    });
    if (post === "unknown") {
      this.unknown();
    } else if (post === null) {
      this.again();
    } else {
      this.line = post;
      this.opened();
      post.listen();
    }
  }

  opened() {
    this.tries = 0;
    this.on.open();
  }

  receive(message) {
    if (message.type === "moved") this.over = true;
    if (this.over && this.line instanceof Post) this.line.over = true;
    this.on.message(message);
  }

  unknown() {
    this.over = true;
    this.on.unknown();
  }

  again() {
    if (this.over) return;
    this.on.lost();
    const wait = Math.min(5000, 150 * 2 ** this.tries) * (0.7 + 0.6 * Math.random());
    this.tries += 1;
    setTimeout(() => this.connect(), wait);
  }

  /** @param {object} message @returns {boolean} whether it goes out */
  send(message) {
    if (this.line instanceof Post) return this.line.send(message);
    if (!this.line || this.line.readyState !== WebSocket.OPEN) return false;
    this.line.send(JSON.stringify(message));
    return true;
  }
}
