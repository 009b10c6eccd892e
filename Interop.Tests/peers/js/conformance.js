// A target for a tool that tests yamux peers: on connection after connection it echoes what streams the far end opens.
// Nothing that is done to one connection ends the program; it ends with its standard input.
import { parseArgs } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { echoConnection } from './connection.js'
import { connect, listen } from './tcp.js'

const refusedLimit = 30_000
const refusedPause = 100

// It says its last words after the far end's too.
const socketOptions = { allowHalfOpen: true, noDelay: true }

const { values: flags } = parseArgs({
  options: {
    listen: { type: 'string' },
    connect: { type: 'string' },
    keepalive: { type: 'boolean', default: false }
  }
})
if ((flags.listen == null) === (flags.connect == null)) {
  console.error('usage: node conformance.js --listen HOST:PORT | --connect HOST:PORT [--keepalive]')
  process.exit(2)
}

// A failure inside the muxer that it gives to nobody concerns one connection, and is not lost.
process.on('unhandledRejection', error => console.error('unhandled rejection:', error))
process.on('uncaughtException', error => console.error('uncaught exception:', error))

process.stdin.on('close', () => process.exit(0)).resume()

try {
  await (flags.listen != null ? echoWhoeverConnects(flags.listen) : echoWhoeverListens(flags.connect))
} catch (error) {
  console.log(`fail: ${error.message}`)
  process.exit(1)
}

async function echoWhoeverConnects (address) {
  const server = await listen(address, socketOptions, socket => echoConnection(socket, 'server', flags.keepalive))
  await new Promise((resolve, reject) => {
    server.once('error', reject)
  })
}

/** Ends well when a listener that was there is gone. */
async function echoWhoeverListens (address) {
  let connections = 0
  let refusedSince = Date.now()
  while (true) {
    let socket
    try {
      socket = await dial(address)
    } catch (error) {
      // A listener that closes resets what waits in its queue; that too is one that is gone, or about to be.
      if (error.code !== 'ECONNREFUSED' && error.code !== 'ECONNRESET') {
        throw error
      }
      if (Date.now() - refusedSince >= refusedLimit) {
        if (connections === 0) {
          throw new Error(`nobody listened within ${refusedLimit} ms: ${error.message}`)
        }
        console.log(`ended after ${connections} connections`)
        process.exit(0)
      }
      await delay(refusedPause)
      continue
    }
    connections++
    await echoConnection(socket, 'client', flags.keepalive)
    refusedSince = Date.now()
  }
}

/** Takes for refused a connection to itself, which loopback makes of an ephemeral port on which nobody listens. */
async function dial (address) {
  const socket = await connect(address, socketOptions)
  if (socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress) {
    socket.destroy()
    throw Object.assign(new Error('connected to itself'), { code: 'ECONNREFUSED' })
  }
  return socket
}
