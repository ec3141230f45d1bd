// Leaving a socket that is closed already. Wraps Connection.prototype.disconnect (kafkajs src/network/connection.js). Why: the
// original ends and unrefs its last socket again at every call. A socket without a handle keeps each unref for the time
// it connects, which never comes: during an outage of a broker the listeners grow with every attempt, and Node warns.

/** The field of kafkajs' Connection that matters here. */
export interface SocketHolder {
  socket?: { readonly destroyed: boolean } | null
}

type Disconnect = (this: SocketHolder) => Promise<unknown>

/** disconnect that lets go of a socket that was destroyed before. */
export function leavingClosedSocket(original: Disconnect): Disconnect {
  return async function disconnect() {
    if (this.socket?.destroyed === true) this.socket = null
    return original.call(this)
  }
}
