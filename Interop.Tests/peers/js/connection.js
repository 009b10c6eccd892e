// One yamux session of js-libp2p on one socket, as libp2p's own transport and upgrader would run it.
import { once } from 'node:events'
import { format } from 'node:util'
import { yamux } from '@chainsafe/libp2p-yamux'

// How long the far end may take to read the muxer's last words and to close. A socket that is destroyed while it still
// receives would destroy what was sent and has not arrived.
const lingerLimit = 2_000

/** Echoes each stream of one connection. Resolves when the socket is closed, whatever happened; never rejects. */
export async function echoConnection (socket, direction, enableKeepAlive) {
  const name = `${socket.remoteAddress}:${socket.remotePort}`
  const complain = (...what) => console.error(`${name}: ${format(...what.map(brief))}`)
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.on('error', error => complain('socket: %s', error.message))

  const muxer = yamux({ enableKeepAlive })({ logger: loggerTo(complain) }).createStreamMuxer({
    direction,
    onIncomingStream: stream => {
      stream.sink(stream.source).catch(error => complain('echo of stream %s: %s', stream.id, error.message))
    }
  })
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

/** Errors without their stacks, which say where in the muxer somebody else's fault was found. */
function brief (value) {
  return value instanceof Error ? `${value.name}: ${value.message}` : value
}

/** The form in which libp2p's components want their loggers: errors are told, the rest is not. */
function loggerTo (complain) {
  const forComponent = () => Object.assign(() => {}, {
    error: complain,
    trace: () => {},
    enabled: false,
    newScope: forComponent
  })
  return { forComponent }
}
