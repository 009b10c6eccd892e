// js-libp2p's yamux on one socket, as libp2p's own transport and upgrader would run it.
import { once } from 'node:events'
import { yamux } from '@chainsafe/libp2p-yamux'

// How long the far end may take to read the muxer's last words and to close. A socket that is destroyed while it still
// receives would destroy what was sent and has not arrived.
const lingerLimit = 2_000

/** Starts a session. Its `ended` resolves when the socket is closed, whatever happened, and never rejects. */
export function startSession (socket, { role, window, keepAlive = false, complain, onStream }) {
  const windows = window == null ? {} : { initialStreamWindowSize: window, maxStreamWindowSize: window }
  const muxer = yamux({ enableKeepAlive: keepAlive, ...windows })({ logger: loggerTo(complain) }).createStreamMuxer({
    direction: role === 'client' ? 'outbound' : 'inbound',
    onIncomingStream: stream => onStream(adapt(stream))
  })
  return {
    ended: run(muxer, socket, complain),
    open: () => adapt(muxer.newStream()),
    ping: () => muxer.ping(),
    // No part of its public face, whose close ends the streams too.
    goAway: () => muxer.sendGoAway(0),
    close: () => muxer.close()
  }
}

function adapt (stream) {
  return {
    id: stream.id,
    receive: () => stream.source,
    send: source => stream.sink(source),
    abort: () => stream.abort(new Error('aborted')),
    awaitReset: async () => {
      try {
        while (!(await stream.source.next()).done);
      } catch (error) {
        if (error.name === 'StreamResetError') {
          return
        }
        throw error
      }
      throw new Error('the stream ended instead of being reset')
    }
  }
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
