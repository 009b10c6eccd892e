// What the far end of a test plays, on any library: each takes a run (see peer.js), and ends when its part is done.
import { createHash, randomBytes } from 'node:crypto'

const pieceSize = 64 * 1024
const initialWindow = 256 * 1024
const pings = 20

export const scenarios = {
  echo,
  send,
  duplex: run => Promise.all([send(run), echo(run)]),
  'close-first': closeFirst,
  'close-last': closeLast,
  digest: async run => run.say(`received ${await digest((await run.accept()).receive(run.bytes))}`),
  fill,
  hold,
  ping,
  reset,
  abort,
  'go-away-send': goAwaySend,
  'go-away-receive': goAwayReceive,
  close,
  'close-stalled': closeStalled
}

/** Sends back what comes on each stream that the far end opens, until the session ends. */
async function echo ({ accept, bytes, say }) {
  let streams = 0
  const echoes = []
  for (let stream; (stream = await accept()) != null;) {
    const { id } = stream
    echoes.push(stream.send(stream.receive(bytes)).then(
      () => streams++,
      error => say(`fail: echo of stream ${id}: ${error.message}`)))
  }
  await Promise.all(echoes)
  say(`echoed ${streams}`)
}

/** Opens all its streams at once, and expects back on each what it sent. */
async function send ({ session, streams, bytes, say }) {
  await Promise.all(Array.from({ length: streams }, async () => {
    const stream = session.open()
    const content = randomBytes(bytes)
    const [received] = await Promise.all([digest(stream.receive(bytes)), stream.send(pieces(content))])
    if (received !== digestOf(content)) {
      throw new Error(`stream ${stream.id}: sent ${digestOf(content)}, got back ${received}`)
    }
  }))
  say(`ok send ${streams}`)
}

/** Sends, ends, and then receives what the far end sends after that. */
async function closeFirst ({ openOrAccept, bytes, say }) {
  const stream = await openOrAccept()
  await sendAndClose(stream, bytes, say)
  say(`received ${await digest(stream.receive(bytes))}`)
}

/** Receives to the end, and then sends. */
async function closeLast ({ openOrAccept, bytes, say }) {
  const stream = await openOrAccept()
  say(`received ${await digest(stream.receive(bytes))}`)
  await sendAndClose(stream, bytes, say)
}

async function sendAndClose (stream, bytes, say) {
  const content = randomBytes(bytes)
  await stream.send(pieces(content))
  say(`sent ${digestOf(content)}`)
}

/** Sends without a pause, and says how much was taken. */
async function fill ({ session, bytes, say }) {
  const content = randomBytes(bytes)
  await session.open().send(pieces(content, taken => say(`wrote ${taken}`)))
  say(`sent ${digestOf(content)}`)
}

/** Does not read its first stream until there is a second one. */
async function hold ({ accept, bytes, say }) {
  const held = await accept()
  await held.send([Buffer.of(1)])
  await accept()
  say(`received ${await digest(held.receive(bytes))}`)
}

async function ping ({ session, say }) {
  for (let i = 0; i < pings; i++) {
    await session.ping()
  }
  say(`ok ping ${pings}`)
}

/** Expects the far end to abort the stream. */
async function reset ({ accept, say }) {
  const stream = await accept()
  say('accepted')
  await stream.awaitReset()
  say('reset')
}

async function abort ({ accept, say }) {
  const stream = await accept()
  stream.abort()
  say('aborted')
}

/** Refuses new streams while the one that is open goes on. The byte that it sends comes after the go away. */
async function goAwaySend ({ session, accept, bytes }) {
  const stream = await accept()
  session.goAway()
  await stream.send(afterOneByte(stream.receive(bytes)))
}

/** Expects the far end to have sent its go away before its byte. */
async function goAwayReceive ({ session, bytes, say }) {
  const stream = session.open()
  const received = stream.receive(1 + bytes)
  await received.next()
  try {
    session.open()
  } catch (error) {
    say(`refused: ${error.message}`)
    await stream.send(received)
    return
  }
  throw new Error('a stream could be opened after the go away of the far end')
}

/** Closes the session while a stream is open on which the far end has sent something. */
async function close ({ session, accept }) {
  const stream = await accept()
  await stream.receive(1).next()
  // libp2p pings of itself at first, and takes an answer that comes when it has closed for one that nobody asked for.
  await session.ping()
  await session.close()
}

/** Closes the session while a stream waits for credit. */
async function closeStalled ({ session, bytes, say }) {
  const stream = session.open()
  await new Promise(resolve => {
    const content = pieces(randomBytes(bytes), taken => taken === initialWindow ? resolve() : undefined)
    stream.send(content).catch(error => say(`lost: ${error.message}`))
  })
  // Now the next piece is on its way to where it waits. The second pong, if not the first, comes when the far end has read the rest.
  await session.ping()
  await session.ping()
  await session.close()
}

async function * afterOneByte (source) {
  yield Buffer.of(1)
  yield * source
}

function * pieces (content, onTaken) {
  for (let start = 0; start < content.length; start += pieceSize) {
    const piece = content.subarray(start, start + pieceSize)
    yield piece
    onTaken?.(start + piece.length)
  }
}

/** Length and hash of what comes until the end. */
async function digest (source) {
  const hash = createHash('sha256')
  let length = 0
  try {
    for await (const chunk of source) {
      hash.update(chunk.subarray())
      length += chunk.length
    }
  } catch (error) {
    throw new Error(`after ${length} bytes: ${error.message}`)
  }
  return `${length} ${hash.digest('hex')}`
}

function digestOf (content) {
  return `${content.length} ${createHash('sha256').update(content).digest('hex')}`
}
