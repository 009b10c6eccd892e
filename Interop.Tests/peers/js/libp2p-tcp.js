// libp2p's own TCP transport, and in the place of its upgrader, which would encrypt the connection, nothing.
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { loggerTo } from './libp2p.js'
import { complain, endpoint } from './tcp.js'

const transport = tcp()({ logger: loggerTo(complain) })

export function connect (address) {
  const upgrader = { upgradeOutbound: async connection => connection }
  return transport.dial(multiaddrOf(address), { upgrader, signal: new AbortController().signal })
}

/** Listens, says where, and returns the first connection. The listener stays, since it would close the connection with it. */
export async function accept (address) {
  let listener
  const accepted = new Promise(resolve => {
    listener = transport.createListener({ upgrader: { upgradeInbound: async connection => resolve(connection) } })
  })
  await listener.listen(multiaddrOf(address))
  const { host, port } = listener.getAddrs()[0].toOptions()
  console.log(`listening on ${host}:${port}`)
  return accepted
}

function multiaddrOf (address) {
  const { host, port } = endpoint(address)
  return multiaddr(`/ip4/${host}/tcp/${port}`)
}
