// Enqueueing from another language, here Node.js: in the program's own transaction, by SQL alone.
//
//   cd examples/node && npm install && DATABASE_URL=postgresql://… node enqueue.mjs
import pg from 'pg'

const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
await client.connect()

// Returns the notification's id. Options are named as the function names them; what is left out
// keeps its default. JSON is sent as text, times as Date, durations as text like '4 hours'.
async function enqueue(recipient, content, options = {}) {
  const types = {
    account: 'text', idempotency_key: 'text', priority: 'integer', send_at: 'timestamptz', expires_in: 'interval',
    max_attempts: 'integer', on_unknown: 'text', retry_after: 'interval', retry_limit: 'interval', metadata: 'jsonb',
  }
  const values = [recipient, JSON.stringify(content)]
  const named = Object.entries(options).map(([name, value]) => {
    if (!(name in types)) throw new TypeError(`no such option: ${name}`)
    values.push(types[name] === 'jsonb' ? JSON.stringify(value) : value)
    return `, ${name} => $${values.length}::${types[name]}`
  })
  const { rows } = await client.query(`select outbox.enqueue($1, $2::jsonb${named.join('')}) as id`, values)
  return rows[0].id
}

async function transaction(work) {
  await client.query('begin')
  try {
    const result = await work()
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  }
}

const text = (text) => ({ kind: 'text', text })
const to = '+44 7700 900123'

await client.query('create table if not exists orders (number integer primary key, notified uuid)')

// The order and its notification: both are there after the commit, or neither is.
const id = await transaction(async () => {
  await client.query('insert into orders values (7)')
  const id = await enqueue(to, text('Your order 7 is on its way.'), {
    idempotency_key: 'order-7-sent',
    send_at: new Date(Date.now() + 5 * 60 * 1000),
    expires_in: '4 hours',
    metadata: { order: 7 },
  })
  await client.query('update orders set notified = $1 where number = 7', [id])
  return id
})
console.log('enqueued', id)

// An error: the SQLSTATE says which kind, the constraint which rule, the hint the way out.
for (const [recipient, content, options] of [
  ['07700 900123', text('hello'), {}],
  [to, text('Something else'), { idempotency_key: 'order-7-sent' }],
]) {
  try {
    await transaction(() => enqueue(recipient, content, options))
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    const { code, constraint, message, hint } = error
    console.log(JSON.stringify({ code, constraint, message, hint }))
  }
}

// Many at once, all or none, as one JSON array; a picture's bytes are stored once.
const ids = await transaction(async () => {
  const png = Buffer.from('89504e470d0a1a0a', 'hex')
  const stored = await client.query(`select outbox.store_media($1, 'image/png') as digest`, [png])
  const content = { kind: 'image', media: stored.rows[0].digest, caption: 'We have moved' }
  const many = Array.from({ length: 20 }, (_, n) => ({ recipient: `+4477009001${n + 10}`, content }))
  const { rows } = await client.query('select id from outbox.enqueue_batch($1::jsonb)', [JSON.stringify(many)])
  return rows.map((row) => row.id)
})
console.log('enqueued', ids.length)

await client.end()
