// One yamux session of js-libp2p on one socket, echoing, for a target that outlives whatever a connection does to it.
import { once } from 'node:events'
import { createMuxer } from './libp2p.js'
import { complaintsOf } from './tcp.js'

// How long the far end may take to read the muxer's last words and to close. A socket that is destroyed while it still
// receives, as libp2p's transport destroys its own, would destroy what was sent and has not arrived.
const lingerLimit = 2_000

/** Echoes each stream of one connection. Resolves when the socket is closed, whatever happened; never rejects. */
export function echoConnection (socket, role, keepAlive) {
  const complain = complaintsOf(socket)
  const muxer = createMuxer({
    role,
    keepAlive,
    complain,
    onStream: stream => {
      stream.send(stream.receive()).catch(error => complain('echo of stream %s: %s', stream.id, error.message))
    }
  })
  return run(muxer, socket, complain)
}

async function run (muxer, socket, complain) {
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.on('error', error => complain('socket: %s', error.message))
  let linger
  const startLinger = () => { linger ??= setTimeout(() => socket.destroy(), lingerLimit) }

  // The muxer's sink reports failures through its logger; what it throws is a failure of its own. After one it leaves
  // its source unfinished, and the socket would wait for its next reader rather than notice that the far end closes.
  const incoming = socket.iterator({ destroyOnReturn: false })
  muxer.sink(chunks(incoming))
    .catch(error => complain('receive: %s', error))
    .then(() => incoming.return())
    .catch(error => complain('receive: %s', error))
    .then(() => {
      startLinger()
      socket.resume()
    })

  try {
    await send(muxer.source, socket)
  } catch (error) {
    complain('send: %s', error)
    muxer.abort(error)
    socket.destroy()
  }

  socket.end()
  startLinger()
  await closed
  clearTimeout(linger)
}

/** The muxer takes the return method from the iterator that it gets, hence this one. */
async function * chunks (incoming) {
  yield * incoming
}

/** Writes what the muxer has to say, and takes no more from it than the socket does. */
async function send (source, socket) {
  const closed = new AbortController()
  socket.once('close', () => closed.abort())
  for await (const chunk of source) {
    if (socket.destroyed) {
      return
    }
    if (!socket.write(chunk instanceof Uint8Array ? chunk : chunk.subarray())) {
      try {
        await once(socket, 'drain', { signal: closed.signal })
      } catch (error) {
        if (!socket.destroyed) {
          throw error
        }
        return
      }
    }
  }
}
