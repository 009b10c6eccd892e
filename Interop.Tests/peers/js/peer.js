// The far end of a test: one yamux session of one library, playing one scenario.
//
// It prints "listening on HOST:PORT" when it is ready to be dialled. Results are one line each on standard output; the exit
// code is 0 when all went as it should, 1 when something did not, 2 for wrong usage. It ends with its session, and with its
// standard input.
import { parseArgs } from 'node:util'
import * as libp2p from './libp2p.js'
import { scenarios } from './scenarios.js'
import * as libp2pTcp from './libp2p-tcp.js'
import * as tcp from './tcp.js'
import * as yamuxJs from './yamux-js.js'

const libraries = {
  libp2p: { ...libp2p, ...libp2pTcp },
  'yamux-js': { ...yamuxJs, ...tcp }
}
const flags = parseFlags()
const say = line => console.log(line)

// A failure inside a muxer that it gives to nobody is not lost.
process.on('unhandledRejection', error => console.error('unhandled rejection:', error))
process.on('uncaughtException', error => console.error('uncaught exception:', error))
process.stdin.on('close', () => process.exit(0)).resume()

try {
  const library = libraries[flags.library]
  await play(library, await (flags.listen != null ? library.accept(flags.listen) : library.connect(flags.connect)))
  process.exit(0)
} catch (error) {
  say(`fail: ${error.message}`)
  process.exit(1)
}

async function play (library, connection) {
  const accepted = streamQueue()
  const session = library.startSession(connection, {
    role: flags.role,
    window: numberOf(flags.window),
    asIs: flags['as-is'],
    complain: tcp.complain,
    onStream: accepted.add
  })
  const ended = session.ended.then(() => undefined)
  const run = {
    session,
    streams: numberOf(flags.streams),
    bytes: numberOf(flags.bytes) ?? Infinity,
    say,
    // Undefined: the session has ended.
    accept: () => Promise.race([accepted.take(), ended]),
    openOrAccept: () => flags.opens ? session.open() : run.accept()
  }
  await scenarios[flags.scenario](run)
  await ended
  say('ended')
}

function streamQueue () {
  const streams = []
  const takers = []
  return {
    add: stream => takers.length > 0 ? takers.shift()(stream) : streams.push(stream),
    take: () => streams.length > 0 ? Promise.resolve(streams.shift()) : new Promise(resolve => takers.push(resolve))
  }
}

function numberOf (text) {
  return text == null ? undefined : Number(text)
}

function parseFlags () {
  try {
    const { values } = parseArgs({
      options: {
        library: { type: 'string' },
        role: { type: 'string' },
        scenario: { type: 'string' },
        listen: { type: 'string' },
        connect: { type: 'string' },
        streams: { type: 'string', default: '1' },
        bytes: { type: 'string' },
        window: { type: 'string' },
        opens: { type: 'boolean', default: false },
        'as-is': { type: 'boolean', default: false }
      }
    })
    if (libraries[values.library] != null && ['client', 'server'].includes(values.role) && scenarios[values.scenario] != null &&
        (values.listen == null) !== (values.connect == null)) {
      return values
    }
  } catch (error) {
    console.error(error.message)
  }
  console.error(`usage: node peer.js --library ${Object.keys(libraries).join('|')} --role client|server ` +
    `--scenario ${Object.keys(scenarios).join('|')} --listen HOST:PORT | --connect HOST:PORT ` +
    '[--streams N] [--bytes N] [--window BYTES] [--opens] [--as-is]')
  process.exit(2)
}
