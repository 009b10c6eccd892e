// yamux-js on one socket. What it cannot do of itself is done here, each with the reason, so that the rest can be tried.
import { Transform } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, Server } from 'yamux-js'

const headerSize = 12
const typeData = 0
const lingerLimit = 2_000

/** Starts a session. Its `ended` resolves when the socket is closed, whatever happened, and never rejects. */
export function startSession (socket, { role, window, asIs = false, complain, onStream }) {
  const config = { logger: complain, ...(window == null ? {} : { maxStreamWindowSize: window }) }
  const session = role === 'client' ? new Client(config) : new Server(undefined, config)
  // Its client has no other way to be given streams.
  session.onStream = stream => onStream(adapt(stream))
  let opening = false
  let refusal
  session.on('error', error => opening ? refusal = error : complain('session: %s', error))
  return {
    ended: run(session, socket, asIs, complain),
    open: () => {
      // It reports a refusal as an event of the session, and returns a stream that nobody knows of.
      opening = true
      const stream = session.open()
      opening = false
      if (refusal != null) {
        throw refusal
      }
      return adapt(stream)
    },
    ping: async () => {
      session.ping()
      // It tells nobody of the answer.
      while (session.pings.size > 0) {
        await delay(1)
      }
    },
    // No part of its public face, whose close ends the streams too.
    goAway: () => session.goAway(0),
    close: async () => session.close()
  }
}

function adapt (stream) {
  let failure
  // It reports a failed write as an event, and lets the write succeed.
  stream.on('error', error => { failure ??= error })
  const write = chunk => new Promise((resolve, reject) => {
    stream.write(chunk.subarray(), error => (failure ?? error) == null ? resolve() : reject(failure ?? error))
  })
  return {
    id: stream.ID(),
    receive: expected => upTo(expected, stream),
    send: async source => {
      for await (const chunk of source) {
        await write(chunk)
      }
      // Its end() sends nothing.
      stream.close()
    },
    // It cannot reset a stream; this is what comes nearest.
    abort: () => stream.destroy(),
    // A reader is not told.
    awaitReset: async () => {
      while (failure?.message !== 'connection reset') {
        await delay(10)
        await write(Buffer.of(1)).catch(error => { failure ??= error })
      }
    }
  }
}

/** It does not notice the far end's FIN, so who reads has to know how much there is. */
async function * upTo (expected, stream) {
  const reader = stream[Symbol.asyncIterator]()
  for (let missing = expected; missing > 0;) {
    const { done, value } = await reader.next()
    if (done) {
      return
    }
    missing -= value.length
    yield value
  }
}

async function run (session, socket, asIs, complain) {
  if (asIs) {
    session.pipe(socket).pipe(session)
  } else {
    const input = socket.pipe(new WholeFrames())
    // Not with pipe, which lets go of a session that has reported an error.
    input.on('data', chunk => {
      if (!session.writableEnded) {
        session.write(chunk)
      }
    })
    input.on('end', () => session.end())
    session.pipe(socket)
  }
  socket.on('error', error => complain('socket: %s', error.message))
  // After an error of the protocol it does not come to its own end.
  socket.once('end', () => setTimeout(() => socket.destroy(), lingerLimit).unref())
  await new Promise(resolve => socket.once('close', resolve))
  // It does not tell its streams that the connection is gone.
  session.close()
}

/** Passes on whole frames, one at a time: yamux-js drops the pieces of a frame, and the rest of a piece that begins with a go away. */
class WholeFrames extends Transform {
  #rest = Buffer.alloc(0)

  _transform (chunk, encoding, done) {
    this.#rest = Buffer.concat([this.#rest, chunk])
    while (this.#rest.length >= headerSize) {
      const size = headerSize + (this.#rest[1] === typeData ? this.#rest.readUInt32BE(8) : 0)
      if (this.#rest.length < size) {
        break
      }
      this.push(this.#rest.subarray(0, size))
      this.#rest = this.#rest.subarray(size)
    }
    done()
  }
}
