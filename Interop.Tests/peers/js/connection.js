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
  // The muxer's sink reports failures through its logger; what it throws is a failure of its own.
  let linger
  muxer.sink(chunks(socket)).catch(error => complain('receive: %s', error.stack)).then(() => {
    linger = setTimeout(() => socket.destroy(), lingerLimit)
    socket.resume()
  })

  try {
    await send(muxer.source, socket)
  } catch (error) {
    complain('send: %s', error.message)
    muxer.abort(error)
    socket.destroy()
  }

  socket.end()
  await closed
  clearTimeout(linger)
}

/** What arrives. The socket outlives it, for the muxer may have something to send when it reads no more. */
async function * chunks (socket) {
  yield * socket.iterator({ destroyOnReturn: false })
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
