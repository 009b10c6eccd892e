// What the programs here share about TCP.
import net from 'node:net'
import { format } from 'node:util'

/** Listens, says where, and returns the first connection. Where no options are given, Node has its own. */
export async function accept (address, options) {
  let server
  const accepted = new Promise(resolve => { server = listen(address, options, resolve) })
  const socket = await accepted
  ;(await server).close()
  return socket
}

/** Listens, and says where. */
export async function listen (address, options, onSocket) {
  const server = net.createServer(options ?? {}, onSocket)
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(endpoint(address), resolve)
  })
  console.log(`listening on ${server.address().address}:${server.address().port}`)
  return server
}

export async function connect (address, options) {
  const socket = net.connect({ ...endpoint(address), ...options })
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
  })
  return socket
}

/** Says on standard error what is wrong with a connection. Errors come without their stacks, which say where in the muxer somebody else's fault was found. */
export function complaintsOf (socket) {
  const name = `${socket.remoteAddress}:${socket.remotePort}`
  return (...what) => complain(`${name}: ${format(...what.map(brief))}`)
}

export function complain (...what) {
  console.error(format(...what.map(brief)))
}

function brief (value) {
  return value instanceof Error ? `${value.name}: ${value.message}` : value
}

export function endpoint (address) {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) }
}
