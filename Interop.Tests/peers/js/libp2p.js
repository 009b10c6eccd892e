// js-libp2p's yamux, driven as libp2p's connection drives it.
import { yamux } from '@chainsafe/libp2p-yamux'

// libp2p's own, for all of a connection's end.
const closeTimeout = 500

/**
 * Starts a session on a connection of libp2p's transport, in which it is not encrypted. Its `ended` resolves when the socket is
 * closed, whatever happened, and never rejects.
 */
export function startSession (connection, { role, window, complain, onStream }) {
  const muxer = createMuxer({ role, window, complain, onStream })
  let open = true
  const close = async () => {
    if (!open) {
      return
    }
    open = false
    const signal = AbortSignal.timeout(closeTimeout)
    try {
      await muxer.close({ signal })
      await connection.close({ signal })
    } catch (error) {
      complain('close: %s', error)
      connection.abort(error)
      muxer.abort(error)
    }
  }
  Promise.all([muxer.sink(connection.source), connection.sink(muxer.source)]).catch(error => complain('piping: %s', error))
  return {
    ended: closed(connection).then(close),
    open: () => adapt(muxer.newStream()),
    ping: () => muxer.ping(),
    // No part of its public face, whose close ends the streams too.
    goAway: () => muxer.sendGoAway(0),
    close
  }
}

/** The transport writes the time at which a connection has closed into its timeline, and tells of it in no other way. */
function closed (connection) {
  return new Promise(resolve => {
    connection.timeline = new Proxy(connection.timeline, {
      set: (timeline, name, value) => {
        if (name === 'close') {
          resolve()
        }
        return Reflect.set(timeline, name, value)
      }
    })
  })
}

/** A muxer with the library's configuration, except for what is given. */
export function createMuxer ({ role, window, keepAlive = true, complain, onStream }) {
  const windows = window == null ? {} : { initialStreamWindowSize: window, maxStreamWindowSize: window }
  return yamux({ enableKeepAlive: keepAlive, ...windows })({ logger: loggerTo(complain) }).createStreamMuxer({
    direction: role === 'client' ? 'outbound' : 'inbound',
    onIncomingStream: stream => onStream(adapt(stream))
  })
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

/** The form in which libp2p's components want their loggers: errors are told, the rest is not. */
export function loggerTo (complain) {
  const forComponent = () => Object.assign(() => {}, {
    error: complain,
    trace: () => {},
    enabled: false,
    newScope: forComponent
  })
  return { forComponent }
}
