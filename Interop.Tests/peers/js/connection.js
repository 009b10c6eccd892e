// One yamux session of js-libp2p on one socket, echoing.
import { startSession } from './libp2p.js'
import { complaintsOf } from './tcp.js'

/** Echoes each stream of one connection. Resolves when the socket is closed, whatever happened; never rejects. */
export function echoConnection (socket, role, keepAlive) {
  const complain = complaintsOf(socket)
  const session = startSession(socket, {
    role,
    keepAlive,
    complain,
    onStream: stream => {
      stream.send(stream.receive()).catch(error => complain('echo of stream %s: %s', stream.id, error.message))
    }
  })
  return session.ended
}
