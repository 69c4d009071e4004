import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The connections on which nothing has arrived yet. Clients open some in advance; Node.js counts them as busy until the time
 * for headers is over, so that closing idle ones does not reach them.
 */
export class SilentConnections {
  readonly #silent = new Set<Socket>()

  constructor(server: Server) {
    // Of TLS the decrypted stream counts: a handshake is no request.
    for (const event of ['connection', 'secureConnection'] as const)
      server.on(event, (socket: Socket) => {
        this.#silent.add(socket)
        socket.once('close', () => this.#silent.delete(socket))
      })
  }

  close(): void {
    for (const socket of this.#silent) {
      this.#silent.delete(socket)
      if (socket.bytesRead === 0) socket.destroy()
    }
  }
}
