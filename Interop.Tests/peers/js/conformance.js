// A target for a tool that tests yamux peers: on connection after connection it echoes what streams the far end opens.
// Nothing that is done to one connection ends the program; it ends with its standard input.
import net from 'node:net'
import { parseArgs } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { echoConnection } from './connection.js'

const refusedLimit = 30_000
const refusedPause = 100

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
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    echoConnection(socket, 'inbound', flags.keepalive)
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(endpoint(address), resolve)
  })
  console.log(`listening on ${server.address().address}:${server.address().port}`)
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
      socket = await dial(endpoint(address))
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
    await echoConnection(socket, 'outbound', flags.keepalive)
    refusedSince = Date.now()
  }
}

/** Takes for refused a connection to itself, which loopback makes of an ephemeral port on which nobody listens. */
async function dial (to) {
  const socket = net.connect({ ...to, allowHalfOpen: true, noDelay: true })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  if (socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress) {
    socket.destroy()
    throw Object.assign(new Error('connected to itself'), { code: 'ECONNREFUSED' })
  }
  return socket
}

function endpoint (address) {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) }
}
